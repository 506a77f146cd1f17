"""What a phone call can do: read its code out, once a call, or stop the case, or end a code that has none.

Voice is the one channel whose vendor comes for the code while it delivers: only then is it derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update

from models.accounts import Account, ContactPoint
from models.base import AnyRow
from models.cases import OPEN_STATES, Actor, Challenge, ResetCase
from models.messages import Message, MessageStatus
from policy.permits import Permit
from policy.routing import Contact, NotAllowed, Profile, permit_account_code, permit_code, permit_confirmation
from policy.vocabulary import Channel, MessageKind
from workflows.account_history import record
from workflows.accounts import destination_of, lock_account
from workflows.challenges import unseal, withdraw
from workflows.closing import cancel
from workflows.installation import Installation

_CALL = "call script"
_HOW = "phone key"
_PERMITS: Mapping[MessageKind, Callable[..., Permit]] = MappingProxyType(
    {MessageKind.RESET_CODE: permit_code, MessageKind.CONTACT_CODE: permit_confirmation}
)
"""Which door of the policy a code goes through; any other is a code of the account."""

_CALLED = (
    select(
        Message.kind.label("message_kind"),
        Message.provider_id,
        Message.status,
        Message.created_at,
        ResetCase.reference,
        ResetCase.opened_at,
        ResetCase.state,
        ResetCase.held_for,
        ResetCase.expires_at.label("case_expires_at"),
        Account.id.label("account_id"),
        Account.country,
        Account.state.label("account_state"),
        ContactPoint.id.label("contact_id"),
        ContactPoint.kind,
        ContactPoint.version,
        ContactPoint.value,
        ContactPoint.verified_at,
        ContactPoint.finding,
        ContactPoint.replaced_at,
        ContactPoint.proposed_until,
        Challenge.id.label("challenge_id"),
        Challenge.sealed_secret,
        Challenge.digits,
        Challenge.tries,
        Challenge.expires_at,
        or_(Challenge.used_at.is_not(None), Challenge.replaced_at.is_not(None)).label("is_over"),
    )
    .outerjoin(ResetCase, ResetCase.id == Message.case_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .join(Account, Account.id == ContactPoint.account_id)
    .join(Challenge, Challenge.id == Message.challenge_id)
    .where(Message.id == bindparam("message_id"), Message.channel == Channel.VOICE)
)
_HEAR = (
    update(Message)
    .where(Message.id == bindparam("of"), or_(Message.heard_in.is_(None), Message.heard_in != bindparam("call_id")))
    .values(heard_in=bindparam("call_id"))
)


class UnknownCall(Exception):
    """No message of ours began this call. Say nothing, and hang up."""


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What the person called is told; without a `reference` it is about no case."""

    kind: MessageKind
    reference: str | None
    requested_at: datetime
    code: str = field(repr=False)
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """What 9 was pressed about. Ring for `owed` after the commit."""

    kind: MessageKind
    owed: tuple[UUID, ...]


def token_of(installation: Installation, message_id: UUID) -> str:
    """What the address of a call's script carries, besides the vendor's own signature: 64 hexadecimal digits."""
    return installation.keyring.digest(message_id.bytes, purpose=_CALL).hex()


def is_token_of(installation: Installation, message_id: UUID, shown: str) -> bool:
    """Whether this is the token of the message's call."""
    try:
        digest = bytes.fromhex(shown)
    except ValueError:
        return False
    return installation.keyring.digest_matches(digest, message_id.bytes, purpose=_CALL)


def kind_of(installation: Installation, message_id: UUID) -> MessageKind:
    """Which code the call brings. Raises `UnknownCall`."""
    kind: MessageKind = _called(installation, message_id).message_kind
    return kind


def read_out(installation: Installation, message_id: UUID, call_id: str, now: datetime) -> ReadOut | None:
    """What is read in the call `call_id`, once; None where it was read there before, is over, or may not be told.

    Raises `UnknownCall`.
    """
    with installation.database.begin() as connection:
        row = connection.execute(_CALLED, {"message_id": message_id}).one_or_none()
        if row is None or not _is_of_call(row, call_id):
            raise UnknownCall
        if not _is_valid(installation, row, now) or not _is_allowed(installation, row, now):
            return None
        if connection.execute(_HEAR, {"of": message_id, "call_id": call_id}).rowcount == 0:
            return None
    secret = unseal(installation.keyring, row.challenge_id, row.sealed_secret, row.digits)
    requested_at = row.opened_at or row.created_at
    return ReadOut(row.message_kind, row.reference, requested_at, secret.code(), row.expires_at)


def stop_in_call(installation: Installation, message_id: UUID, call_id: str, now: datetime) -> Stopped:
    """Does what `stop` does, for the call `call_id`. Raises `UnknownCall`."""
    if not _is_of_call(_called(installation, message_id), call_id):
        raise UnknownCall
    return stop(installation, message_id, now)


def stop(installation: Installation, message_id: UUID, now: datetime) -> Stopped:
    """The person called says that it was not them: cancels the case, or ends the code. Raises `UnknownCall`."""
    row = _called(installation, message_id)
    if row.reference is not None:
        answer = cancel(installation, row.reference, actor=Actor.CUSTOMER, now=now, how=_HOW)
        return Stopped(row.message_kind, answer.owed)
    with installation.database.begin() as connection:
        lock_account(connection, row.account_id)
        if withdraw(connection, row.challenge_id, now):
            what = row.message_kind
            record(connection, row.account_id, "code_withdrawn", actor=Actor.CUSTOMER, now=now, what=what, how=_HOW)
    return Stopped(row.message_kind, ())


def _called(installation: Installation, message_id: UUID) -> AnyRow:
    with installation.database.read() as connection:
        row = connection.execute(_CALLED, {"message_id": message_id}).one_or_none()
    if row is None:
        raise UnknownCall
    return row


def _is_of_call(row: AnyRow, call_id: str) -> bool:
    """Whether this is the message's newest call; while no id is recorded nobody knows which that is."""
    return row.status is not MessageStatus.SENT or row.provider_id in {None, call_id}


def _is_allowed(installation: Installation, row: AnyRow, now: datetime) -> bool:
    """Whether the policy still lets the code go there by phone: the account may have changed while it rang."""
    destination = destination_of(row.kind, row.value)
    contact = Contact(row.contact_id, row.kind, row.version, destination, row.verified_at, row.finding)
    profile = Profile(row.country, (contact,), preference=None, backup=None, state=row.account_state)
    may_go = _PERMITS.get(row.message_kind, permit_account_code)
    try:
        may_go(installation.policy, profile, Channel.VOICE, contact, row.expires_at)
    except NotAllowed:
        return False
    return row.replaced_at is None or _is_proposed(row, now)


def _is_proposed(row: AnyRow, now: datetime) -> bool:
    """Whether this is the code that makes a new contact point count, which still may."""
    is_new = row.message_kind is MessageKind.CONTACT_CODE and row.proposed_until is not None
    return is_new and now < row.proposed_until


def _is_valid(installation: Installation, row: AnyRow, now: datetime) -> bool:
    tries_left = row.tries < installation.policy.channels[Channel.VOICE].tries
    is_wanted = row.reference is None or _case_waits(row, now)
    return is_wanted and tries_left and not row.is_over and row.expires_at is not None and now < row.expires_at


def _case_waits(row: AnyRow, now: datetime) -> bool:
    return row.state in OPEN_STATES and now < row.case_expires_at and not row.held_for
