"""A reset case in the hands of one transaction: its row locked, what happens to it gathered, all saved at the end.

`locked` is the way to get one. Triggers (`workflows.machine.fire`), wrong tries and holds change the `Case` and add
lines and messages to it; one UPDATE and a few INSERTs of many rows write everything when the block ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from authenticators.revoking import revoke_all
from models.access import Enrolment, PortalSession
from models.accounts import Account, AccountStatus, ContactPoint
from models.base import AnyRow
from models.cases import (
    OPEN_STATES,
    Actor,
    AskedThrough,
    CaseEvent,
    CaseEventFacts,
    CaseState,
    Challenge,
    HeldFor,
    Proof,
    ResetCase,
)
from models.messages import Message
from policy.routing import Contact, notice_ways
from policy.vocabulary import Channel, MessageKind, ProofKind
from workflows.accounts import ACCOUNT_COLUMNS, LockedAccount, value_of
from workflows.history import Entry, Fact, Line, write_line
from workflows.installation import Installation
from workflows.queueing import queued

# Account first: everything that locks both takes them in this order, so that no two wait for each other.
_LOCK = (
    select(
        ResetCase.id,
        ResetCase.reference,
        ResetCase.account_id,
        ResetCase.asked_through,
        ResetCase.state,
        ResetCase.channel,
        ResetCase.contact_id,
        ResetCase.contact_version,
        ResetCase.contact_digest,
        ResetCase.least_hold_seconds,
        ResetCase.held_for,
        ResetCase.proof_set,
        ResetCase.remark,
        ResetCase.hold_until,
        ResetCase.wrong_tries,
        ResetCase.opened_at,
        ResetCase.expires_at,
        ResetCase.closed_at,
        ResetCase.seq,
        ResetCase.head,
        *ACCOUNT_COLUMNS,
    )
    .select_from(Account)
    .join(ResetCase, ResetCase.account_id == Account.id)
    .with_for_update(of=[Account, ResetCase])
)
_LOCK_BY_ID = _LOCK.where(ResetCase.id == bindparam("key"))
_LOCK_BY_REFERENCE = _LOCK.where(ResetCase.reference == bindparam("key"))
_INSERT_CASE = insert(ResetCase)
_INSERT_EVENTS = insert(CaseEvent)
_INSERT_FACTS = insert(CaseEventFacts)
_INSERT_CHALLENGES = insert(Challenge)
_INSERT_MESSAGES = insert(Message)
_PROOFS = select(Proof.kind, Proof.fresh_until).where(Proof.case_id == bindparam("case_id"))
_SAVE = update(ResetCase).where(ResetCase.id == bindparam("case_id"), ResetCase.seq == bindparam("seq_before"))
_WITHDRAW_ACCOUNT_CODES = (
    update(Challenge)
    .where(
        Challenge.contact_id.in_(select(ContactPoint.id).where(ContactPoint.account_id == bindparam("of_account"))),
        Challenge.used_at.is_(None),
        Challenge.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("now"))
)
_END_VISITS = (
    update(PortalSession)
    .where(PortalSession.account_id == bindparam("of_account"))
    .values(link_until=None, ends_at=bindparam("now"))
)
# What an earlier reset granted ends with the next one.
_END_GRANTS = (
    update(Enrolment)
    .where(Enrolment.account_id == bindparam("of_account"), Enrolment.ends_at > bindparam("now"))
    .values(ends_at=bindparam("now"))
)
WITHDRAW = (
    update(Challenge)
    .where(Challenge.case_id == bindparam("of_case"), Challenge.used_at.is_(None), Challenge.replaced_at.is_(None))
    .values(replaced_at=bindparam("now"))
)
"""Ends the code that is out in the case `of_case`, if one is."""


class UnknownCase(Exception):
    """No case has this reference. Look at the message with the code: the reference stands next to it."""

    def __init__(self) -> None:
        super().__init__("there is no reset with this reference")


class Overtaken(RuntimeError):
    """A case was saved that somebody else had changed since it was read: it was not locked. A bug."""


@dataclass(slots=True)
class Case:
    """A case whose row this transaction has locked, and what it will write."""

    installation: Installation
    connection: Connection
    account: LockedAccount
    id: UUID
    reference: str
    asked_through: AskedThrough
    state: CaseState
    channel: Channel | None
    contact_id: UUID | None
    contact_version: int | None
    contact_digest: bytes | None
    least_hold_seconds: int
    held_for: HeldFor | None
    proof_set: str | None
    remark: str | None
    hold_until: datetime | None
    wrong_tries: int
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    seq: int
    head: bytes
    proofs: dict[ProofKind, datetime | None]
    lines: list[Line] = field(default_factory=list)
    challenges: list[dict[str, object]] = field(default_factory=list)
    messages: list[dict[str, object]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def passphrase_hash(self) -> str | None:
        return self.account.passphrase_hash

    @property
    def owed(self) -> tuple[UUID, ...]:
        """The ids of the messages to ring for after the commit."""
        return tuple(UUID(str(row["id"])) for row in self.messages)

    def record(
        self, event: str, *, actor: Actor, now: datetime, from_state: CaseState | None = None, **facts: Fact
    ) -> None:
        """Adds a line to the history; without `from_state` the event changed no state."""
        came_from = (from_state or self.state) if self.seq else None
        line = write_line(self.head, Entry(self.id, self.seq + 1, event, came_from, self.state, actor, now), facts)
        self.seq, self.head = line.entry.seq, line.hash
        self.lines.append(line)

    def owe(
        self,
        kind: MessageKind,
        channel: Channel,
        contact_id: UUID,
        now: datetime,
        *,
        due_at: datetime | None = None,
        challenge_id: UUID | None = None,
    ) -> None:
        """Queues a message to a contact point of the account, to be sent now or at `due_at`."""
        about = {"case_id": self.id, "contact_id": contact_id, "challenge_id": challenge_id}
        self.messages.append(queued(kind, channel, now, due_at=due_at, **about))

    def owe_notices(self, kind: MessageKind, now: datetime) -> None:
        """Queues a notice to every contact point but the one that gets the code."""
        profile = self.account.profile(self.connection)
        for channel, contact in notice_ways(self.installation.policy, profile, self.carrier()):
            self.owe(kind, channel, contact.id, now)

    def owe_notice_to_carrier(self, kind: MessageKind, now: datetime) -> None:
        """Queues the notice to the contact point that gets the code, too."""
        profile = self.account.profile(self.connection)
        for channel, contact in notice_ways(self.installation.policy, profile, None):
            if contact.id == self.contact_id:
                self.owe(kind, channel, contact.id, now)

    def carrier(self) -> Contact | None:
        """The contact point that gets the code, if it is still a current one."""
        contacts = self.account.profile(self.connection).contacts
        return next((each for each in contacts if each.id == self.contact_id), None)

    def pin(self, channel: Channel, contact: Contact) -> None:
        """Makes this the contact point that the code goes to."""
        self.channel, self.contact_id, self.contact_version = channel, contact.id, contact.version
        self.contact_digest = contact_digest(self.installation, self.id, contact)

    def withdraw_code(self, now: datetime) -> None:
        """Ends the code that is out, if one is."""
        self.connection.execute(WITHDRAW, {"of_case": self.id, "now": now})

    def revoke_authenticators(self, now: datetime) -> None:
        """Revokes all of the account's factors, codes and visits. Until a new factor is enrolled nobody signs in."""
        revoke_all(self.connection, self.account.id, now)
        for statement in (_WITHDRAW_ACCOUNT_CODES, _END_VISITS, _END_GRANTS):
            self.connection.execute(statement, {"of_account": self.account.id, "now": now})
        self.account.status, self.account.wrong_in_a_row = AccountStatus.ENROLMENT_PENDING, 0
        self.account.refused_in_a_row, self.account.sign_in_waits_until = 0, None


