"""What vendors say later about a message: stored once, then settled. A message's delivery never moves backwards.

A word counts only for the try that it is about: the vendor's id has to be the message's newest. Repeats, and words in
the wrong order, change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base import AnyRow, new_id
from models.cases import Actor, CaseState
from models.messages import Attempt, Delivery, DeliveryReceipt, Message, MessageStatus, Outcome
from policy.vocabulary import Fate, MessageKind
from workflows import breaker, codes
from workflows.cases import Case, locked
from workflows.installation import Installation

_INSERT = insert(DeliveryReceipt)
_UNSETTLED = (
    select(DeliveryReceipt)
    .where(DeliveryReceipt.id == bindparam("receipt_id"), DeliveryReceipt.settled_at.is_(None))
    .with_for_update(skip_locked=True)
)
_SETTLE = update(DeliveryReceipt).where(DeliveryReceipt.id == bindparam("of")).values(settled_at=bindparam("now"))
_MESSAGE = select(
    Message.id,
    Message.kind,
    Message.channel,
    Message.status,
    Message.case_id,
    Message.provider,
    Message.provider_id,
    Message.in_doubt_since,
    Message.delivery,
).with_for_update()
_BY_ID = _MESSAGE.where(Message.id == bindparam("message_id"))
_BY_VENDORS_ID = _MESSAGE.where(Message.provider == bindparam("vendor"), Message.provider_id == bindparam("vendor_id"))
_EARLIER_TRY = select(Attempt.number).where(
    Attempt.message_id == bindparam("message_id"), Attempt.provider_id == bindparam("vendor_id")
)
_MARK = update(Message).where(Message.id == bindparam("of")).values(delivery=bindparam("to"))
_ADOPT = (
    update(Message)
    .where(Message.id == bindparam("of"))
    .values(
        status=MessageStatus.SENT,
        sent_at=bindparam("now"),
        provider=bindparam("vendor"),
        provider_id=bindparam("vendor_id"),
        in_doubt_since=None,
    )
)
# The newest of the tries that may have gone; that it went is known by the word alone.
_ADOPT_TRY = (
    update(Attempt)
    .where(
        Attempt.message_id == bindparam("of"),
        Attempt.number
        == select(func.max(Attempt.number))
        .where(
            Attempt.message_id == bindparam("of"),
            Attempt.outcome.in_([Outcome.UNKNOWN, Outcome.LOST, Outcome.SENT]),
            Attempt.provider_id.is_(None),
        )
        .scalar_subquery(),
    )
    .values(outcome=Outcome.SENT, provider_id=bindparam("vendor_id"))
)
# Another message that was in doubt may have found this one's.
_TAKE_FROM_FINDER = (
    update(Message)
    .where(Message.provider == bindparam("vendor"), Message.provider_id == bindparam("vendor_id"))
    .values(provider_id=None)
)
_AGAIN = (
    update(Message)
    .where(Message.id == bindparam("of"))
    .values(status=MessageStatus.QUEUED, due_at=bindparam("at"), rung_at=None, delivery=None, provider_id=None)
)
_TIMES_SENT = (
    select(func.count())
    .select_from(Attempt)
    .where(Attempt.message_id == bindparam("message_id"), Attempt.outcome == Outcome.SENT)
)

_RANK = MappingProxyType({None: 0, Delivery.UNDER_WAY: 1, Delivery.DELIVERED: 2, Delivery.FAILED: 3})
_DELIVERY = MappingProxyType({Fate.UNDER_WAY: Delivery.UNDER_WAY, Fate.DELIVERED: Delivery.DELIVERED})


@dataclass(frozen=True, slots=True)
class _Repeat:
    """How often a message is handed to the vendor in all when it fails in this way, and after what wait."""

    times: int
    wait: timedelta


_REPEATS: Mapping[Fate, _Repeat] = MappingProxyType(
    {
        Fate.AGAIN: _Repeat(2, timedelta(seconds=30)),
        Fate.EXPIRED: _Repeat(2, timedelta()),
        Fate.UNANSWERED: _Repeat(3, timedelta(minutes=1)),
        Fate.OURS: _Repeat(3, timedelta(minutes=1)),
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """One word of a vendor; `event_id` is the vendor's own. `word`, a short one, and `said_at` are for the history."""

    vendor: str
    event_id: str
    message_id: UUID | None
    provider_id: str
    fate: Fate
    word: str
    said_at: datetime | None


def take(installation: Installation, words: Sequence[Said], now: datetime) -> tuple[UUID, ...]:
    """Stores each word once, and answers with the new ones' ids. Ring for them after."""
    with installation.database.begin() as connection:
        ids = [store(connection, said, now) for said in words]
    return tuple(stored for stored in ids if stored is not None)


