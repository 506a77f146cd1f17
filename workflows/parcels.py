"""What a claimed message says and where it may go: the code derived, the contact point checked, the permit in hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from models.accounts import Account
from models.base import AnyRow
from models.cases import OPEN_STATES, AskedThrough, CaseState, Challenge, ResetCase
from models.inbound import InboundMail
from models.messages import Message
from policy.permits import Permit
from policy.routing import Contact, Profile, permit_answer, permit_code, permit_notice
from policy.vocabulary import Channel, MessageKind
from workflows import codes
from workflows.accounts import contacts_of
from workflows.cases import is_pinned, locked
from workflows.challenges import unseal
from workflows.closing import stop_token
from workflows.installation import Installation

GIVE_UP_AFTER = timedelta(days=3)
"""A notice or an answer that could not be sent for this long helps nobody any more."""

_CASE = (
    select(
        ResetCase.reference,
        ResetCase.state,
        ResetCase.asked_through,
        ResetCase.contact_id,
        ResetCase.contact_digest,
        ResetCase.held_for,
        ResetCase.opened_at,
        ResetCase.hold_until,
        Account.id.label("account_id"),
        Account.name,
        Account.country,
        Account.preference,
        Account.backup,
        Challenge.id.label("challenge_id"),
        Challenge.sealed_secret,
        Challenge.digits,
        Challenge.taken_at,
        Challenge.expires_at,
        func.coalesce(Challenge.used_at, Challenge.replaced_at).label("ended_at"),
    )
    .join(Account, Account.id == ResetCase.account_id)
    .outerjoin(Challenge, Challenge.id == bindparam("challenge_id"))
    .where(ResetCase.id == bindparam("case_id"))
)
_MAIL = select(InboundMail.sender, InboundMail.received_at, InboundMail.message_id).where(
    InboundMail.id == bindparam("mail_id")
)
_START_LIFE = update(Challenge).where(Challenge.id == bindparam("of")).values(expires_at=bindparam("end"))
_POINT_TO = update(Message).where(Message.id == bindparam("of")).values(challenge_id=bindparam("new"))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed message: where it goes and all that its text needs. Secrets are not in its `repr`."""

    message_id: UUID
    attempt: int
    kind: MessageKind
    channel: Channel
    permit: Permit
    created_at: datetime
    started_at: datetime
    requested_at: datetime
    case_id: UUID | None = None
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


class Obsolete(Exception):
    """Nobody needs this message any more."""


class ContactChanged(Exception):
    """The pinned contact point is not what it was when the case opened."""


def pack(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    """The parcel for a message's row. Raises `Obsolete`, `ContactChanged`, or `NotAllowed`."""
    if row.inbound_mail_id is not None:
        return _answer_parcel(connection, row, now)
    found = connection.execute(_CASE, {"case_id": row.case_id, "challenge_id": row.challenge_id}).one()
    profile = Profile(found.country, contacts_of(connection, found.account_id), found.preference, found.backup)
    contact = next((each for each in profile.contacts if each.id == row.contact_id), None)
    if row.kind is MessageKind.RESET_CODE:
        return _code_parcel(installation, connection, row, found, profile, contact, now)
    return _notice_parcel(installation, row, found, profile, contact, now)


def _answer_parcel(connection: Connection, row: AnyRow, now: datetime) -> Parcel:
    mail = connection.execute(_MAIL, {"mail_id": row.inbound_mail_id}).one()
    return Parcel(
        row.id,
        row.attempts,
        row.kind,
        row.channel,
        permit_answer(mail.sender, now + GIVE_UP_AFTER),
        row.created_at,
        now,
        mail.received_at,
        in_reply_to=mail.message_id,
    )


def _notice_parcel(
    installation: Installation,
    row: AnyRow,
    found: AnyRow,
    profile: Profile,
    contact: Contact | None,
    now: datetime,
) -> Parcel:
    if contact is None:
        raise Obsolete
    permit = permit_notice(installation.policy, profile, row.channel, contact, now + GIVE_UP_AFTER)
    return Parcel(
        row.id,
        row.attempts,
        row.kind,
        row.channel,
        permit,
        row.created_at,
        now,
        found.opened_at,
        row.case_id,
        asked_through=found.asked_through,
        customer_name=found.name,
        reference=found.reference,
        stop_token=_stop_token(installation, row, found),
        hold_until=found.hold_until,
    )


def _code_parcel(
    installation: Installation,
    connection: Connection,
    row: AnyRow,
    found: AnyRow,
    profile: Profile,
    contact: Contact | None,
    now: datetime,
) -> Parcel:
    if found.state is not CaseState.REQUESTED or found.held_for or found.ended_at or row.contact_id != found.contact_id:
        raise Obsolete
    if contact is None or not is_pinned(installation, row.case_id, found.contact_digest, contact):
        raise ContactChanged
    if found.taken_at is not None and found.expires_at <= now:
        found = _renewed(installation, connection, row, now)
    end = found.expires_at if found.taken_at else _start_life(installation, connection, row, found, contact, now)
    permit = permit_code(installation.policy, profile, row.channel, contact, end)
    secret = unseal(installation.keyring, found.challenge_id, found.sealed_secret, found.digits)
    return Parcel(
        row.id,
        row.attempts,
        row.kind,
        row.channel,
        permit,
        row.created_at,
        now,
        found.opened_at,
        row.case_id,
        found.challenge_id,
        asked_through=found.asked_through,
        customer_name=found.name,
        reference=found.reference,
        code=secret.code(),
        token=secret.token(),
        stop_token=_stop_token(installation, row, found),
        valid_until=end,
    )


def _stop_token(installation: Installation, row: AnyRow, found: AnyRow) -> str | None:
    return stop_token(installation, row.case_id) if found.state in OPEN_STATES else None


def _start_life(
    installation: Installation,
    connection: Connection,
    row: AnyRow,
    found: AnyRow,
    contact: Contact,
    now: datetime,
) -> datetime:
    # No vendor has taken this code yet, so its life begins with this attempt.
    end = now + installation.policy.channels[row.channel].validity(contact.state)
    connection.execute(_START_LIFE, {"of": found.challenge_id, "end": end})
    return end


def _renewed(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> AnyRow:
    with locked(installation, connection, row.case_id) as case:
        new = codes.renew(case, now)
    connection.execute(_POINT_TO, {"of": row.id, "new": new})
    return connection.execute(_CASE, {"case_id": row.case_id, "challenge_id": new}).one()
