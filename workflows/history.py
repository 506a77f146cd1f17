"""A case's history: append-only lines, each chained by its hash to the line before, with facts that can be erased.

A line's hash covers the line and the hash of the line before; the facts enter only as a salted digest, so the chain
stays provable after they are erased. `broken_lines` walks all chains.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from models.base import AnyRow
from models.cases import Actor, CaseEvent, CaseEventFacts, CaseState, ResetCase

NO_LINE = bytes(32)
"""What stands for the hash of the line before the first one."""

Fact: TypeAlias = str | int | bool | None

_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says, without its facts."""

    case_id: UUID
    seq: int
    event: str
    from_state: CaseState | None
    to_state: CaseState
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its facts as JSON; `digest` (of the facts) and `hash` are SHA-256, 32 bytes."""

    entry: Entry
    salt: bytes
    facts: str
    digest: bytes
    hash: bytes

    def event_row(self) -> dict[str, object]:
        """The line as a row of `case_event`."""
        return {
            "case_id": self.entry.case_id,
            "seq": self.entry.seq,
            "event": self.entry.event,
            "from_state": self.entry.from_state,
            "to_state": self.entry.to_state,
            "actor": self.entry.actor,
            "at": self.entry.at,
            "facts_digest": self.digest,
            "hash": self.hash,
        }

    def facts_row(self) -> dict[str, object]:
        """The facts as a row of `case_event_facts`."""
        return {"case_id": self.entry.case_id, "seq": self.entry.seq, "salt": self.salt, "facts": self.facts}


def write_line(before: bytes, entry: Entry, facts: Mapping[str, Fact]) -> Line:
    """The line for an entry, chained to the hash of the line before (`NO_LINE` for the first)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    digest = _digest(salt, text)
    return Line(entry, salt, text, digest, _hash(before, entry, digest))


def _digest(salt: bytes, facts: str) -> bytes:
    return hashlib.sha256(salt + facts.encode()).digest()


def _hash(before: bytes, entry: Entry, digest: bytes) -> bytes:
    at = entry.at.isoformat(timespec="microseconds")
    states = (entry.from_state, entry.to_state)
    line = [entry.case_id.hex, entry.seq, entry.event, *states, entry.actor, at, digest.hex()]
    return hashlib.sha256(before + json.dumps(line).encode()).digest()


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line of a case's history that is not as it was written, and what is wrong with it."""

    reference: str
    seq: int
    fault: str


_CASES = select(ResetCase.id, ResetCase.reference, ResetCase.state, ResetCase.seq, ResetCase.head).order_by(
    ResetCase.id
)
_LINES = (
    select(
        CaseEvent.seq,
        CaseEvent.event,
        CaseEvent.from_state,
        CaseEvent.to_state,
        CaseEvent.actor,
        CaseEvent.at,
        CaseEvent.facts_digest,
        CaseEvent.hash,
        CaseEventFacts.salt,
        CaseEventFacts.facts,
    )
    .outerjoin(CaseEventFacts, (CaseEventFacts.case_id == CaseEvent.case_id) & (CaseEventFacts.seq == CaseEvent.seq))
    .where(CaseEvent.case_id == bindparam("case_id"))
    .order_by(CaseEvent.seq)
)


def lines(connection: Connection, case_id: UUID) -> list[AnyRow]:
    """A case's lines in order, with their facts as JSON text where these were not erased."""
    return list(connection.execute(_LINES, {"case_id": case_id}))


def broken_lines(connection: Connection) -> Iterator[Broken]:
    """The first broken line of each case whose history is not as it was written; nothing where all are whole."""
    for case in connection.execute(_CASES).all():
        if fault := _first_fault(case, lines(connection, case.id)):
            yield Broken(case.reference, *fault)


def _first_fault(case: AnyRow, history: list[AnyRow]) -> tuple[int, str] | None:
    before, state = NO_LINE, None
    for expected, line in enumerate(history, 1):
        if fault := _fault(case.id, line, expected, before, state):
            return expected, fault
        before, state = line.hash, line.to_state
    if (len(history), before) != (case.seq, case.head):
        return len(history) + 1, "lines are missing at the end"
    return None if state == case.state else (case.seq, f"the case says {case.state}, its history {state}")


def _fault(case_id: UUID, line: AnyRow, expected: int, before: bytes, state: CaseState | None) -> str | None:
    if line.seq != expected:
        return "the line is missing"
    if line.from_state != state:
        return f"it begins at {line.from_state}, the line before ended at {state}"
    if line.facts is not None and not hmac.compare_digest(_digest(line.salt, line.facts), line.facts_digest):
        return "its facts were changed"
    entry = Entry(case_id, line.seq, line.event, line.from_state, line.to_state, line.actor, line.at)
    if not hmac.compare_digest(_hash(before, entry, line.facts_digest), line.hash):
        return "it was changed, or the line before it was"
    return None
