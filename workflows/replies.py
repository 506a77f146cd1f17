"""An answer to a mail of ours about a case: it joins the case if its token is right and its writer is the customer.

A code in it counts only where the policy says so and the sender's domain vouches for the mail. Where it does not count,
the customer is told once a case where it belongs; nobody else is told anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from models.accounts import ContactPoint
from models.cases import Actor, AskedThrough, ResetCase
from models.messages import Message
from policy.vocabulary import Channel, MessageKind
from workflows import proving
from workflows.cases import Case, locked
from workflows.installation import Installation
from workflows.machine import expire_if_due
from workflows.threads import message_of

OF_ANOTHER = "it answers a mail about a reset, and comes from an address that is not its customer's"
IN_THREAD = "it answers a mail about this reset, and asks for something else"
_JOINED = "it answers a mail about this reset"
_CODE_TAKEN = "it holds a code, which was taken as typed"
_CODE_IGNORED = "it holds a code, which does not count in a mail"

_CASE = (
    select(ResetCase.id, ResetCase.account_id)
    .join(Message, Message.case_id == ResetCase.id)
    .where(Message.id == bindparam("message_id"))
)
_ADDRESS = select(ContactPoint.id).where(
    ContactPoint.account_id == bindparam("account_id"),
    ContactPoint.value == bindparam("address"),
    ContactPoint.replaced_at.is_(None),
)
_TOLD = select(Message.id).where(
    Message.case_id == bindparam("case_id"), Message.kind == MessageKind.NOTICE_CODE_BY_MAIL
)


@dataclass(frozen=True, slots=True)
class Thread:
    """A case, as a mail's token names it."""

    case_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Replied:
    """What a reply led to. Ring for `owed` after the commit."""

    case_id: UUID
    why: str
    owed: tuple[UUID, ...]


def thread_of(installation: Installation, connection: Connection, tokens: Iterable[str]) -> Thread | None:
    """The case that the first right token is about; None where none is right or its message is about no case."""
    for token in tokens:
        message_id = message_of(installation, token)
        found = message_id and connection.execute(_CASE, {"message_id": message_id}).one_or_none()
        if found:
            return Thread(found.id, found.account_id)
    return None


def is_customers(connection: Connection, thread: Thread, sender: str) -> bool:
    """Whether the address is one of the customer's own."""
    return _contact_id(connection, thread.account_id, sender) is not None


def take(
    installation: Installation,
    connection: Connection,
    thread: Thread,
    sender: str,
    code: str | None,
    *,
    proven: bool,
    now: datetime,
) -> Replied | None:
    """Joins the reply to its case; None where the case is closed, so that the mail counts like any other."""
    with locked(installation, connection, thread.case_id) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return None
        why = _take_code(case, sender, code, proven=proven, now=now)
    return Replied(case.id, why, case.owed)


def _take_code(case: Case, sender: str, code: str | None, *, proven: bool, now: datetime) -> str:
    if code is None:
        case.record("asked_again", actor=Actor.CUSTOMER, now=now, through=AskedThrough.INBOX)
        return _JOINED
    if proven and case.installation.policy.inbox.codes_by_mail:
        proving.take_code(case, code, "code sent by mail", actor=Actor.CUSTOMER, now=now)
        return _CODE_TAKEN
    case.record("code_by_mail", actor=Actor.CUSTOMER, now=now)
    _tell_once(case, sender, now)
    return _CODE_IGNORED


def _tell_once(case: Case, sender: str, now: datetime) -> None:
    contact_id = _contact_id(case.connection, case.account.id, sender)
    if contact_id and case.connection.execute(_TOLD, {"case_id": case.id}).first() is None:
        case.owe(MessageKind.NOTICE_CODE_BY_MAIL, Channel.EMAIL, contact_id, now)


def _contact_id(connection: Connection, account_id: UUID, address: str) -> UUID | None:
    key = {"account_id": account_id, "address": address}
    return connection.execute(_ADDRESS, key).scalar()
