"""A TCP proxy on loopback whose connections a test cuts when it likes, and that knows what its clients have said."""

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Self

from tests.servers.ports import LOOPBACK


class Proxy:
    """Passes on what is said to its `port` and what `target`, another port, answers; `with` it, it runs."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._said: list[bytes] = []

    def __enter__(self) -> Self:
        self._accepting = Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Break all connections off; how many there were."""
        with self._lock:
            for side in self._open:
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
            return len(self._open) // 2

    @property
    def said(self) -> bytes:
        """All that clients have said so far."""
        with self._lock:
            return b"".join(self._said)

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                client = self._listener.accept()[0]
                Thread(target=self._serve, args=(client,)).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection((LOOPBACK, self._target)) as server:
            both = {client, server}
            with self._lock:
                self._open |= both
            answering = Thread(target=self._pass_on, args=(server, client))
            answering.start()
            self._pass_on(client, server)
            answering.join()
            with self._lock:
                self._open -= both

    def _pass_on(self, speaker: socket.socket, listener: socket.socket) -> None:
        with suppress(OSError):
            while said := speaker.recv(65536):
                if listener.getpeername()[1] == self._target:
                    with self._lock:
                        self._said.append(said)
                listener.sendall(said)
        for side in (speaker, listener):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