def contact_digest(installation: Installation, case_id: UUID, contact: Contact) -> bytes:
    """What pins a contact point to a case: kind, version and value, so that a row changed by hand is noticed."""
    return installation.keyring.digest(*_pinned(case_id, contact), purpose="pinned contact")


def is_pinned(installation: Installation, case_id: UUID, digest: bytes, contact: Contact) -> bool:
    """Whether the contact point is still as it was when it was pinned."""
    return installation.keyring.digest_matches(digest, *_pinned(case_id, contact), purpose="pinned contact")


def _pinned(case_id: UUID, contact: Contact) -> tuple[bytes, ...]:
    return case_id.bytes, contact.kind.encode(), str(contact.version).encode(), value_of(contact.destination).encode()


@contextmanager
def locked(installation: Installation, connection: Connection, key: UUID | str) -> Iterator[Case]:
    """The case with this id or reference, locked; saved when the block ends. Raises `UnknownCase`."""
    statement: Select[*tuple[Any, ...]] = _LOCK_BY_ID if isinstance(key, UUID) else _LOCK_BY_REFERENCE
    row = connection.execute(statement, {"key": key}).one_or_none()
    if row is None:
        raise UnknownCase
    case = _case_of(installation, connection, row)
    seq_before, account_before = case.seq, case.account.changeable()
    yield case
    if case.seq != seq_before:
        _update(case, seq_before)
        _insert_owed(case)
    if case.account.changeable() != account_before:
        case.account.save(connection)


