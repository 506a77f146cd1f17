"""The way to the database: one engine a process, and two kinds of transaction, one that writes and one that reads.

Statements are built once, at import, and run on a plain `Connection`: half of what an ORM's unit of work costs.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from foundation.settings import Settings

# Longer than any transaction of ours: whoever waits this long for SQLite's write lock has met a fault.
_BUSY_SECONDS = 30
_PAUSE_SECONDS = 0.01
_READS_ONLY = "keyturn_reads_only"


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Database:
    """The database of the settings."""

    def __init__(self, url: str) -> None:
        """`url` as in `database_url`; see `url_of`."""
        self.engine = _engine(url)
        self._reading: dict[str, Any] = (
            {_READS_ONLY: True} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes; commits at the end, and rolls back when the block raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: it waits for no writer on SQLite, and sees one moment on both engines."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(**self._reading)
            with connection.begin():
                yield connection

    def dispose(self) -> None:
        """Closes all pooled connections."""
        self.engine.dispose()


def wait_for_turn(connection: Connection, name: str) -> None:
    """Waits until no other transaction holds the lock `name`, and holds it until this one ends.

    On SQLite the transaction itself, begun with BEGIN IMMEDIATE, is the lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"name": name})


def url_of(settings: Settings) -> str:
    """The database's URL: the one that is set, or SQLite in the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'keyturn.db'}"


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    # Parameters hold addresses and sealed secrets; an error's text ends in a log.
    if parsed.get_backend_name() == "sqlite":
        driver_in_autocommit = {"isolation_level": None, "timeout": _BUSY_SECONDS}
        return _sqlite(create_engine(parsed, hide_parameters=True, connect_args=driver_in_autocommit))
    parsed = parsed.set(drivername="postgresql+psycopg")
    return _postgresql(create_engine(parsed, hide_parameters=True, pool_size=10, max_overflow=20))


def _postgresql(engine: Engine) -> Engine:
    event.listen(engine, "handle_error", _hide_row)
    return engine


def _hide_row(context: ExceptionContext) -> None:
    # Below the first line of its error, PostgreSQL shows the row: DETAIL: Failing row contains (…).
    if isinstance(context.sqlalchemy_exception, DBAPIError):
        for error in (context.original_exception, context.sqlalchemy_exception):
            error.args = tuple(str(each).partition("\n")[0] for each in error.args)


def _sqlite(engine: Engine) -> Engine:
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    _use_wal(connection)
    for pragma in (
        # FULL, not NORMAL: in WAL mode NORMAL may lose the newest commits when the power fails.
        "synchronous = FULL",
        "foreign_keys = ON",
        # So that REPLACE fires the delete triggers that guard the history.
        "recursive_triggers = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection) -> None:
    # While another process does the same to a new file, SQLite refuses at once, without its busy timeout.
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
            time.sleep(_PAUSE_SECONDS)


def _begin(connection: Connection) -> None:
    # The driver is in autocommit, so this is the only BEGIN. IMMEDIATE takes the write lock before anything is read:
    # a transaction that reads first and then writes could lose what another wrote in between.
    reads_only = connection.get_execution_options().get(_READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
