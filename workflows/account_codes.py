"""Codes that belong to no reset case: for signing in, for a new contact point, for enrolling after a reset.

They are challenges like any other (10 minutes by SMS and phone, 24 hours by e-mail, once, a few tries) and their sends
have the limits of their channel. The account is locked by whoever calls this.
"""

import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select

from models.accounts import ContactPoint
from models.base import UtcDateTime
from models.cases import CodeFor
from models.messages import Message, MessageStatus
from policy.routing import Contact
from policy.vocabulary import Channel, MessageKind
from workflows import challenges
from workflows.installation import Installation
from workflows.parcels import ACCOUNT_CODES
from workflows.queueing import queued

KIND: Mapping[CodeFor, MessageKind] = MappingProxyType(
    {
        CodeFor.SIGN_IN: MessageKind.SIGN_IN_CODE,
        CodeFor.CONTACT: MessageKind.CONTACT_CODE,
        CodeFor.ENROLMENT: MessageKind.ENROLMENT_CODE,
    }
)
"""Which message carries the code."""

_EARLIER = (
    select(func.coalesce(Message.sent_at, Message.due_at, type_=UtcDateTime()))
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(
        ContactPoint.account_id == bindparam("account_id"),
        Message.channel == bindparam("channel"),
        Message.kind.in_(ACCOUNT_CODES),
        Message.status.in_([MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.SENT]),
    )
)


class CodeFault(StrEnum):
    """Why a typed code does not count."""

    WRONG = "wrong"
    MALFORMED = "malformed"
    NONE_VALID = "none_valid"


@dataclass(frozen=True, slots=True)
class Queued:
    """A code that goes out now: ring for `owed`. Or, where it may not yet, `next_at` says when."""

    owed: tuple[UUID, ...]
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a typed code counts; `tries_left` comes with a wrong one."""

    fault: CodeFault | None
    tries_left: int | None = None


def send(
    installation: Installation,
    connection: Connection,
    account_id: UUID,
    contact: Contact,
    channel: Channel,
    use: CodeFor,
    now: datetime,
) -> Queued:
    """Queues a code to the contact point: the one that is out, while it has tries left, or else a new one."""
    key = {"account_id": account_id, "channel": channel}
    earlier: list[datetime] = list(connection.execute(_EARLIER, key).scalars())
    allowed = installation.policy.channels[channel].next_send(earlier, 0, now)
    if allowed is None or allowed > now:
        return Queued((), allowed)
    issued = challenges.current_of_contact(installation, connection, contact.id, use)
    if issued is None or not issued.can_be_repeated(installation.policy.channels[channel].tries, now):
        challenge_id = challenges.issue_for_contact(installation, connection, contact, channel, use, now)
    else:
        challenge_id = issued.id
    return Queued((_queue(connection, contact.id, channel, use, challenge_id, now),))


def check(
    installation: Installation,
    connection: Connection,
    contact_id: UUID,
    channel: Channel,
    use: CodeFor,
    typed: str,
    now: datetime,
) -> Checked:
    """Compares what was typed with the code that is out; the right one is used up, a wrong one costs a try."""
    issued = challenges.current_of_contact(installation, connection, contact_id, use)
    most = installation.policy.channels[channel].tries
    if issued is None or not issued.is_valid(now) or issued.tries >= most:
        return Checked(CodeFault.NONE_VALID)
    code = digits_of(typed)
    if len(code) != issued.secret.digits:
        return Checked(CodeFault.MALFORMED)
    if not issued.secret.is_code(code):
        challenges.count_try(connection, issued)
        return Checked(CodeFault.WRONG, most - issued.tries - 1)
    challenges.use(connection, issued, now)
    return Checked(None)


def digits_of(typed: str) -> str:
    """What was typed without blanks and dashes; digits of other scripts' keyboards (NFKC) count as what they are."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign in string.digits)


def _queue(
    connection: Connection, contact_id: UUID, channel: Channel, use: CodeFor, challenge_id: UUID, now: datetime
) -> UUID:
    row = queued(KIND[use], channel, now, contact_id=contact_id, challenge_id=challenge_id)
    connection.execute(insert(Message), row)
    return UUID(str(row["id"]))