def insert_case(case: Case) -> None:
    """Writes a case that has just been opened, with its first line."""
    row = _columns(case) | {
        "id": case.id,
        "reference": case.reference,
        "account_id": case.account.id,
        "asked_through": case.asked_through,
        "opened_at": case.opened_at,
    }
    case.connection.execute(_INSERT_CASE, row)
    _insert_owed(case)


def _case_of(installation: Installation, connection: Connection, row: AnyRow) -> Case:
    return Case(
        installation,
        connection,
        LockedAccount.of(row),
        row.id,
        row.reference,
        row.asked_through,
        row.state,
        row.channel,
        row.contact_id,
        row.contact_version,
        row.contact_digest,
        row.least_hold_seconds,
        row.held_for,
        row.proof_set,
        row.remark,
        row.hold_until,
        row.wrong_tries,
        row.opened_at,
        row.expires_at,
        row.closed_at,
        row.seq,
        row.head,
        {proof.kind: proof.fresh_until for proof in connection.execute(_PROOFS, {"case_id": row.id})},
    )


def _columns(case: Case) -> dict[str, object]:
    return {
        "state": case.state,
        "channel": case.channel,
        "contact_id": case.contact_id,
        "contact_version": case.contact_version,
        "contact_digest": case.contact_digest,
        "least_hold_seconds": case.least_hold_seconds,
        "held_for": case.held_for,
        "proof_set": case.proof_set,
        "remark": case.remark,
        "hold_until": case.hold_until,
        "wrong_tries": case.wrong_tries,
        "expires_at": case.expires_at,
        "closed_at": case.closed_at,
        "seq": case.seq,
        "head": case.head,
    }


def _update(case: Case, seq_before: int) -> None:
    found = case.connection.execute(_SAVE, _columns(case) | {"case_id": case.id, "seq_before": seq_before})
    if found.rowcount != 1:
        raise Overtaken


def _insert_owed(case: Case) -> None:
    for statement, rows in (
        (_INSERT_EVENTS, [line.event_row() for line in case.lines]),
        (_INSERT_FACTS, [line.facts_row() for line in case.lines]),
        (_INSERT_CHALLENGES, case.challenges),
        (_INSERT_MESSAGES, case.messages),
    ):
        if rows:
            case.connection.execute(statement, rows if len(rows) > 1 else rows[0])
