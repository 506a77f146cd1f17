"""A mail becomes a case, an answer, or something for a person: stored raw first, decided once, nothing lost.

What is decided depends on what the mail says and on what is known of its sender; whether it is answered depends on the
mail alone, so that an answer tells nobody whether an account exists.
"""

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.accounts import Account
from models.base import new_id
from models.cases import Actor, AskedThrough
from models.database import wait_for_turn
from models.inbound import Authenticity, InboundMail, Verdict
from models.messages import Message
from policy.vocabulary import Channel, MessageKind
from workflows import bounces, replies
from workflows.accounts import accounts_with_address
from workflows.installation import Installation
from workflows.opening import Opened, ResetsDisabled, has_open_case, open_within
from workflows.queueing import queued
from workflows.replies import Replied

_LOCK = (
    select(InboundMail.id)
    .where(InboundMail.id == bindparam("mail_id"), InboundMail.verdict == Verdict.RECEIVED)
    .with_for_update(skip_locked=True)
)
_RAW = select(InboundMail.source, InboundMail.raw).where(
    InboundMail.id == bindparam("mail_id"), InboundMail.verdict == Verdict.RECEIVED
)
_JUDGE = update(InboundMail).where(InboundMail.id == bindparam("of"))
_ANSWERED_SINCE = (
    select(Message.id)
    .join(InboundMail, InboundMail.id == Message.inbound_mail_id)
    .where(InboundMail.sender == bindparam("sender"), Message.created_at > bindparam("since"))
    .limit(1)
)
_WRITTEN_SINCE = (
    select(func.count())
    .select_from(InboundMail)
    .where(
        InboundMail.sender == bindparam("sender"),
        InboundMail.received_at > bindparam("since"),
        InboundMail.verdict != Verdict.AUTOMATIC,
        # Mails in somebody's name that are vouched for less take nothing from those that are vouched for.
        InboundMail.authenticity.in_(bindparam("as_good", expanding=True)),
    )
)
# The same mail, at least as well vouched for: who only took a Message-ID before its owner used it takes nothing away.
_CAME_BEFORE = (
    select(InboundMail.id)
    .where(
        InboundMail.sender == bindparam("sender"),
        InboundMail.message_id == bindparam("message_id"),
        InboundMail.authenticity.in_(bindparam("as_good", expanding=True)),
        InboundMail.case_id.is_not(None),
    )
    .limit(1)
)
_REF = select(Account.ref).where(Account.id == bindparam("account_id"))
_A_DAY = timedelta(hours=24)
_ANSWER_AFTER = timedelta(seconds=5)

NOT_AS_CLAIMED = "the sender's domain says that this mail is not its own"
UNPROVEN = "nothing proves the sender, and the policy holds such mails"
WRITES_TOO_OFTEN = "this address has written more often in 24 hours than the policy allows"
OF_ANOTHER_ACCOUNT = "its text names an account that is not the sender's"
CAME_BEFORE = "this very mail has opened a reset before"
_WHOSE = {False: "the address belongs to no account", True: "the address belongs to several accounts"}


class Request(StrEnum):
    """What a mail is, as its reader judged it. `unsure` may be a request for a reset; a person looks."""

    RESET = "reset"
    UNSURE = "unsure"
    SOMETHING_ELSE = "something_else"
    AUTOMATIC = "automatic"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail as its reader understood it; `sender` is a normalised address, None where there is not exactly one.

    `tokens` are what stands where the tokens of threads do, `bounced` says that the mail reports that one of ours can
    never be delivered, `code` is the code that it consists of, if it says little else, and `accounts` are the accounts
    that it names: numbers, as small letters and digits.
    """

    request: Request
    reasons: tuple[str, ...]
    sender: str | None = None
    message_id: str | None = None
    authenticity: Authenticity = Authenticity.UNAUTHENTICATED
    tokens: tuple[str, ...] = ()
    bounced: bool = False
    code: str | None = field(default=None, repr=False)
    accounts: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a mail. After the commit ring for the messages `owed`, and for a bounce's `receipts`.

    The `answer` to the sender is not due yet: the relay rings for it.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    case_id: UUID | None = None
    owed: tuple[UUID, ...] = ()
    receipts: tuple[UUID, ...] = ()
    answer: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A mail that waits for its verdict: `raw` is what `source` delivered, as it came."""

    source: str
    raw: bytes = field(repr=False)


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


def stored(installation: Installation, mail_id: UUID) -> Stored | None:
    """A mail that is not judged yet; None where it is."""
    with installation.database.read() as connection:
        row = connection.execute(_RAW, {"mail_id": mail_id}).one_or_none()
    return Stored(row.source, row.raw) if row else None


def decide(installation: Installation, mail_id: UUID, reading: Reading, now: datetime) -> Decided | None:
    """Acts on what the reader understood; None where the mail was decided before."""
    with installation.database.begin() as connection:
        if connection.execute(_LOCK, {"mail_id": mail_id}).scalar_one_or_none() is None:
            return None
        decided = _decided(installation, connection, reading, now)
        _keep(connection, mail_id, reading, decided, now)
        answer = _answer(installation, connection, mail_id, reading, now)
        return replace(decided, answer=answer)


def _decided(installation: Installation, connection: Connection, reading: Reading, now: datetime) -> Decided:
    if reading.request is Request.UNREADABLE:
        return Decided(Verdict.UNREADABLE, reading.reasons)
    if reading.request is Request.AUTOMATIC:
        heard = bounces.hear(installation, connection, reading.tokens, now) if reading.bounced else ()
        return Decided(Verdict.AUTOMATIC, reading.reasons, receipts=heard)
    if reading.sender is None:
        return Decided(Verdict.HELD, reading.reasons)
    if reading.authenticity is Authenticity.FORGED:
        return _held(reading, NOT_AS_CLAIMED)
    if _writes_too_often(installation, connection, reading, now):
        return _held(reading, WRITES_TOO_OFTEN)
    return _reply(installation, connection, reading, now) or _request(installation, connection, reading, now)


