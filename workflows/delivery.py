"""Sending one message: claim its row, say what to send and where, and record what became of it.

Between `claim` and `record_…` no transaction is open, and the caller talks to the vendor. A worker that dies there
leaves a claimed row; when its lease has run out the row is claimed again, and the attempt that never ended is `lost`,
which means that the message may have gone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import SystemRandom
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, update

from models.base import AnyRow
from models.cases import CaseState, Challenge, HeldFor
from models.messages import Attempt, Message, MessageStatus, Outcome
from policy.routing import NotAllowed
from policy.vocabulary import MessageKind
from workflows import codes
from workflows.cases import locked
from workflows.installation import Installation
from workflows.parcels import GIVE_UP_AFTER, ContactChanged, Obsolete, Parcel, lock_due, pack

_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=5)
# A vendor may say more; a code would not live to see it.
_LONGEST_RETRY_AFTER = timedelta(hours=1)
_FAILED: Mapping[str, object] = {"status": MessageStatus.FAILED}

_CLAIM = update(Message).where(Message.id == bindparam("of")).values(status=MessageStatus.CLAIMED)
_TAKE = (
    update(Challenge)
    .where(Challenge.id == bindparam("of"), Challenge.taken_at.is_(None))
    .values(taken_at=bindparam("at"))
)
_SETTLE = update(Message).where(
    Message.id == bindparam("of"),
    Message.status == MessageStatus.CLAIMED,
    # A worker whose lease ran out, and whose message another one has claimed since, changes nothing.
    Message.attempts == bindparam("attempt"),
)
_DROP = update(Message).where(Message.id == bindparam("of"))
_TRIED = insert(Attempt)
_TRIED_AFTER_ALL = update(Attempt).where(Attempt.message_id == bindparam("of"), Attempt.number == bindparam("attempt"))


def claim(installation: Installation, message_id: UUID, now: datetime) -> Parcel | None:
    """Takes the message for one attempt; None where it is not due, is with another worker, or must not be sent."""
    with installation.database.begin() as connection:
        row = lock_due(connection, message_id, now)
        if row is None:
            return None
        parcel = _packed(installation, connection, row, now)
        if row.status is MessageStatus.CLAIMED:
            _note_lost(connection, row, now)
        if parcel is not None:
            lease = timedelta(seconds=installation.settings.lease_seconds)
            claimed = {"attempts": parcel.attempt, "claimed_at": now, "leased_until": now + lease}
            connection.execute(_CLAIM, {"of": message_id} | claimed)
        return parcel


def record_sent(installation: Installation, parcel: Parcel, provider: str, provider_id: str, now: datetime) -> None:
    """The vendor took the message: the code's life counts from this attempt, if from no earlier one."""
    sent = {"status": MessageStatus.SENT, "sent_at": now, "provider": provider, "provider_id": provider_id[:200]}
    with installation.database.begin() as connection:
        _settle(connection, parcel, sent, Outcome.SENT, None, now)
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
    wait = min(retry_after or _wait(parcel.attempt, outcome), _LONGEST_RETRY_AFTER)
    after = _FAILED if outcome is Outcome.REJECTED else _later(parcel, now + wait)
    with installation.database.begin() as connection:
        mine = _settle(connection, parcel, after, outcome, code, now)
        if outcome is Outcome.UNKNOWN:
            _note_taken(connection, parcel.challenge_id, parcel.started_at)
        if outcome is Outcome.REJECTED and mine:
            return _reroute(installation, connection, parcel, now)
        return ()


def _packed(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel | None:
    try:
        return pack(installation, connection, row, now)
    except Obsolete:
        connection.execute(_DROP, {"of": row.id, "status": MessageStatus.CANCELLED})
    except ContactChanged:
        _refuse(installation, connection, row, HeldFor.CONTACT_CHANGED, "the contact point has changed", now)
    except NotAllowed as reason:
        _refuse(installation, connection, row, HeldFor.NOT_ALLOWED, str(reason), now)
    return None


def _note_lost(connection: Connection, row: AnyRow, now: datetime) -> None:
    lost = {"message_id": row.id, "number": row.attempts, "started_at": row.claimed_at, "finished_at": now}
    connection.execute(_TRIED, lost | {"outcome": Outcome.LOST, "code": None})
    _note_taken(connection, row.challenge_id, row.claimed_at)


def _note_taken(connection: Connection, challenge_id: UUID | None, at: datetime) -> None:
    if challenge_id is not None:
        connection.execute(_TAKE, {"of": challenge_id, "at": at})


def _settle(
    connection: Connection,
    parcel: Parcel,
    after: Mapping[str, object],
    outcome: Outcome,
    code: str | None,
    now: datetime,
) -> bool:
    """Writes how the attempt ended; False where another worker has claimed the message since, and decides now."""
    key = {"of": parcel.message_id, "attempt": parcel.attempt}
    ended = {"finished_at": now, "outcome": outcome, "code": code}
    if connection.execute(_SETTLE, {**key, "leased_until": None, **after}).rowcount == 0:
        connection.execute(_TRIED_AFTER_ALL, key | ended)
        return False
    tried = {"message_id": parcel.message_id, "number": parcel.attempt, "started_at": parcel.started_at}
    connection.execute(_TRIED, tried | ended)
    return True


def _refuse(
    installation: Installation, connection: Connection, row: AnyRow, why: HeldFor, reason: str, now: datetime
) -> None:
    connection.execute(_DROP, {"of": row.id, "status": MessageStatus.FAILED})
    if row.kind is MessageKind.RESET_CODE:
        with locked(installation, connection, row.case_id) as case:
            codes.hold(case, why, now, reason)


def _reroute(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> tuple[UUID, ...]:
    if parcel.case_id is None or parcel.kind is not MessageKind.RESET_CODE:
        return ()
    with locked(installation, connection, parcel.case_id) as case:
        awaited = case.state is CaseState.REQUESTED and now < case.expires_at and not case.held_for
        if awaited and case.channel is parcel.channel:
            codes.send_to_backup(case, now)
        return case.owed


def _later(parcel: Parcel, due_at: datetime) -> Mapping[str, object]:
    # A code is tried until its case closes; then its message is obsolete.
    if parcel.kind is not MessageKind.RESET_CODE and due_at > parcel.created_at + GIVE_UP_AFTER:
        return _FAILED
    return {"status": MessageStatus.QUEUED, "due_at": due_at, "rung_at": None}


def _wait(attempt: int, outcome: Outcome) -> timedelta:
    """Doubles with each attempt, with jitter, so that messages which failed together do not come back together."""
    if outcome is Outcome.MISCONFIGURED:
        return _LONGEST_WAIT
    longest = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT)
    return longest * SystemRandom().uniform(0.5, 1)
