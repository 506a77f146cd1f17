"""A vendor's API on loopback: a real HTTP server, and whatever can go wrong on the way to a real one.

A vendor's stand-in is a subclass that judges requests in `answer`. What goes wrong is put in a queue with `fail`: each
of the next requests takes one fault from it, and a request that finds none is answered as the vendor would.
"""

import argparse
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Self, TypeAlias

from tests.servers import lifeline
from tests.servers.ports import LOOPBACK

_MISSING = 64  # bytes that a truncated answer announces and does not send
_Connection: TypeAlias = socket.socket | tuple[bytes, socket.socket]  # as socketserver types it; here always a socket


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; `headers` has lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; Content-Length is added."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instead:
    """The client gets `reply`; the vendor took the request nevertheless if `taken`."""

    reply: Reply
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The vendor takes the request, and its answer comes after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer comes; the connection is closed after `seconds`, or when the stand-in stops."""

    seconds: float
    taken: bool = False


@dataclass(frozen=True, slots=True)
class CloseUnread:
    """The connection is closed when the head of the request has come, and its body is not read."""


@dataclass(frozen=True, slots=True)
class CloseTaken:
    """The vendor takes the request, and the connection is closed without an answer."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """The vendor takes the request and begins to answer, but the connection is closed before the answer's end."""


Fault: TypeAlias = Instead | Delay | Hang | CloseUnread | CloseTaken | Truncated


class StandIn(ABC):
    """A vendor on loopback, as a context manager. Every request waits `delay` seconds, as for a vendor far away."""

    def __init__(self, port: int = 0, delay: float = 0) -> None:
        self._delay = delay
        self._faults: deque[Fault] = deque()
        self._stopping = threading.Event()
        self._server = _Server((LOOPBACK, port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=type(self).__name__)

    @property
    def base_url(self) -> str:
        """Where the vendor's API is, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def connections(self) -> int:
        """How many connections clients have opened so far."""
        return self._server.accepted

    def fail(self, *faults: Fault) -> None:
        """Let the next requests meet these faults, one each, in this order."""
        self._faults.extend(faults)

    @property
    @abstractmethod
    def took(self) -> str:
        """What was taken so far, in words."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Judge `request`, and take it if it is right. Called from many threads at once."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    def take_fault(self) -> Fault | None:
        """The fault that the request at hand meets; for the handler."""
        try:
            return self._faults.popleft()
        except IndexError:
            return None

    def reply_to(self, request: Request, fault: Fault | None) -> Reply | None:
        """What the client gets, or None for a connection that closes without an answer; for the handler."""
        self._stopping.wait(self._delay)
        taken = not isinstance(fault, Instead | Hang) or fault.taken
        reply = self.answer(request) if taken else None
        match fault:
            case Instead(other):
                return other
            case Delay(seconds):
                self._stopping.wait(seconds)
            case Hang(seconds):
                self._stopping.wait(seconds)
                return None
            case CloseTaken():
                return None
        return reply


def serve(vendor: type[StandIn], story: str | None) -> None:
    """Runs the stand-in as a process of its own, which prints its URL and ends when its standard input does."""
    parser = argparse.ArgumentParser(description=story, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; a free one if left out")
    parser.add_argument("--delay-ms", type=float, default=0, help="how long each answer takes")
    arguments = parser.parse_args()
    lifeline.keep(_served(vendor(arguments.port, arguments.delay_ms / 1000)))


@contextmanager
def _served(stand_in: StandIn) -> Iterator[str]:
    with stand_in:
        try:
            yield stand_in.base_url
        finally:
            sys.stderr.write(f"took {stand_in.took} over {stand_in.connections} connections\n")


class _Server(ThreadingTCPServer):
    """A thread a connection; it knows the open ones, so that it can stop while clients keep theirs alive."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.accepted = 0
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.accepted += 1
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: _Connection) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        for connection in self._open.copy():
            with suppress(OSError):  # it may have ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client may go away whenever it likes
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections kept alive; each answer is one write."""

    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        stand_in = self.server.stand_in
        fault = stand_in.take_fault()
        request = None if isinstance(fault, CloseUnread) else self._request()
        reply = stand_in.reply_to(request, fault) if request else None
        if reply:
            self._send(reply, whole=not isinstance(fault, Truncated))
        else:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server looks for these names

    def _request(self) -> Request | None:
        """The whole request, or None if the client went away in the middle of it."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, headers, body) if len(body) == length else None

    def _send(self, reply: Reply, *, whole: bool) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + (0 if whole else _MISSING)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = self.close_connection or not whole

    def log_message(self, *_: object) -> None:
        """Nothing: what was sent is in the stand-in."""
