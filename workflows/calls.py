"""What a phone call about a case can do: read its code out, once a call, or stop the case.

Voice is the one channel whose vendor comes for the code while it delivers: only then is it derived.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update

from models.accounts import Account, ContactPoint
from models.base import AnyRow
from models.cases import OPEN_STATES, Actor, Challenge, ResetCase
from models.messages import Message, MessageStatus
from policy.routing import Contact, NotAllowed, Profile, permit_code
from policy.vocabulary import Channel, MessageKind
from workflows.accounts import destination_of
from workflows.answers import Answer
from workflows.challenges import unseal
from workflows.closing import cancel
from workflows.installation import Installation

_CALL = "call script"

_CALLED = (
    select(
        Message.provider_id,
        Message.status,
        ResetCase.reference,
        ResetCase.opened_at,
        ResetCase.state,
        ResetCase.held_for,
        ResetCase.expires_at.label("case_expires_at"),
        Account.country,
        Account.state.label("account_state"),
        ContactPoint.id.label("contact_id"),
        ContactPoint.kind,
        ContactPoint.version,
        ContactPoint.value,
        ContactPoint.verified_at,
        ContactPoint.finding,
        ContactPoint.replaced_at,
        Challenge.id.label("challenge_id"),
        Challenge.sealed_secret,
        Challenge.digits,
        Challenge.tries,
        Challenge.expires_at,
        or_(Challenge.used_at.is_not(None), Challenge.replaced_at.is_not(None)).label("is_over"),
    )
    .join(ResetCase, ResetCase.id == Message.case_id)
    .join(Account, Account.id == ResetCase.account_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .join(Challenge, Challenge.id == Message.challenge_id)
    .where(
        Message.id == bindparam("message_id"),
        Message.channel == Channel.VOICE,
        Message.kind == MessageKind.RESET_CODE,
    )
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
    """What the person called is told."""

    reference: str
    requested_at: datetime
    code: str = field(repr=False)
    valid_until: datetime


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


def read_out(installation: Installation, message_id: UUID, call_id: str, now: datetime) -> ReadOut | None:
    """What is read in the call `call_id`, once; None where it was read there before, is over, or may not be told.

    Raises `UnknownCall`.
    """
    with installation.database.begin() as connection:
        row = connection.execute(_CALLED, {"message_id": message_id}).one_or_none()
        if row is None or not _is_of_call(row, call_id):
            raise UnknownCall
        if not _is_valid(installation, row, now) or not _is_allowed(installation, row):
            return None
        if connection.execute(_HEAR, {"of": message_id, "call_id": call_id}).rowcount == 0:
            return None
    secret = unseal(installation.keyring, row.challenge_id, row.sealed_secret, row.digits)
    return ReadOut(row.reference, row.opened_at, secret.code(), row.expires_at)


def stop(installation: Installation, message_id: UUID, call_id: str, now: datetime) -> Answer:
    """The person called says that it was not them: cancels the case. Raises `UnknownCall`."""
    with installation.database.read() as connection:
        row = connection.execute(_CALLED, {"message_id": message_id}).one_or_none()
    if row is None or not _is_of_call(row, call_id):
        raise UnknownCall
    return cancel(installation, row.reference, actor=Actor.CUSTOMER, now=now, how="phone key")


def _is_of_call(row: AnyRow, call_id: str) -> bool:
    """Whether this is the message's newest call; while no id is recorded nobody knows which that is."""
    return row.status is not MessageStatus.SENT or row.provider_id in {None, call_id}


def _is_allowed(installation: Installation, row: AnyRow) -> bool:
    """Whether the policy still lets the code go there by phone: the account may have changed while it rang."""
    destination = destination_of(row.kind, row.value)
    contact = Contact(row.contact_id, row.kind, row.version, destination, row.verified_at, row.finding)
    profile = Profile(row.country, (contact,), preference=None, backup=None, state=row.account_state)
    try:
        permit_code(installation.policy, profile, Channel.VOICE, contact, row.expires_at)
    except NotAllowed:
        return False
    return row.replaced_at is None


def _is_valid(installation: Installation, row: AnyRow, now: datetime) -> bool:
    case_waits = row.state in OPEN_STATES and now < row.case_expires_at and not row.held_for
    tries_left = row.tries < installation.policy.channels[Channel.VOICE].tries
    return case_waits and tries_left and not row.is_over and row.expires_at is not None and now < row.expires_at
