"""What a message says and where it may go: the code derived, the contact point checked, the permit in hand."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from models.access import Enrolment
from models.accounts import Account, ContactPoint
from models.base import AnyRow
from models.cases import OPEN_STATES, AskedThrough, Challenge, ResetCase
from models.inbound import InboundMail
from models.messages import Attempt, ChannelBreaker, Message, MessageStatus
from policy.permits import Permit
from policy.routing import (
    Contact,
    Profile,
    permit_account_code,
    permit_answer,
    permit_code,
    permit_confirmation,
    permit_notice,
)
from policy.vocabulary import Change, Channel, MessageKind
from workflows import breaker, calls, codes
from workflows.accounts import destination_of
from workflows.cases import is_pinned, locked
from workflows.challenges import unseal
from workflows.closing import stop_token
from workflows.granting import enrolment_token
from workflows.installation import Installation
from workflows.threads import token_of

ACCOUNT_CODES = frozenset({MessageKind.SIGN_IN_CODE, MessageKind.CONTACT_CODE, MessageKind.ENROLMENT_CODE})
"""What carries a code that belongs to no case."""

GIVE_UP_AFTER = timedelta(days=3)
"""A notice or an answer that could not be sent for this long helps nobody any more."""

_DUE = (
    select(
        Message.id,
        Message.kind,
        Message.channel,
        Message.status,
        Message.case_id,
        Message.contact_id,
        Message.created_at,
        Message.claimed_at,
        Message.attempts,
        Message.in_doubt_since,
        Message.leaves_at,
        ResetCase.reference,
        ResetCase.state,
        ResetCase.asked_through,
        ResetCase.contact_id.label("pinned_id"),
        ResetCase.contact_digest,
        ResetCase.held_for,
        ResetCase.opened_at,
        ResetCase.hold_until,
        ResetCase.expires_at.label("case_expires_at"),
        Account.name,
        Account.country,
        Account.state.label("account_state"),
        ContactPoint.kind.label("contact_kind"),
        ContactPoint.value,
        ContactPoint.version,
        ContactPoint.verified_at,
        ContactPoint.replaced_at,
        ContactPoint.proposed_until,
        ContactPoint.finding,
        Challenge.id.label("challenge_id"),
        Challenge.sealed_secret,
        Challenge.digits,
        Challenge.tries,
        Challenge.taken_at,
        Challenge.expires_at,
        func.coalesce(Challenge.used_at, Challenge.replaced_at).label("ended_at"),
        InboundMail.sender,
        InboundMail.received_at,
        InboundMail.message_id.label("mail_message_id"),
        Message.change,
        Enrolment.ends_at.label("enrolment_ends_at"),
        Enrolment.used_at.label("enrolled_at"),
        *breaker.COLUMNS,
    )
    .join(ChannelBreaker, ChannelBreaker.channel == Message.channel)
    .outerjoin(ResetCase, ResetCase.id == Message.case_id)
    .outerjoin(Enrolment, Enrolment.case_id == Message.case_id)
    .outerjoin(ContactPoint, ContactPoint.id == Message.contact_id)
    .outerjoin(Account, Account.id == ContactPoint.account_id)
    .outerjoin(Challenge, Challenge.id == Message.challenge_id)
    .outerjoin(InboundMail, InboundMail.id == Message.inbound_mail_id)
    .where(
        Message.id == bindparam("message_id"),
        or_(
            and_(Message.status == MessageStatus.QUEUED, Message.due_at <= bindparam("now")),
            and_(Message.status == MessageStatus.CLAIMED, Message.leased_until <= bindparam("now")),
        ),
    )
    .with_for_update(of=Message, skip_locked=True)
)
_KNOWN_IDS = (
    select(Attempt.provider_id)
    .join(Message, Message.id == Attempt.message_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(
        ContactPoint.value == bindparam("value"),
        Message.channel == bindparam("channel"),
        Attempt.provider_id.is_not(None),
    )
)
_START_LIFE = update(Challenge).where(Challenge.id == bindparam("of")).values(expires_at=bindparam("end"))
_POINT_TO = update(Message).where(Message.id == bindparam("of")).values(challenge_id=bindparam("new"))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that is to be sent: where it goes and all that its text needs. Secrets are not in its `repr`.

    Where it is `unexamined` a vendor is asked first what its contact point is. `in_trouble` says that its channel has
    failed lately. `known_ids`, where it is in doubt, are the vendors' ids of all that went to its contact point.
    """

    message_id: UUID
    attempt: int
    kind: MessageKind
    channel: Channel
    permit: Permit
    created_at: datetime
    started_at: datetime
    requested_at: datetime
    case_id: UUID | None = None
    change: Change | None = None
    challenge_id: UUID | None = None
    asked_through: AskedThrough | None = None
    customer_name: str | None = field(default=None, repr=False)
    reference: str | None = None
    code: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    stop_token: str | None = field(default=None, repr=False)
    valid_until: datetime | None = None
    hold_until: datetime | None = None
    in_reply_to: str | None = field(default=None, repr=False)
    thread: str | None = field(default=None, repr=False)
    contact_id: UUID | None = None
    unexamined: bool = False
    leaves_at: datetime | None = None
    call_token: str | None = field(default=None, repr=False)
    in_doubt_since: datetime | None = None
    known_ids: frozenset[str] = frozenset()
    in_trouble: bool = False


