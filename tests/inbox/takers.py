"""A watch at work, and who takes what it hands over: one that stores as the intake does, one that refuses a mail."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from inbox.delivery import Delivery


class Watching:
    """A watch in a thread of its own, until the test is over."""

    def __init__(self, watch: Callable[[Event], None]) -> None:
        self.stop = Event()
        self.thread = Thread(target=watch, args=(self.stop,))

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()


class Store:
    """Takes mails as the intake does: into a table in which an id can stand only once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.handed = 0
        with closing(self._open()) as database:
            database.execute("CREATE TABLE IF NOT EXISTS mail (id TEXT PRIMARY KEY, raw BLOB)")

    def __call__(self, delivery: Delivery) -> None:
        self.handed += 1
        with closing(self._open()) as database, database:
            database.execute("INSERT OR IGNORE INTO mail VALUES (?, ?)", (delivery.id, delivery.raw))

    def stored(self) -> list[bytes]:
        with closing(self._open()) as database:
            return sorted(raw for (raw,) in database.execute("SELECT raw FROM mail"))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, timeout=30)


class Stubborn:
    """Refuses one mail until it is told not to, and takes the others."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.tries = 0
        self.refuses = True

    def __call__(self, delivery: Delivery) -> None:
        if delivery.raw == b"bad":
            self.tries += 1
            if self.refuses:
                raise RuntimeError("quotes the mail: secret words")
        self.taken.append(delivery.raw)