def _held(reading: Reading, why: str) -> Decided:
    return Decided(Verdict.HELD, (*reading.reasons, why))


def _writes_too_often(installation: Installation, connection: Connection, reading: Reading, now: datetime) -> bool:
    key = {"sender": reading.sender, "since": now - _A_DAY, "as_good": _as_good(reading)}
    return connection.execute(_WRITTEN_SINCE, key).scalar_one() >= installation.policy.inbox.most_a_day


def _reply(installation: Installation, connection: Connection, reading: Reading, now: datetime) -> Decided | None:
    """What becomes of an answer to a mail of ours about a case; None where it is none."""
    thread = replies.thread_of(installation, connection, reading.tokens)
    if thread is None:
        return None
    if reading.sender is None or not replies.is_customers(connection, thread, reading.sender):
        return _held(reading, replies.OF_ANOTHER)
    if _names_another(connection, reading, thread.account_id):
        return Decided(Verdict.HELD, (*reading.reasons, OF_ANOTHER_ACCOUNT), thread.case_id)
    if reading.request is not Request.RESET and reading.code is None:
        return Decided(Verdict.HELD, (*reading.reasons, replies.IN_THREAD), thread.case_id)
    proven = reading.authenticity is Authenticity.AUTHENTIC
    replied = replies.take(installation, connection, thread, reading.sender, reading.code, proven=proven, now=now)
    return _joined(reading, replied) if replied else None


def _joined(reading: Reading, replied: Replied) -> Decided:
    return Decided(Verdict.JOINED, (*reading.reasons, replied.why), replied.case_id, replied.owed)


def _request(installation: Installation, connection: Connection, reading: Reading, now: datetime) -> Decided:
    if reading.request is not Request.RESET or reading.sender is None:
        return Decided(Verdict.HELD, reading.reasons)
    if reading.authenticity is not Authenticity.AUTHENTIC and installation.policy.inbox.unauthenticated == "hold":
        return _held(reading, UNPROVEN)
    accounts = accounts_with_address(connection, reading.sender)
    if len(accounts) != 1:
        return _held(reading, _WHOSE[bool(accounts)])
    if _names_another(connection, reading, accounts[0]):
        return _held(reading, OF_ANOTHER_ACCOUNT)
    return _open(installation, connection, accounts[0], reading, now)


def _names_another(connection: Connection, reading: Reading, account_id: UUID) -> bool:
    """Whether a number in the text is not the account's own: neither its ref nor, without letters, the digits of it."""
    ref = unicodedata.normalize("NFKD", connection.execute(_REF, {"account_id": account_id}).scalar_one()).casefold()
    own = {"".join(filter(str.isalnum, ref)), "".join(filter(str.isdecimal, ref))}
    return not own.issuperset(reading.accounts)


def _open(
    installation: Installation, connection: Connection, account_id: UUID, reading: Reading, now: datetime
) -> Decided:
    if _came_before(connection, reading) and not has_open_case(connection, account_id):
        return _held(reading, CAME_BEFORE)
    try:
        opened = open_within(installation, connection, account_id, AskedThrough.INBOX, actor=Actor.CUSTOMER, now=now)
    except ResetsDisabled as refusal:
        return _held(reading, str(refusal))
    return Decided(verdict_of(opened), reading.reasons, opened.case_id, opened.owed)


def _came_before(connection: Connection, reading: Reading) -> bool:
    key = {"sender": reading.sender, "message_id": reading.message_id, "as_good": _as_good(reading)}
    return reading.message_id is not None and connection.execute(_CAME_BEFORE, key).first() is not None


def _as_good(reading: Reading) -> list[Authenticity]:
    """What is vouched for as well as this mail, or better."""
    if reading.authenticity is Authenticity.AUTHENTIC:
        return [Authenticity.AUTHENTIC]
    return [Authenticity.AUTHENTIC, Authenticity.UNAUTHENTICATED]


def verdict_of(opened: Opened) -> Verdict:
    """What a mail's verdict is that has led to this."""
    return Verdict.JOINED if opened.joined else Verdict.OPENED


def _keep(connection: Connection, mail_id: UUID, reading: Reading, decided: Decided, now: datetime) -> None:
    row = {
        "of": mail_id,
        "verdict": decided.verdict,
        "reasons": "; ".join(decided.reasons),
        "sender": reading.sender,
        "message_id": reading.message_id,
        "authenticity": reading.authenticity,
        "judged_at": now,
        "case_id": decided.case_id,
    }
    connection.execute(_JUDGE, row)


def _answer(
    installation: Installation, connection: Connection, mail_id: UUID, reading: Reading, now: datetime
) -> UUID | None:
    """Queues the answer, where the sender asked for a reset and had none lately: so two machines come to an end.

    It is due some seconds later, so that a stranger's answer is not the faster one because no case was opened first.
    """
    if reading.request is not Request.RESET or reading.sender is None or reading.authenticity is Authenticity.FORGED:
        return None
    wait_for_turn(connection, f"keyturn answer {reading.sender}")
    since = now - installation.policy.limits.answer_again_after
    if connection.execute(_ANSWERED_SINCE, {"sender": reading.sender, "since": since}).scalar_one_or_none():
        return None
    due_at = now + _ANSWER_AFTER
    row = queued(MessageKind.INBOX_ANSWER, Channel.EMAIL, now, due_at=due_at, inbound_mail_id=mail_id)
    connection.execute(insert(Message), row)
    return UUID(str(row["id"]))
