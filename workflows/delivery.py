"""Sending one message: claim its row, say what to send and where, and record what became of it.

A message waits, and is not claimed, while its channel is stopped or its destination has had enough.

Between `claim` and `record_…` no transaction is open, and the caller talks to the vendor. A worker that dies there
leaves a claimed row; when its lease has run out the row is claimed again, and the attempt that never ended is `lost`,
which means that the message may have gone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from random import SystemRandom
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, update
from sqlalchemy.exc import IntegrityError

from models.accounts import ContactPoint
from models.base import AnyRow
from models.cases import Actor, CaseState, Challenge, HeldFor
from models.messages import Attempt, Message, MessageStatus, Outcome
from policy.routing import NotAllowed, RegionForbids, Unsuitable
from policy.vocabulary import Channel, Finding, MessageKind
from workflows import breaker, codes, crowding
from workflows.cases import Case, locked
from workflows.installation import Installation
from workflows.parcels import (
    GIVE_UP_AFTER,
    ContactChanged,
    Obsolete,
    Parcel,
    in_doubt_since,
    lock_due,
    pack,
    point_to,
)

_FIRST_WAIT = timedelta(seconds=2)
# After an attempt that may have gone: time for the vendor to list it, or to tell of it.
_FIRST_WAIT_IN_DOUBT = timedelta(seconds=15)
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
_POSTPONE = (
    update(Message)
    .where(Message.id == bindparam("of"))
    .values(status=MessageStatus.QUEUED, leased_until=None, rung_at=None)
)
_FIND = update(ContactPoint).where(ContactPoint.id == bindparam("of")).values(finding=bindparam("found"))
_DROP = update(Message).where(Message.id == bindparam("of"))
_TRIED = insert(Attempt)
_TRIED_AFTER_ALL = update(Attempt).where(Attempt.message_id == bindparam("of"), Attempt.number == bindparam("attempt"))


class Then(StrEnum):
    """What follows a failed attempt."""

    AGAIN = "again"
    ANEW = "anew"  # the vendor has never had it: with a new code
    ELSEWHERE = "elsewhere"  # over the backup channel, or a supervisor decides
    UNASKED = "unasked"  # the same, and no vendor was asked, so that it says nothing of the channel
    NOTHING = "nothing"  # nobody can tell whether it went


_FOLLOWS = MappingProxyType({Outcome.REJECTED: Then.ELSEWHERE})


def claim(installation: Installation, message_id: UUID, now: datetime) -> Parcel | None:
    """Takes the message for one attempt; None where it is with another worker, has to wait, or must not be sent."""
    with installation.database.begin() as connection:
        row = lock_due(connection, message_id, now)
        if row is None:
            return None
        until = breaker.wait_for(row, now) or crowding.wait_for(installation, connection, row, now)
        parcel = None if until else _packed(installation, connection, row, now)
        if row.status is MessageStatus.CLAIMED:
            _note_lost(connection, row, now)
        in_doubt = in_doubt_since(row) is not None
        if parcel and (until := breaker.take_probe(connection, row, now, in_doubt=in_doubt)) is None:
            _take(installation, connection, parcel, now)
            return parcel
        if until:
            _postpone(connection, row, until)
        return None


def record_finding(
    installation: Installation, parcel: Parcel, finding: Finding, now: datetime
) -> tuple[UUID, ...] | None:
    """Keeps what a vendor found out about the contact point; None where the message may go there.

    Otherwise it goes no further, the code takes the backup channel, and this answers with what to ring.
    """
    with installation.database.begin() as connection:
        connection.execute(_FIND, {"of": parcel.contact_id, "found": finding})
        if finding not in installation.policy.channels[parcel.channel].refuses:
            return None
        mine = _settle(connection, parcel, _FAILED, Outcome.REJECTED, f"found_{finding}", now)
        return _reroute(installation, connection, parcel, now) if mine else ()


def record_sent(installation: Installation, parcel: Parcel, provider: str, provider_id: str, now: datetime) -> None:
    """The vendor took the message: the code's life counts from this attempt, if from no earlier one.

    Two that looked for theirs at once may have found the same one. Then a call looks again: that one rang for somebody
    else, or for another code. Anything else has reached its recipient, and ends without an id of its own.
    """
    provider_id = provider_id[:200]
    try:
        _write_sent(installation, parcel, provider, provider_id, now)
    except IntegrityError:
        # An id that was known was not looked up: the vendor gave it to this very call.
        if parcel.channel is Channel.VOICE and parcel.in_doubt_since and provider_id not in parcel.known_ids:
            _look_again(installation, parcel, now)
        else:
            _write_sent(installation, parcel, provider, None, now)


def _write_sent(
    installation: Installation, parcel: Parcel, provider: str, provider_id: str | None, now: datetime
) -> None:
    sent = {
        "status": MessageStatus.SENT,
        "sent_at": now,
        "provider": provider,
        "provider_id": provider_id,
        "in_doubt_since": None,
    }
    with installation.database.begin() as connection:
        _settle(connection, parcel, sent, Outcome.SENT, None, now, provider_id)
        _note_taken(connection, parcel.challenge_id, parcel.started_at)
        if parcel.in_trouble:
            breaker.start(connection, parcel.channel)


def _look_again(installation: Installation, parcel: Parcel, now: datetime) -> None:
    with installation.database.begin() as connection:
        after = _later(parcel, now + _FIRST_WAIT)
        _settle(connection, parcel, after, Outcome.NOT_SENT, "another_call_was_found", now)


def record_failed(
    installation: Installation,
    parcel: Parcel,
    outcome: Outcome,
    code: str,
    now: datetime,
    retry_after: timedelta | None = None,
    then: Then | None = None,
) -> tuple[UUID, ...]:
    """The attempt failed; does what follows, which the outcome says by itself, and answers with what to ring."""
    then = then or _FOLLOWS.get(outcome, Then.AGAIN)
    with installation.database.begin() as connection:
        after = _after(parcel, outcome, then, now, retry_after)
        mine = _settle(connection, parcel, after, outcome, code, now)
        if outcome is Outcome.UNKNOWN:
            _note_taken(connection, parcel.challenge_id, parcel.started_at)
        breaker.note(connection, parcel.channel, outcome, code, now)
        if then is Then.ELSEWHERE and parcel.in_trouble:
            breaker.start(connection, parcel.channel)
        return _follow(installation, connection, parcel, then, now) if mine else ()


def _after(
    parcel: Parcel, outcome: Outcome, then: Then, now: datetime, retry_after: timedelta | None
) -> Mapping[str, object]:
    if then in {Then.ELSEWHERE, Then.UNASKED, Then.NOTHING}:
        return _FAILED
    wait = min(retry_after or _wait(parcel.attempt, outcome), _LONGEST_RETRY_AFTER)
    after = _later(parcel, now + wait)
    if then is Then.ANEW:
        return {**after, "in_doubt_since": None, "leaves_at": None}
    if outcome is Outcome.UNKNOWN:
        return {**after, "in_doubt_since": parcel.in_doubt_since or parcel.started_at}
    return after


def _follow(
    installation: Installation, connection: Connection, parcel: Parcel, then: Then, now: datetime
) -> tuple[UUID, ...]:
    match then:
        case Then.ELSEWHERE | Then.UNASKED:
            return _reroute(installation, connection, parcel, now)
        case Then.ANEW:
            _renew(installation, connection, parcel, now)
        case Then.NOTHING:
            _leave_in_doubt(installation, connection, parcel, now)
        case Then.AGAIN:
            pass
    return ()


def _postpone(connection: Connection, row: AnyRow, until: datetime) -> None:
    # With jitter, so that what waited together does not come back together.
    due_at = until + timedelta(seconds=SystemRandom().uniform(0, 2))
    connection.execute(_POSTPONE, {"of": row.id, "due_at": due_at, "in_doubt_since": in_doubt_since(row)})


def _take(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> None:
    lease = timedelta(seconds=installation.settings.lease_seconds)
    claimed = {
        "attempts": parcel.attempt,
        "claimed_at": now,
        "leased_until": now + lease,
        "in_doubt_since": parcel.in_doubt_since,
        "leaves_at": parcel.leaves_at,
    }
    connection.execute(_CLAIM, {"of": parcel.message_id} | claimed)


def _packed(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel | None:
    try:
        return pack(installation, connection, row, now)
    except Obsolete:
        _drop(connection, row, MessageStatus.CANCELLED)
    except (ContactChanged, NotAllowed) as fault:
        _refuse(installation, connection, row, fault, now)
    return None


def _drop(connection: Connection, row: AnyRow, status: MessageStatus) -> None:
    # A letter that may have gone can be stopped still, if its case is closed.
    connection.execute(_DROP, {"of": row.id, "status": status, "in_doubt_since": in_doubt_since(row)})


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
    provider_id: str | None = None,
) -> bool:
    """Writes how the attempt ended; False where another worker has claimed the message since, and decides now."""
    key = {"of": parcel.message_id, "attempt": parcel.attempt}
    ended = {"finished_at": now, "outcome": outcome, "code": code}
    if connection.execute(_SETTLE, {**key, "leased_until": None, **after}).rowcount == 0:
        connection.execute(_TRIED_AFTER_ALL, key | ended)
        return False
    tried = {"message_id": parcel.message_id, "number": parcel.attempt, "started_at": parcel.started_at}
    connection.execute(_TRIED, tried | ended | {"provider_id": provider_id})
    return True


def _refuse(
    installation: Installation, connection: Connection, row: AnyRow, fault: ContactChanged | NotAllowed, now: datetime
) -> None:
    _drop(connection, row, MessageStatus.FAILED)
    if row.kind is MessageKind.RESET_CODE:
        with locked(installation, connection, row.case_id) as case:
            _go_on_without(case, fault, now)


def _go_on_without(case: Case, fault: ContactChanged | NotAllowed, now: datetime) -> None:
    """What becomes of a case whose code must not go where it was to go. The relay rings for what this queues."""
    is_awaited = case.state is CaseState.REQUESTED
    match fault:
        case ContactChanged():
            codes.hold(case, HeldFor.CONTACT_CHANGED, now, "the contact point has changed")
        case RegionForbids() if is_awaited and case.channel is not Channel.EMAIL:
            codes.send_by_email_instead(case, now, str(fault))
        case Unsuitable() if is_awaited:
            codes.send_to_backup(case, now)
        case _:
            codes.hold(case, HeldFor.NOT_ALLOWED, now, str(fault))


def _reroute(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> tuple[UUID, ...]:
    if parcel.case_id is None:
        return ()
    with locked(installation, connection, parcel.case_id) as case:
        if parcel.kind is not MessageKind.RESET_CODE:
            case.record("notice_unsent", actor=Actor.SYSTEM, now=now, channel=parcel.channel, what=parcel.kind)
            return ()
        awaited = case.state is CaseState.REQUESTED and now < case.expires_at and not case.held_for
        if awaited and case.channel is parcel.channel:
            codes.send_to_backup(case, now)
        return case.owed


def _renew(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> None:
    if parcel.case_id is None or parcel.challenge_id is None:
        return
    with locked(installation, connection, parcel.case_id) as case:
        new = codes.renew(case, now) if case.is_open else None
    if new:
        point_to(connection, parcel.message_id, new)


def _leave_in_doubt(installation: Installation, connection: Connection, parcel: Parcel, now: datetime) -> None:
    """Nobody can tell. A letter is for a supervisor; of the other channels the customer can ask again."""
    if parcel.case_id is None:
        return
    is_code = parcel.kind is MessageKind.RESET_CODE
    with locked(installation, connection, parcel.case_id) as case:
        event = "code_in_doubt" if is_code else "notice_in_doubt"
        case.record(event, actor=Actor.SYSTEM, now=now, channel=parcel.channel)
        if is_code and case.is_open and parcel.channel is Channel.MAIL:
            codes.hold(case, HeldFor.UNDELIVERABLE, now, "nobody can tell whether the letter was sent")


def _later(parcel: Parcel, due_at: datetime) -> Mapping[str, object]:
    # A code is tried until its case closes; then its message is obsolete.
    if parcel.kind is not MessageKind.RESET_CODE and due_at > parcel.created_at + GIVE_UP_AFTER:
        return _FAILED
    return {"status": MessageStatus.QUEUED, "due_at": due_at, "rung_at": None}


def _wait(attempt: int, outcome: Outcome) -> timedelta:
    """Doubles with each attempt, with jitter, so that messages which failed together do not come back together."""
    if outcome is Outcome.MISCONFIGURED:
        return _LONGEST_WAIT
    first = _FIRST_WAIT_IN_DOUBT if outcome is Outcome.UNKNOWN else _FIRST_WAIT
    longest = min(first * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT)
    return longest * SystemRandom().uniform(0.5, 1)