class Obsolete(Exception):
    """Nobody needs this message any more."""


class ContactChanged(Exception):
    """The pinned contact point is not what it was when the case opened."""


def lock_due(connection: Connection, message_id: UUID, now: datetime) -> AnyRow | None:
    """The message with all that it is about, locked; None where it is not due or somebody else has it."""
    return connection.execute(_DUE, {"message_id": message_id, "now": now}).one_or_none()


def point_to(connection: Connection, message_id: UUID, challenge_id: UUID) -> None:
    """Makes the message bring another code."""
    connection.execute(_POINT_TO, {"of": message_id, "new": challenge_id})


def pack(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    """The parcel for a message. Raises `Obsolete`, `ContactChanged`, or `NotAllowed`."""
    if row.kind is not MessageKind.RESET_CODE and now > row.created_at + _patience(installation, row):
        raise Obsolete
    parcel = _parcel(installation, connection, row, now)
    return replace(parcel, known_ids=_known_ids(connection, row)) if parcel.in_doubt_since else parcel


def _parcel(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    if row.kind is MessageKind.INBOX_ANSWER:
        return _answer_parcel(installation, row, now)
    if row.kind is MessageKind.RESET_CODE:
        return _code_parcel(installation, connection, row, now)
    if row.kind in ACCOUNT_CODES:
        return _account_code_parcel(installation, connection, row, now)
    if row.kind is MessageKind.ENROLMENT_LINK:
        return _enrolment_parcel(installation, row, now)
    return _notice_parcel(installation, row, now)


def _patience(installation: Installation, row: AnyRow) -> timedelta:
    """How long this message is tried: a code for the page that somebody looks at helps no longer than it would live."""
    if row.kind not in ACCOUNT_CODES:
        return GIVE_UP_AFTER
    return min(GIVE_UP_AFTER, installation.policy.channels[row.channel].code_valid)


def _known_ids(connection: Connection, row: AnyRow) -> frozenset[str]:
    known: list[AnyRow] = list(connection.execute(_KNOWN_IDS, {"value": row.value, "channel": row.channel}))
    return frozenset(each.provider_id for each in known)


def _answer_parcel(installation: Installation, row: AnyRow, now: datetime) -> Parcel:
    return Parcel(
        row.id,
        row.attempts + 1,
        row.kind,
        row.channel,
        permit_answer(row.sender, now + GIVE_UP_AFTER),
        row.created_at,
        now,
        row.received_at,
        in_reply_to=row.mail_message_id,
        thread=token_of(installation, row.id),
        in_doubt_since=in_doubt_since(row),
        in_trouble=breaker.was_in_trouble(row),
    )


def _notice_parcel(installation: Installation, row: AnyRow, now: datetime) -> Parcel:
    contact = _addressee(row) if row.kind is MessageKind.NOTICE_CHANGED else _contact(row)
    if contact is None:
        raise Obsolete
    permit = permit_notice(installation.policy, _profile(row, contact), row.channel, contact, now + GIVE_UP_AFTER)
    written = _parcel_of_account if row.case_id is None else _parcel_of_case
    return written(installation, row, permit, now)


def _account_code_parcel(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    contact = _addressee(row)
    if row.ended_at or contact is None:
        raise Obsolete
    taken = _taken_at(row) is not None
    if taken and row.expires_at <= now:
        raise Obsolete
    end = row.expires_at if taken else now + installation.policy.channels[row.channel].validity(contact.state)
    may_go = permit_confirmation if row.kind is MessageKind.CONTACT_CODE else permit_account_code
    permit = may_go(installation.policy, _profile(row, contact), row.channel, contact, end)
    if not taken:
        connection.execute(_START_LIFE, {"of": row.challenge_id, "end": end})
    secret = unseal(installation.keyring, row.challenge_id, row.sealed_secret, row.digits)
    return replace(
        _parcel_of_account(installation, row, permit, now),
        challenge_id=row.challenge_id,
        code=secret.code(),
        valid_until=end,
        call_token=calls.token_of(installation, row.id) if row.channel is Channel.VOICE else None,
    )


def _enrolment_parcel(installation: Installation, row: AnyRow, now: datetime) -> Parcel:
    contact = _contact(row)
    if row.enrolled_at or row.enrolment_ends_at <= now or contact is None:
        raise Obsolete
    if not is_pinned(installation, row.case_id, row.contact_digest, contact):
        raise Obsolete
    permit = permit_account_code(
        installation.policy, _profile(row, contact), row.channel, contact, row.enrolment_ends_at
    )
    return replace(
        _parcel_of_case(installation, row, permit, now),
        token=enrolment_token(installation, row.case_id),
        valid_until=row.enrolment_ends_at,
    )


def _code_parcel(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    if not _is_awaited(row, now):
        raise Obsolete
    contact = _contact(row)
    if contact is None or not is_pinned(installation, row.case_id, row.contact_digest, contact):
        raise ContactChanged
    taken = _taken_at(row) is not None
    if _is_worn_out(installation, row, now):
        row, taken = _renewed(installation, connection, row, now), False
    # Until a vendor takes the code, its life begins anew with each attempt; on paper when the letter leaves.
    begin = _leaves_at(installation, row, now) or now
    end = row.expires_at if taken else begin + installation.policy.channels[row.channel].validity(contact.state)
    permit = permit_code(installation.policy, _profile(row, contact), row.channel, contact, end)
    if not taken:
        connection.execute(_START_LIFE, {"of": row.challenge_id, "end": end})
    secret = unseal(installation.keyring, row.challenge_id, row.sealed_secret, row.digits)
    return replace(
        _parcel_of_case(installation, row, permit, now),
        challenge_id=row.challenge_id,
        code=secret.code(),
        token=secret.token(),
        valid_until=end,
        call_token=calls.token_of(installation, row.id) if row.channel is Channel.VOICE else None,
    )


def _parcel_of_case(installation: Installation, row: AnyRow, permit: Permit, now: datetime) -> Parcel:
    """What every message about a case says."""
    return replace(
        _parcel_of_account(installation, row, permit, now),
        requested_at=row.opened_at,
        case_id=row.case_id,
        asked_through=row.asked_through,
        reference=row.reference,
        stop_token=stop_token(installation, row.case_id) if row.state in OPEN_STATES else None,
        hold_until=row.hold_until,
    )


def _parcel_of_account(installation: Installation, row: AnyRow, permit: Permit, now: datetime) -> Parcel:
    """What every message to a contact point says."""
    return Parcel(
        row.id,
        row.attempts + 1,
        row.kind,
        row.channel,
        permit,
        row.created_at,
        now,
        row.created_at,
        customer_name=row.name,
        change=row.change,
        contact_id=row.contact_id,
        unexamined=bool(installation.policy.channels[row.channel].refuses) and row.finding is None,
        thread=token_of(installation, row.id) if row.channel is Channel.EMAIL else None,
        leaves_at=_leaves_at(installation, row, now),
        in_doubt_since=in_doubt_since(row),
        in_trouble=breaker.was_in_trouble(row),
    )


def in_doubt_since(row: AnyRow) -> datetime | None:
    """When the first attempt began that may have gone: one that never ended counts."""
    return row.in_doubt_since or _lost_at(row)


def _leaves_at(installation: Installation, row: AnyRow, now: datetime) -> datetime | None:
    """When a letter leaves. Once it may be with the vendor its time stands: it is printed in it."""
    if in_doubt_since(row) and row.leaves_at:
        leaves_at: datetime = row.leaves_at
        return leaves_at
    after = installation.policy.channels[row.channel].leaves_after
    return (now + after).replace(microsecond=0) if after else None


def _is_awaited(row: AnyRow, now: datetime) -> bool:
    """Whether the case still waits for this message's code to come back."""
    waits = row.state in OPEN_STATES and now < row.case_expires_at and not row.held_for
    return waits and not row.ended_at and row.contact_id == row.pinned_id


def _contact(row: AnyRow) -> Contact | None:
    """The message's contact point if it is still the account's current one."""
    return _contact_of(row) if row.contact_kind and row.replaced_at is None else None


def _contact_of(row: AnyRow) -> Contact:
    destination = destination_of(row.contact_kind, row.value)
    return Contact(row.contact_id, row.contact_kind, row.version, destination, row.verified_at, row.finding)


def _addressee(row: AnyRow) -> Contact | None:
    """The same, also while a contact point is not confirmed yet, or where the message tells that it was replaced."""
    is_told = row.kind is MessageKind.NOTICE_CHANGED and row.replaced_at and row.replaced_at >= row.created_at
    is_asked = row.kind is MessageKind.CONTACT_CODE and row.proposed_until
    return _contact_of(row) if is_told or is_asked else _contact(row)


def _profile(row: AnyRow, contact: Contact) -> Profile:
    return Profile(row.country, (contact,), preference=None, backup=None, state=row.account_state)


def _taken_at(row: AnyRow) -> datetime | None:
    """When a vendor took the code, or may have: an attempt that never ended counts."""
    return row.taken_at or _lost_at(row)


def _lost_at(row: AnyRow) -> datetime | None:
    """When the attempt began whose worker died."""
    return row.claimed_at if row.status is MessageStatus.CLAIMED else None


def _is_worn_out(installation: Installation, row: AnyRow, now: datetime) -> bool:
    """Whether the code ran out, lost its last try or went in another letter while its message waited."""
    rules = installation.policy.channels[row.channel]
    ran_out: bool = _taken_at(row) is not None and row.expires_at <= now
    spent: bool = row.tries >= rules.tries
    # A letter is valid from its own date on: it brings no code whose life began with an earlier one.
    is_in_a_letter = bool(rules.leaves_after) and row.taken_at is not None and in_doubt_since(row) is None
    return ran_out or spent or is_in_a_letter


def _renewed(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> AnyRow:
    with locked(installation, connection, row.case_id) as case:
        new = codes.renew(case, now)
    point_to(connection, row.id, new)
    found = lock_due(connection, row.id, now)
    assert found is not None  # noqa: S101 - this transaction holds its lock
    return found
