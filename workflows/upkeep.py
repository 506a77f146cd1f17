"""What the schedule does: ring again for what is overdue, expire what is too old, complete what has waited long enough.

Each is safe to run twice, and on two machines at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, func, insert, literal, or_, select, text, update

from models.base import AnyRow, one_of
from models.cases import IS_OPEN, Actor, CaseEvent, CaseEventFacts, CaseState, ResetCase
from models.inbound import InboundMail, Verdict
from models.messages import DeliveryReceipt, Message, MessageStatus
from workflows import recalling, retention
from workflows.cases import WITHDRAW, locked
from workflows.history import Entry, Line, write_line
from workflows.installation import Installation
from workflows.machine import Refused, fire, sources_of

BATCH = 500
"""Rows that one transaction takes: enough to be quick, few enough to keep nobody waiting."""

LATE = timedelta(minutes=2)
"""A message that is due for longer has nobody who sends it."""

# So many relays later, what was rung for and is still due has lost its doorbell.
_PATIENCE = 5

# Written into the SQL, not bound: a database proves that a partial index fits only from a literal.
_QUEUED = Message.status == literal(MessageStatus.QUEUED, literal_execute=True)
_CLAIMED = Message.status == literal(MessageStatus.CLAIMED, literal_execute=True)
_UNJUDGED = InboundMail.verdict == literal(Verdict.RECEIVED, literal_execute=True)
_MAY_EXPIRE = text(one_of("state", sources_of("expire")))

_DUE_MESSAGES = (
    select(Message.id)
    .where(
        or_(
            and_(_QUEUED, Message.due_at <= bindparam("now")),
            and_(_CLAIMED, Message.leased_until <= bindparam("now")),
        ),
        or_(Message.rung_at.is_(None), Message.rung_at <= bindparam("rung_before")),
    )
    .order_by(Message.due_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_RING_MESSAGES = (
    update(Message).where(Message.id.in_(_DUE_MESSAGES)).values(rung_at=bindparam("now")).returning(Message.id)
)
_LATE = select(func.count()).select_from(Message).where(_QUEUED, Message.due_at <= bindparam("since"))
_DUE_MAILS = (
    select(InboundMail.id)
    .where(_UNJUDGED, or_(InboundMail.rung_at.is_(None), InboundMail.rung_at <= bindparam("rung_before")))
    .order_by(InboundMail.received_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_RING_MAILS = (
    update(InboundMail).where(InboundMail.id.in_(_DUE_MAILS)).values(rung_at=bindparam("now")).returning(InboundMail.id)
)
_DUE_RECEIPTS = (
    select(DeliveryReceipt.id)
    .where(
        DeliveryReceipt.settled_at.is_(None),
        or_(DeliveryReceipt.rung_at.is_(None), DeliveryReceipt.rung_at <= bindparam("rung_before")),
    )
    .order_by(DeliveryReceipt.received_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_RING_RECEIPTS = (
    update(DeliveryReceipt)
    .where(DeliveryReceipt.id.in_(_DUE_RECEIPTS))
    .values(rung_at=bindparam("now"))
    .returning(DeliveryReceipt.id)
)
_DUE_RECALLS = (
    select(Message.id)
    .join(ResetCase, ResetCase.id == Message.case_id)
    .where(recalling.IS_DUE, or_(Message.rung_at.is_(None), Message.rung_at <= bindparam("rung_before")))
    .limit(BATCH)
    .with_for_update(of=Message, skip_locked=True)
)
_RING_RECALLS = (
    update(Message).where(Message.id.in_(_DUE_RECALLS)).values(rung_at=bindparam("now")).returning(Message.id)
)
_TOO_OLD = (
    select(ResetCase.id, ResetCase.state, ResetCase.seq, ResetCase.head)
    .where(_MAY_EXPIRE, ResetCase.expires_at <= bindparam("now"))
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_EXPIRE = (
    update(ResetCase)
    .where(ResetCase.id == bindparam("of"))
    .values(state=CaseState.EXPIRED, closed_at=bindparam("now"), seq=bindparam("new_seq"), head=bindparam("new_head"))
)
_HOLD_OVER = (
    select(ResetCase.id)
    .where(
        IS_OPEN,
        ResetCase.held_for.is_(None),
        ResetCase.hold_until <= bindparam("now"),
        ResetCase.expires_at > bindparam("now"),
    )
    .limit(BATCH)
)


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has to be rung for again."""

    messages: tuple[UUID, ...]
    mails: tuple[UUID, ...]
    receipts: tuple[UUID, ...]
    recalls: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did. Ring for `owed`."""

    expired: int
    completed: int
    erased: int
    owed: tuple[UUID, ...]


def overdue(installation: Installation, now: datetime) -> Overdue:
    """What is due and was not rung for lately; it counts as rung for now. At most `BATCH` of each kind.

    Messages past their time or their lease, mails nobody has judged, vendors' words nobody has settled, and letters of
    closed cases that have not left yet.
    """
    patience = timedelta(seconds=_PATIENCE * installation.settings.relay_seconds)
    times = {"now": now, "rung_before": now - patience}
    with installation.database.begin() as connection:
        messages = connection.execute(_RING_MESSAGES, times).scalars().all()
        mails = connection.execute(_RING_MAILS, times).scalars().all()
        receipts = connection.execute(_RING_RECEIPTS, times).scalars().all()
        recalls = connection.execute(_RING_RECALLS, times).scalars().all()
    return Overdue(tuple(messages), tuple(mails), tuple(receipts), tuple(recalls))


def count_late(installation: Installation, since: datetime) -> int:
    """How many messages should have gone before `since`."""
    with installation.database.read() as connection:
        return connection.execute(_LATE, {"since": since}).scalar_one()


def sweep(installation: Installation, now: datetime) -> Swept:
    """Expires and completes all that is due now, and erases what was kept for long enough."""
    expired = 0
    while batch := _expire_batch(installation, now):
        expired += batch
    completed, owed = _complete_due(installation, now)
    retention.forget_visits(installation, now)
    return Swept(expired, completed, retention.erase_mails(installation, now), owed)


def _expire_batch(installation: Installation, now: datetime) -> int:
    with installation.database.begin() as connection:
        rows = connection.execute(_TOO_OLD, {"now": now}).all()
        if rows:
            _expire(connection, [_expiry_line(row, now) for row in rows], now)
    return len(rows)


def _expiry_line(row: AnyRow, now: datetime) -> Line:
    entry = Entry(row.id, row.seq + 1, "expire", row.state, CaseState.EXPIRED, Actor.SYSTEM, now)
    return write_line(row.head, entry, {})


def _expire(connection: Connection, lines: list[Line], now: datetime) -> None:
    connection.execute(
        _EXPIRE,
        [{"of": line.entry.case_id, "now": now, "new_seq": line.entry.seq, "new_head": line.hash} for line in lines],
    )
    connection.execute(WITHDRAW, [{"of_case": line.entry.case_id, "now": now} for line in lines])
    connection.execute(insert(CaseEvent), [line.event_row() for line in lines])
    connection.execute(insert(CaseEventFacts), [line.facts_row() for line in lines])


def _complete_due(installation: Installation, now: datetime) -> tuple[int, tuple[UUID, ...]]:
    done: list[tuple[UUID, ...]] = []
    complete = partial(_complete, installation, now)
    while batch := [owed for owed in map(complete, _due(installation, now)) if owed is not None]:
        done += batch
    return len(done), tuple(id_ for owed in done for id_ in owed)


def _due(installation: Installation, now: datetime) -> Sequence[UUID]:
    with installation.database.read() as connection:
        return connection.execute(_HOLD_OVER, {"now": now}).scalars().all()


def _complete(installation: Installation, now: datetime, case_id: UUID) -> tuple[UUID, ...] | None:
    """The messages owed; None where somebody else was first."""
    try:
        with installation.database.begin() as connection, locked(installation, connection, case_id) as case:
            fire(case, "complete", actor=Actor.SYSTEM, now=now)
            return case.owed
    except Refused:
        return None
