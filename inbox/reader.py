"""Reading and judging at arm's length: a mail is read in a kept child process, which it may hang, fill or bring down.

Whatever it does to the child, the answer comes in time, and the next mail gets a child that works.
"""

import atexit
import contextlib
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from inbox.answer import MAX_ANSWER_BYTES, Nonsense, Read, from_json
from inbox.child import LENGTH_BYTES, send
from inbox.limits import MAX_BYTES
from inbox.reading import Unreadable

_log = logging.getLogger(__name__)

READING_SECONDS = 5.0
"""From handing a mail over to its answer. Most mails take a millisecond; the worst that inbox.limits lets pass, 3 s."""
MAX_CHILDREN = 2
"""At one time: a mail that takes all the time there is leaves one to the others."""
MAILS_PER_CHILD = 1_000
"""A child starts in a sixth of a second; what memory it does not give back, or a mail did to it, ends with it."""
LARGE_BYTES = 1024 * 1024
"""After a mail of more, a child has less memory left for the next one than a new child has."""

_START_SECONDS = 60  # only a child that will never start takes this long
_GRACE_SECONDS = 1  # after which a child whose parent has not ended it ends itself
_ROOT = Path(__file__).resolve().parents[1]
# Isolated: no variable, no folder of the user's has a say in what it imports. The root is named, because a checkout
# that is not the installed one must not start the other one's child.
_COMMAND = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from inbox.child import main; main(float(sys.argv[1]))"


class NoChild(Exception):
    """The process that reads mail does not start. No mail is at fault: try again later, and look at the machine."""


class Reader:
    """Reads mail in child processes, of which it starts at most `MAX_CHILDREN`, when they are needed; for all threads.

    `seconds` is how long one mail may take from handing over to its answer; waiting for a child that is free comes
    before that. Close it, or use it as a context manager; children also end when this process does, however it ends.
    """

    def __init__(self, seconds: float = READING_SECONDS) -> None:
        self._seconds = seconds
        self._turns = threading.Semaphore(MAX_CHILDREN)
        self._idle: list[_Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def read_and_judge(self, raw: bytes) -> Read:
        """Read and judge one mail. Raises Unreadable for what cannot be read, and NoChild, which is no mail's fault."""
        try:
            with self._turns, self._lent() as child:
                answer = from_json(child.ask(raw, self._seconds))
        except TimeoutError:
            _log.warning("a mail's reading took too long and was ended")
            raise Unreadable("takes too long to read") from None
        except (OSError, EOFError, Nonsense) as fault:
            _log.warning("a mail's reading ended without an answer (%s)", type(fault).__name__)
            raise Unreadable("brings down what reads it") from None
        if isinstance(answer, Unreadable):
            raise answer
        return answer

    def close(self) -> None:
        """End the children that are not reading."""
        while self._idle:
            self._idle.pop().end()

    @contextlib.contextmanager
    def _lent(self) -> Iterator["_Child"]:
        child = self._free_child()
        try:
            yield child
        except BaseException:
            child.end()
            raise
        if child.is_worn:
            child.end()
        else:
            self._idle.append(child)

    def _free_child(self) -> "_Child":
        with contextlib.suppress(IndexError):
            while True:
                child = self._idle.pop()
                if child.is_alive:
                    return child
                child.end()
        return _started(self._seconds)


class _Child:
    """One process of `inbox.child`, and the connection to it."""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self._connection = connection
        self._mails = self._largest = 0

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def is_worn(self) -> bool:
        return self._mails >= MAILS_PER_CHILD or self._largest > LARGE_BYTES

    def greet(self) -> None:
        """Wait until it is ready. Raises like `ask`."""
        self._receive(time.monotonic() + _START_SECONDS)

    def ask(self, raw: bytes, seconds: float) -> bytes:
        """Return the answer. Raises TimeoutError; OSError, EOFError or Nonsense if the child has died or gone mad."""
        until = time.monotonic() + seconds
        self._mails += 1
        self._largest = max(self._largest, len(raw))
        self._connection.settimeout(seconds)
        # A byte over the limit says as much as all that are.
        send(self._connection, raw[: MAX_BYTES + 1])
        return self._receive(until)

    def end(self) -> None:
        """Kill the process: it does nothing that would have to be finished."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _receive(self, until: float) -> bytes:
        length = int.from_bytes(self._received(LENGTH_BYTES, until))
        if length > MAX_ANSWER_BYTES:
            raise Nonsense
        return self._received(length, until)

    def _received(self, length: int, until: float) -> bytes:
        received = bytearray()
        while len(received) < length:
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            piece = self._connection.recv(length - len(received))
            if not piece:
                raise EOFError
            received += piece
        return bytes(received)


def _started(seconds: float) -> _Child:
    try:
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.enter_context(ours)
            child = _Child(_process(theirs, seconds), ours)
            undo.callback(child.end)
            child.greet()
            undo.pop_all()
            return child
    except (OSError, EOFError, Nonsense) as fault:
        raise NoChild(f"the process that reads mail does not start ({type(fault).__name__})") from None


def _process(connection: socket.socket, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _COMMAND, str(seconds + _GRACE_SECONDS)],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a traceback may quote the mail
        env={},  # ours has the keys
        cwd="/",
        start_new_session=True,  # Ctrl-C is for us
    )


_READER = Reader()
atexit.register(_READER.close)


def read_and_judge(raw: bytes) -> Read:
    """Read and judge one mail with the children of this process. Raises as `Reader.read_and_judge` does."""
    return _READER.read_and_judge(raw)
