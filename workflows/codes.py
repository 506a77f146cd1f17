"""Sending a case's code: the first time, again, and over the backup channel; within the policy's limits on sends."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from models.base import UtcDateTime
from models.cases import Actor, CaseState, HeldFor, ResetCase
from models.messages import Message, MessageStatus
from policy.routing import Contact, NotAllowed, check_preference, instead_of_preference
from policy.rules import ChannelRules
from policy.vocabulary import Channel, MessageKind
from workflows import challenges
from workflows.answers import Answer, Problem, answer
from workflows.cases import Case, locked
from workflows.installation import Installation
from workflows.machine import expire_if_due

_EARLIER = (
    # A message that waits counts from when it is due, one that went from when it went.
    select(func.coalesce(Message.sent_at, Message.due_at, type_=UtcDateTime()).label("at"), Message.case_id)
    .join(ResetCase, ResetCase.id == Message.case_id)
    .where(
        ResetCase.account_id == bindparam("account_id"),
        Message.channel == bindparam("channel"),
        Message.kind == MessageKind.RESET_CODE,
        Message.status.in_([MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.SENT]),
    )
)


def send_first(case: Case, channel: Channel, contact: Contact, now: datetime) -> None:
    """Pins the contact point and queues the code to it."""
    case.pin(channel, contact)
    # Earlier cases of the account may have used up the sends for now: the code then waits its turn.
    due_at = next_send(case, now) or now
    case.expires_at = _rules(case).open_until(due_at, contact.state)
    _queue(case, challenges.issue(case, now), now, due_at)


def resend(installation: Installation, reference: str, *, actor: Actor, now: datetime) -> Answer:
    """Queues the code again; in a case that is proven, a new one, for a customer who has lost the case's page."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        if problem := _cannot_send(case, now):
            return answer(case, problem)
        allowed = next_send(case, now)
        if allowed is None:
            return answer(case, Problem.NO_MORE_SENDS)
        if allowed > now:
            return answer(case, Problem.TOO_SOON, next_at=allowed)
        _queue(case, _code_to_repeat(case, now) or _replace_code(case, now), now, now)
        case.record("code_queued_again", actor=actor, now=now, channel=case.channel)
        return answer(case)


def send_to_backup(case: Case, now: datetime) -> None:
    """The code cannot reach its contact point: it goes over the backup channel that the customer chose in advance.

    Without one the case is held for a supervisor: nobody is moved to a weaker channel by a bounce.
    """
    try:
        channel, contact = _backup(case)
    except NotAllowed as reason:
        hold(case, HeldFor.UNDELIVERABLE, now, str(reason))
        return
    case.withdraw_code(now)
    case.record("fell_back", actor=Actor.SYSTEM, now=now, channel=channel)
    _pin_and_queue(case, channel, contact, now)


def send_by_email_instead(case: Case, now: datetime, reason: str) -> None:
    """The region forbids the case's channel by now: the code goes to the 2-Factor Auth Email, with that way's hold."""
    try:
        way = instead_of_preference(case.installation.policy, case.account.profile(case.connection), reason)
    except NotAllowed as neither:
        hold(case, HeldFor.NOT_ALLOWED, now, str(neither))
        return
    case.withdraw_code(now)
    case.least_hold_seconds = max(case.least_hold_seconds, int(way.least_hold.total_seconds()))
    case.record("moved_to_email", actor=Actor.SYSTEM, now=now, channel=way.channel, why=reason)
    _pin_and_queue(case, way.channel, way.contact, now)


def hold(case: Case, why: HeldFor, now: datetime, reason: str) -> None:
    """Stops sending codes in this case until a supervisor looks at it, and gives it the longest hold."""
    policy = case.installation.policy
    case.held_for = why
    case.least_hold_seconds = int(policy.longest_hold().total_seconds())
    if case.hold_until is not None:
        case.hold_until = max(case.hold_until, now + policy.longest_hold())
        case.expires_at = case.hold_until + policy.limits.complete_within
    case.record("held", actor=Actor.SYSTEM, now=now, held_for=why, why=reason)


def release(installation: Installation, reference: str, *, now: datetime) -> Answer:
    """A supervisor has looked at a held case and lets it go on, with the longest hold. Raises `UnknownCase`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return answer(case, Problem.CLOSED)
        if case.held_for is None or case.channel is None:
            return answer(case, Problem.NOT_RELEASABLE)
        case.record("released", actor=Actor.SUPERVISOR, now=now, held_for=case.held_for)
        case.held_for = None
        return answer(case)


def renew(case: Case, now: datetime) -> UUID:
    """A new code for a queued message whose code ran out, or went in another letter: not another send."""
    case.record("code_renewed", actor=Actor.SYSTEM, now=now)
    return _replace_code(case, now)


def next_send(case: Case, now: datetime) -> datetime | None:
    """When the code can be sent again, now at the earliest; None where the case has had all of its sends."""
    key = {"account_id": case.account.id, "channel": case.channel}
    earlier = case.connection.execute(_EARLIER, key).all()
    in_this_case = sum(1 for sent in earlier if sent.case_id == case.id)
    return _rules(case).next_send([sent.at for sent in earlier], in_this_case, now)


def _cannot_send(case: Case, now: datetime) -> Problem | None:
    expire_if_due(case, now)
    if not case.is_open:
        return Problem.CLOSED
    return Problem.HELD if case.held_for else None


def _code_to_repeat(case: Case, now: datetime) -> UUID | None:
    challenge = challenges.current(case)
    # A letter gets its own code when it goes; until then the one that is out counts.
    return challenge.id if challenge and challenge.can_be_repeated(_rules(case).tries, now) else None


def _replace_code(case: Case, now: datetime) -> UUID:
    case.withdraw_code(now)
    if case.state is CaseState.REQUESTED and _rules(case).case_open_after_code is not None:
        # The case lives as long as a letter's code, and a while longer: also as long as a later letter's.
        carrier = case.carrier()
        case.expires_at = max(case.expires_at, _rules(case).open_until(now, carrier.state if carrier else None))
    return challenges.issue(case, now)


def _pin_and_queue(case: Case, channel: Channel, contact: Contact, now: datetime) -> None:
    case.pin(channel, contact)
    # The account's cases share this channel's sends: the code waits its turn, if this case has one left.
    due_at = next_send(case, now)
    if due_at is None:
        hold(case, HeldFor.UNDELIVERABLE, now, f"the case has had all of its sends by {channel}")
        return
    case.expires_at = max(case.expires_at, _rules(case).open_until(due_at, contact.state))
    _queue(case, challenges.issue(case, now), now, due_at)


def _queue(case: Case, challenge_id: UUID, now: datetime, due_at: datetime) -> None:
    assert case.channel is not None  # noqa: S101 - pinned before anything is queued
    assert case.contact_id is not None  # noqa: S101
    case.owe(MessageKind.RESET_CODE, case.channel, case.contact_id, now, due_at=due_at, challenge_id=challenge_id)


def _backup(case: Case) -> tuple[Channel, Contact]:
    backup = case.account.backup
    if backup is None or backup is case.channel:
        raise NotAllowed("No backup channel was chosen.")
    profile = case.account.profile(case.connection)
    return backup, check_preference(case.installation.policy, profile, backup)


def _rules(case: Case) -> ChannelRules:
    assert case.channel is not None  # noqa: S101 - a case without a channel is held and sends nothing
    return case.installation.policy.channels[case.channel]
