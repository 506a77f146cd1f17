"""Sending one message: claim its row, say what to send and where, and record what became of it.

Between `claim` and `record_…` no transaction is open, and the caller talks to the vendor. A worker that dies there
leaves a claimed row; when its lease has run out the row is claimed again, and the attempt that never ended is `lost`,
which means that the message may have gone.
"""

from datetime import datetime, timedelta
from random import SystemRandom
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, insert, or_, update

from models.base import AnyRow
from models.cases import CaseState, Challenge, HeldFor
from models.messages import Attempt, Message, MessageStatus, Outcome
from policy.routing import NotAllowed
from policy.vocabulary import MessageKind
from workflows import codes
from workflows.cases import locked
from workflows.installation import Installation
from workflows.parcels import GIVE_UP_AFTER, ContactChanged, Obsolete, Parcel, pack

_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=5)

_CLAIM = (
    update(Message)
    .where(
        Message.id == bindparam("message_id"),
        or_(
            and_(Message.status == MessageStatus.QUEUED, Message.due_at <= bindparam("now")),
            and_(Message.status == MessageStatus.CLAIMED, Message.leased_until <= bindparam("now")),
        ),
    )
    .values(status=MessageStatus.CLAIMED, attempts=Message.attempts + 1, leased_until=bindparam("lease"))
    .returning(
        Message.id,
        Message.kind,
        Message.channel,
        Message.case_id,
        Message.contact_id,
        Message.challenge_id,
        Message.inbound_mail_id,
        Message.created_at,
        Message.attempts,
    )
)
_LOSE = (
    update(Attempt)
    .where(Attempt.message_id == bindparam("of"), Attempt.outcome.is_(None))
    .values(outcome=Outcome.LOST, finished_at=bindparam("now"))
    .returning(Attempt.started_at)
)
_TAKE = (
    update(Challenge)
    .where(Challenge.id == bindparam("of"), Challenge.taken_at.is_(None))
    .values(taken_at=bindparam("at"))
)
_MINE = and_(
    Message.id == bindparam("of"),
    Message.status == MessageStatus.CLAIMED,
    # A worker whose lease ran out, and whose message another one has claimed since, changes nothing.
    Message.attempts == bindparam("attempt"),
)
_SENT = update(Message).where(_MINE)
_END = update(Message).where(_MINE).values(status=bindparam("end"), leased_until=None)
_LATER = (
    update(Message)
    .where(_MINE)
    .values(status=MessageStatus.QUEUED, due_at=bindparam("due"), leased_until=None, rung_at=None)
)
_FINISH = update(Attempt).where(Attempt.message_id == bindparam("of"), Attempt.number == bindparam("attempt"))


def claim(installation: Installation, message_id: UUID, now: datetime) -> Parcel | None:
    """Takes the message for one attempt; None where it is not due, is with another worker, or must not be sent."""
    lease = now + timedelta(seconds=installation.settings.lease_seconds)
    with installation.database.begin() as connection:
        row = connection.execute(_CLAIM, {"message_id": message_id, "now": now, "lease": lease}).one_or_none()
        if row is None:
            return None
        if row.attempts > 1:
            _note_lost(connection, row, now)
        parcel = _packed(installation, connection, row, now)
        if parcel is not None:
            connection.execute(insert(Attempt), {"message_id": message_id, "number": row.attempts, "started_at": now})
        return parcel


def record_sent(installation: Installation, parcel: Parcel, provider: str, provider_id: str, now: datetime) -> None:
    """The vendor took the message: the code's life counts from this attempt, if from no earlier one."""
    with installation.database.begin() as connection:
        connection.execute(
            _SENT,
            {
                "of": parcel.message_id,
                "attempt": parcel.attempt,
                "status": MessageStatus.SENT,
                "sent_at": now,
                "leased_until": None,
                "provider": provider,
                "provider_id": provider_id,
            },
        )
        _finish(connection, parcel, Outcome.SENT, None, now)
        _note_taken(connection, parcel.challenge_id, parcel.started_at)


def record_failed(
    installation: Installation,
    parcel: Parcel,
    outcome: Outcome,
    code: str,
    now: datetime,
    retry_after: timedelta | None = None,
) -> tuple[UUID, ...]:
    """The attempt failed; queues the message again, or the code over the backup channel. Answers with what to ring."""
    with installation.database.begin() as connection:
        _finish(connection, parcel, outcome, code, now)
        if outcome is Outcome.UNKNOWN:
            _note_taken(connection, parcel.challenge_id, parcel.started_at)
        if outcome is Outcome.REJECTED:
            return _reroute(installation, connection, parcel, now)
        _try_later(connection, parcel, now, retry_after or _wait(parcel.attempt, outcome))
        return ()


def _packed(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel | None:
    try:
        return pack(installation, connection, row, now)
    except Obsolete:
        _end(connection, row.id, row.attempts, MessageStatus.CANCELLED)
    except ContactChanged:
        _refuse(installation, connection, row, HeldFor.CONTACT_CHANGED, "the contact point has changed", now)
    except NotAllowed as reason:
        _refuse(installation, connection, row, HeldFor.NOT_ALLOWED, str(reason), now)
    return None


def _note_lost(connection: Connection, row: AnyRow, now: datetime) -> None:
    for lost in connection.execute(_LOSE, {"of": row.id, "now": now}).all():
        _note_taken(connection, row.challenge_id, lost.started_at)


def _note_taken(connection: Connection, challenge_id: UUID | None, at: datetime) -> None:
    if challenge_id is not None:
        connection.execute(_TAKE, {"of": challenge_id, "at": at})


def _finish(connection: Connection, parcel: Parcel, outcome: Outcome, code: str | None, now: datetime) -> None:
    key = {"of": parcel.message_id, "attempt": parcel.attempt}
    connection.execute(_FINISH, key | {"outcome": outcome, "code": code, "finished_at": now})


def _end(connection: Connection, message_id: UUID, attempt: int, end: MessageStatus) -> None:
    connection.execute(_END, {"of": message_id, "attempt": attempt, "end": end})


def _refuse(
    installation: Installation, connection: Connection, row: AnyRow, why: HeldFor, reason: str, now: datetime
) -> None:
    _end(connection, row.id, row.attempts, MessageStatus.FAILED)
    if row.kind is MessageKind.RESET_CODE:
        with locked(installation, connection, row.case_id) as case:
            codes.hold(case, why, now, reason)


def _reroute(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> tuple[UUID, ...]:
    _end(connection, parcel.message_id, parcel.attempt, MessageStatus.FAILED)
    if parcel.case_id is None or parcel.kind is not MessageKind.RESET_CODE:
        return ()
    with locked(installation, connection, parcel.case_id) as case:
        if case.state is CaseState.REQUESTED and case.channel is parcel.channel:
            codes.send_to_backup(case, now)
        return case.owed


def _try_later(connection: Connection, parcel: Parcel, now: datetime, wait: timedelta) -> None:
    # A code is tried until its case closes; then its message is obsolete.
    if parcel.kind is not MessageKind.RESET_CODE and now + wait > parcel.created_at + GIVE_UP_AFTER:
        _end(connection, parcel.message_id, parcel.attempt, MessageStatus.FAILED)
    else:
        connection.execute(_LATER, {"of": parcel.message_id, "attempt": parcel.attempt, "due": now + wait})


def _wait(attempt: int, outcome: Outcome) -> timedelta:
    """Doubles with each attempt, with jitter, so that messages which failed together do not come back together."""
    if outcome is Outcome.MISCONFIGURED:
        return _LONGEST_WAIT
    longest = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT)
    return longest * SystemRandom().uniform(0.5, 1)