def settle(installation: Installation, receipt_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """Does what the word means for its message, once; answers with the messages to ring for.

    While the message is with a worker the word waits: the relay rings again.
    """
    with installation.database.begin() as connection:
        receipt = connection.execute(_UNSETTLED, {"receipt_id": receipt_id}).one_or_none()
        if receipt is None:
            return ()
        message = _message_of(connection, receipt)
        if message is not None and message.status is MessageStatus.CLAIMED:
            return ()
        connection.execute(_SETTLE, {"of": receipt_id, "now": now})
        return _apply(installation, connection, message, receipt, now) if message else ()


def store(connection: Connection, said: Said, now: datetime) -> UUID | None:
    """Stores the word within the transaction of whoever heard it; None where it was stored before."""
    receipt_id = new_id()
    row = {
        "id": receipt_id,
        "vendor": said.vendor,
        "event_id": said.event_id,
        "message_id": said.message_id,
        "provider_id": said.provider_id,
        "fate": said.fate,
        "word": said.word,
        "said_at": said.said_at,
        "received_at": now,
        "rung_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(_INSERT, row)
    except IntegrityError:
        return None
    return receipt_id


def _message_of(connection: Connection, receipt: AnyRow) -> AnyRow | None:
    """The message that the word is about; None where it is of an earlier try, or of nobody here."""
    key = {"message_id": receipt.message_id, "vendor": receipt.vendor, "vendor_id": receipt.provider_id}
    row = connection.execute(_BY_ID, key).one_or_none() if receipt.message_id else None
    if row is not None and (row.status is MessageStatus.CLAIMED or _is_news(row)):
        of_earlier_try = connection.execute(_EARLIER_TRY, key).first() is not None
        return None if of_earlier_try else row
    # Whoever holds the vendor's id is meant, whatever the vendor was given to remember.
    return connection.execute(_BY_VENDORS_ID, key).one_or_none()


def _is_news(row: AnyRow) -> bool:
    """Whether the word itself tells that the vendor has the message, or by which id.

    The message was in doubt, or given up in doubt, or it ended as sent without an id of its own.
    """
    if row.status is MessageStatus.SENT:
        return row.provider_id is None
    return row.in_doubt_since is not None and row.status in {MessageStatus.QUEUED, MessageStatus.FAILED}


def _apply(
    installation: Installation, connection: Connection, message: AnyRow, receipt: AnyRow, now: datetime
) -> tuple[UUID, ...]:
    if _is_news(message):
        key = {"of": message.id, "now": now, "vendor": receipt.vendor, "vendor_id": receipt.provider_id}
        for statement in (_TAKE_FROM_FINDER, _ADOPT, _ADOPT_TRY):
            connection.execute(statement, key)
    after = _DELIVERY.get(receipt.fate, Delivery.FAILED)
    if _RANK[after] <= _RANK[message.delivery]:
        return ()
    connection.execute(_MARK, {"of": message.id, "to": after})
    if receipt.fate is Fate.OURS:
        breaker.trip(connection, message.channel, receipt.word, now)
    if after is not Delivery.FAILED:
        return ()
    return _fail(installation, connection, message, receipt, now)


def _fail(
    installation: Installation, connection: Connection, message: AnyRow, receipt: AnyRow, now: datetime
) -> tuple[UUID, ...]:
    repeat = _REPEATS.get(receipt.fate)
    times = connection.execute(_TIMES_SENT, {"message_id": message.id}).scalar_one()
    again = repeat is not None and times < repeat.times
    if repeat is not None and again:
        connection.execute(_AGAIN, {"of": message.id, "at": now + repeat.wait})
    if message.case_id is None:
        return ()
    with locked(installation, connection, message.case_id) as case:
        facts = {"channel": message.channel, "what": message.kind, "word": receipt.word, "again": again}
        # A vendor may repeat a word for days until we hear it.
        said_at = receipt.said_at.isoformat() if receipt.said_at else None
        case.record("undelivered", actor=Actor.SYSTEM, now=now, said_at=said_at, **facts)
        if not again and receipt.fate is not Fate.UNANSWERED and _is_awaited(case, message, now):
            codes.send_to_backup(case, now)
        return case.owed


def _is_awaited(case: Case, message: AnyRow, now: datetime) -> bool:
    """Whether the case waits for the code that did not arrive."""
    waits = case.state is CaseState.REQUESTED and now < case.expires_at and not case.held_for
    return waits and message.kind is MessageKind.RESET_CODE and message.channel is case.channel
