"""A bare connection of the driver to a test's database, and rows written by hand: SQL that the product never sees."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

REFUSED = (sqlite3.Error, psycopg.Error)
"""What a driver raises where the database refuses."""

NOW = "2026-11-24 18:00:00+00:00"


def id_of(number: int) -> str:
    """An id as SQLite keeps it and as PostgreSQL reads it."""
    return UUID(int=number).hex


@dataclass(frozen=True, slots=True)
class Bare:
    """A connection of `sqlite3` or `psycopg` in autocommit: each statement stands alone."""

    _connection: Any
    _mark: str

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement with `?` for each value. Raises `REFUSED`."""
        cursor = self._connection.execute(sql.replace("?", self._mark), values)
        return cursor.fetchall() if cursor.description else []

    def add_account(self, number: int = 1, ref: str | None = None) -> None:
        self.run(
            "INSERT INTO account (id, ref, name, country, status, created_at) VALUES (?, ?, 'Dana', 'US', 'active', ?)",
            *(id_of(number), ref or f"C-{number}", NOW),
        )

    def add_case(self, number: int = 1, state: str = "requested", account: int = 1) -> None:
        self.run(
            "INSERT INTO reset_case (id, reference, account_id, asked_through, state, least_hold_seconds, opened_at,"
            " expires_at, seq, head) VALUES (?, ?, ?, 'support', ?, 0, ?, ?, 0, ?)",
            *(id_of(number), f"R-{number:04}-0000", id_of(account), state, NOW, NOW, b"\0"),
        )

    def add_event(self, seq: int, case: int = 1, from_state: str | None = None, to_state: str = "requested") -> None:
        self.run(
            "INSERT INTO case_event (case_id, seq, event, from_state, to_state, actor, at, facts_digest, hash)"
            " VALUES (?, ?, 'opened', ?, ?, 'agent', ?, ?, ?)",
            *(id_of(case), seq, from_state, to_state, NOW, b"\0", b"\0"),
        )

    def add_facts(self, seq: int, case: int = 1) -> None:
        self.run(
            "INSERT INTO case_event_facts (case_id, seq, salt, facts) VALUES (?, ?, ?, '{}')", id_of(case), seq, b"\0"
        )

    def add_mail(self, number: int, source: str, delivery_id: str) -> None:
        self.run(
            "INSERT INTO inbound_mail (id, source, delivery_id, received_at, raw, verdict)"
            " VALUES (?, ?, ?, ?, ?, 'received')",
            *(id_of(number), source, delivery_id, NOW, b"\0"),
        )

    def add_message(self, number: int, provider: str | None, provider_id: str | None) -> None:
        self.run(
            "INSERT INTO message (id, kind, channel, status, created_at, due_at, provider, provider_id)"
            " VALUES (?, 'inbox_answer', 'email', 'sent', ?, ?, ?, ?)",
            *(id_of(number), NOW, NOW, provider, provider_id),
        )


@contextmanager
def bare(url: str) -> Iterator[Bare]:
    """A connection as anybody could open one."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            yield Bare(connection, "?")
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            yield Bare(connection, "%s")
