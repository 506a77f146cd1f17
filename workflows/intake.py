"""A mail becomes a case, an answer, or something for a person: stored raw first, decided once, nothing lost."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base import new_id
from models.cases import Actor, AskedThrough
from models.database import wait_for_turn
from models.inbound import InboundMail, Verdict
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel, MessageKind
from workflows.accounts import accounts_with_address
from workflows.installation import Installation
from workflows.opening import Opened, ResetsDisabled, open_within

_LOCK = (
    select(InboundMail.id)
    .where(InboundMail.id == bindparam("mail_id"), InboundMail.verdict == Verdict.RECEIVED)
    .with_for_update(skip_locked=True)
)
_RAW = select(InboundMail.raw).where(InboundMail.id == bindparam("mail_id"), InboundMail.verdict == Verdict.RECEIVED)
_JUDGE = update(InboundMail).where(InboundMail.id == bindparam("of"))
_ANSWERED_SINCE = (
    select(Message.id)
    .join(InboundMail, InboundMail.id == Message.inbound_mail_id)
    .where(InboundMail.sender == bindparam("sender"), Message.created_at > bindparam("since"))
    .limit(1)
)


class Request(StrEnum):
    """What a mail is, as its reader judged it."""

    RESET = "reset"
    SOMETHING_ELSE = "something_else"
    AUTOMATIC = "automatic"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail as its reader understood it; `sender` is a normalised address, None where there is not exactly one."""

    request: Request
    reasons: tuple[str, ...]
    sender: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a mail. Ring for `owed` after the commit."""

    verdict: Verdict
    reasons: tuple[str, ...]
    case_id: UUID | None = None
    owed: tuple[UUID, ...] = ()


def store(installation: Installation, source: str, delivery_id: str, raw: bytes, now: datetime) -> UUID | None:
    """Keeps the raw bytes; None where this delivery was stored before. Ring the judge for it after."""
    mail_id = new_id()
    row = {
        "id": mail_id,
        "source": source,
        "delivery_id": delivery_id,
        "received_at": now,
        "raw": raw,
        "verdict": Verdict.RECEIVED,
        "rung_at": now,
    }
    try:
        with installation.database.begin() as connection:
            connection.execute(insert(InboundMail), row)
    except IntegrityError:
        return None
    return mail_id


def raw_of(installation: Installation, mail_id: UUID) -> bytes | None:
    """The raw bytes of a mail that is not judged yet; None where it is."""
    with installation.database.read() as connection:
        return connection.execute(_RAW, {"mail_id": mail_id}).scalar_one_or_none()


def decide(installation: Installation, mail_id: UUID, reading: Reading, now: datetime) -> Decided | None:
    """Acts on what the reader understood; None where the mail was decided before.

    A request from a known address and one from an unknown address get the same answer.
    """
    with installation.database.begin() as connection:
        if connection.execute(_LOCK, {"mail_id": mail_id}).scalar_one_or_none() is None:
            return None
        decided = _decided(installation, connection, reading, now)
        _keep(connection, mail_id, reading, decided, now)
        answers = _answer(installation, connection, mail_id, reading, now)
        return Decided(decided.verdict, decided.reasons, decided.case_id, (*decided.owed, *answers))


def _decided(installation: Installation, connection: Connection, reading: Reading, now: datetime) -> Decided:
    if reading.request is Request.UNREADABLE:
        return Decided(Verdict.UNREADABLE, reading.reasons)
    if reading.request is Request.AUTOMATIC:
        return Decided(Verdict.AUTOMATIC, reading.reasons)
    if reading.request is Request.SOMETHING_ELSE or reading.sender is None:
        return Decided(Verdict.HELD, reading.reasons)
    accounts = accounts_with_address(connection, reading.sender)
    if len(accounts) != 1:
        return Decided(Verdict.HELD, (*reading.reasons, _WHOSE[bool(accounts)]))
    return _open(installation, connection, accounts[0], reading, now)


_WHOSE = {False: "the address belongs to no account", True: "the address belongs to several accounts"}


def _open(
    installation: Installation, connection: Connection, account_id: UUID, reading: Reading, now: datetime
) -> Decided:
    try:
        opened = open_within(installation, connection, account_id, AskedThrough.INBOX, actor=Actor.CUSTOMER, now=now)
    except ResetsDisabled as refusal:
        return Decided(Verdict.HELD, (*reading.reasons, str(refusal)))
    return Decided(_verdict(opened), reading.reasons, opened.case_id, opened.owed)


def _verdict(opened: Opened) -> Verdict:
    return Verdict.JOINED if opened.joined else Verdict.OPENED


def _keep(connection: Connection, mail_id: UUID, reading: Reading, decided: Decided, now: datetime) -> None:
    row = {
        "of": mail_id,
        "verdict": decided.verdict,
        "reasons": "; ".join(decided.reasons),
        "sender": reading.sender,
        "message_id": reading.message_id,
        "judged_at": now,
        "case_id": decided.case_id,
    }
    connection.execute(_JUDGE, row)


def _answer(
    installation: Installation, connection: Connection, mail_id: UUID, reading: Reading, now: datetime
) -> tuple[UUID, ...]:
    """Queues the answer, where the sender asked for a reset and had none lately: so two machines come to an end."""
    if reading.request is not Request.RESET or reading.sender is None:
        return ()
    wait_for_turn(connection, f"keyturn answer {reading.sender}")
    since = now - installation.policy.limits.answer_again_after
    if connection.execute(_ANSWERED_SINCE, {"sender": reading.sender, "since": since}).scalar_one_or_none():
        return ()
    message_id = new_id()
    row = {
        "id": message_id,
        "kind": MessageKind.INBOX_ANSWER,
        "channel": Channel.EMAIL,
        "status": MessageStatus.QUEUED,
        "inbound_mail_id": mail_id,
        "created_at": now,
        "due_at": now,
        "rung_at": now,
    }
    connection.execute(insert(Message), row)
    return (message_id,)
