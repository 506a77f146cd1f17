"""What people see of cases and accounts: read in one go, destinations masked, never a code or a passphrase."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, or_, select

from authenticators.listing import Listed, listed
from models.accounts import Account, AccountStatus, ContactPoint
from models.base import AnyRow, UtcDateTime
from models.cases import (
    OPEN_STATES,
    Actor,
    AskedThrough,
    CaseEvent,
    CaseState,
    Challenge,
    HeldFor,
    Proof,
    ResetCase,
)
from models.inbound import WAITING, Authenticity, InboundMail, Verdict
from models.messages import Delivery, Message, MessageStatus
from policy.vocabulary import Channel, ContactKind, MessageKind, ProofKind
from workflows import history
from workflows.accounts import UnknownAccount, destination_of, masked
from workflows.cases import UnknownCase
from workflows.held import UnknownMail
from workflows.history import Fact
from workflows.installation import Installation


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list."""

    reference: str
    account: str
    state: CaseState
    held_for: HeldFor | None
    channel: Channel | None
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class CodeSent:
    """The newest message with the case's code; `valid_until` is None until a worker took it.

    `delivery` is what the vendor said since; `is_over` says that its code was used or replaced.
    """

    status: MessageStatus
    delivery: Delivery | None
    queued_at: datetime
    sent_at: datetime | None
    valid_until: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class ProofShown:
    """A proof of the case."""

    kind: ProofKind
    met_at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its customer or an agent may see it."""

    id: UUID
    reference: str
    account: str
    state: CaseState
    held_for: HeldFor | None
    asked_through: AskedThrough
    channel: Channel | None
    destination: str | None
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    proof_set: str | None
    remark: str | None
    hold_until: datetime | None
    passphrase_set: bool
    asked_again_at: datetime | None
    code: CodeSent | None
    proofs: tuple[ProofShown, ...]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def takes_code(self) -> bool:
        """Whether a code can be entered: the first one, or a new one for a customer who has lost the case's page."""
        return self.state is CaseState.REQUESTED or (self.is_open and self.code is not None and not self.code.is_over)

    @property
    def needs_passphrase(self) -> bool:
        """Whether the passphrase is what the case waits for."""
        return self.state is CaseState.CONTACT_VERIFIED and self.passphrase_set


@dataclass(frozen=True, slots=True)
class EventView:
    """A line of a history; `facts` is None where they were erased."""

    seq: int
    event: str
    from_state: CaseState | None
    to_state: CaseState
    actor: Actor
    at: datetime
    facts: dict[str, Fact] | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message that a case owed somebody."""

    kind: MessageKind
    channel: Channel
    destination: str
    status: MessageStatus
    delivery: Delivery | None
    attempts: int
    due_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What a message says, and how the case that it is about stands now, if it is about one.

    `is_over` says that its code, where it has one, was used or replaced.
    """

    kind: MessageKind
    reference: str | None
    state: CaseState | None
    is_over: bool

    @property
    def can_be_stopped(self) -> bool:
        """Whether 9 does something in a call."""
        return self.state in OPEN_STATES if self.reference else not self.is_over


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail that reached the inbox; its sender is masked."""

    id: UUID
    received_at: datetime
    sender: str | None
    verdict: Verdict
    authenticity: Authenticity | None
    reference: str | None
    reasons: str
    decided_by: str | None
    decided_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class RawMail:
    """A mail's bytes as its source delivered them; none once it was erased."""

    source: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContactView:
    """A current contact point of an account."""

    kind: ContactKind
    destination: str
    version: int
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as support may see it."""

    ref: str
    name: str
    country: str
    status: AccountStatus
    preference: Channel | None
    backup: Channel | None
    passphrase_set: bool
    resets_disabled_at: datetime | None
    quarantine_until: datetime | None
    contacts: tuple[ContactView, ...]
    authenticators: tuple[Listed, ...]
    cases: tuple[CaseLine, ...]


_LINE = (
    select(
        ResetCase.reference,
        Account.ref,
        ResetCase.state,
        ResetCase.held_for,
        ResetCase.channel,
        ResetCase.opened_at,
        ResetCase.expires_at,
        ResetCase.closed_at,
    )
    .join(Account, Account.id == ResetCase.account_id)
    .order_by(ResetCase.opened_at.desc(), ResetCase.id.desc())
)
_CASE = (
    select(
        ResetCase.id,
        ResetCase.reference,
        Account.ref,
        ResetCase.state,
        ResetCase.held_for,
        ResetCase.asked_through,
        ResetCase.channel,
        ContactPoint.kind,
        ContactPoint.value,
        ResetCase.opened_at,
        ResetCase.expires_at,
        ResetCase.closed_at,
        ResetCase.proof_set,
        ResetCase.remark,
        ResetCase.hold_until,
        (Account.passphrase_hash.is_not(None)).label("passphrase_set"),
    )
    .join(Account, Account.id == ResetCase.account_id)
    .outerjoin(ContactPoint, ContactPoint.id == ResetCase.contact_id)
)
_ASKED_AGAIN = select(func.max(CaseEvent.at, type_=UtcDateTime())).where(
    CaseEvent.case_id == bindparam("case_id"), CaseEvent.event == "asked_again"
)
_CODE = (
    select(
        Message.status,
        Message.delivery,
        Message.created_at,
        Message.sent_at,
        Challenge.expires_at,
        (Challenge.used_at.is_not(None) | Challenge.replaced_at.is_not(None)).label("is_over"),
    )
    .join(Challenge, Challenge.id == Message.challenge_id)
    .where(Message.case_id == bindparam("case_id"), Message.kind == MessageKind.RESET_CODE)
    .order_by(Message.created_at.desc())
    .limit(1)
)
_PROOFS = (
    select(Proof.kind, Proof.met_at, Proof.how).where(Proof.case_id == bindparam("case_id")).order_by(Proof.met_at)
)
_MESSAGES = (
    select(
        Message.kind,
        Message.channel,
        ContactPoint.kind.label("contact_kind"),
        ContactPoint.value,
        Message.status,
        Message.delivery,
        Message.attempts,
        Message.due_at,
        Message.sent_at,
    )
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(Message.case_id == bindparam("case_id"))
    .order_by(Message.created_at, Message.id)
)
_SENT_MESSAGES = (
    select(
        Message.id,
        Message.kind,
        ResetCase.reference,
        ResetCase.state,
        or_(Challenge.used_at.is_not(None), Challenge.replaced_at.is_not(None)).label("is_over"),
    )
    .outerjoin(ResetCase, ResetCase.id == Message.case_id)
    .outerjoin(Challenge, Challenge.id == Message.challenge_id)
    .where(Message.id.in_(bindparam("ids", expanding=True)))
)
_MAILS = select(
    InboundMail.id,
    InboundMail.received_at,
    InboundMail.sender,
    InboundMail.verdict,
    InboundMail.authenticity,
    ResetCase.reference,
    InboundMail.reasons,
    InboundMail.decided_by,
    InboundMail.decided_at,
    InboundMail.erased_at,
).outerjoin(ResetCase, ResetCase.id == InboundMail.case_id)
_NEWEST_MAILS = _MAILS.order_by(InboundMail.received_at.desc(), InboundMail.id.desc())
# Oldest first: whoever sends many cannot push anybody else's out of sight.
_WAITING_MAILS = _MAILS.where(InboundMail.verdict.in_(WAITING)).order_by(InboundMail.received_at, InboundMail.id)
_SENDER = select(InboundMail.sender).where(InboundMail.id == bindparam("mail_id"))
_REFS = (
    select(Account.ref)
    .distinct()
    .join(ContactPoint, ContactPoint.account_id == Account.id)
    .where(ContactPoint.value == bindparam("address"), ContactPoint.replaced_at.is_(None))
    .order_by(Account.ref)
)
_RAW_MAIL = select(InboundMail.source, InboundMail.raw).where(InboundMail.id == bindparam("mail_id"))
_ACCOUNT = select(
    Account.id,
    Account.ref,
    Account.name,
    Account.country,
    Account.status,
    Account.preference,
    Account.backup,
    (Account.passphrase_hash.is_not(None)).label("passphrase_set"),
    Account.resets_disabled_at,
    Account.quarantine_until,
).where(Account.ref == bindparam("ref"))
_CONTACTS = (
    select(ContactPoint.kind, ContactPoint.value, ContactPoint.version, ContactPoint.verified_at)
    .where(ContactPoint.account_id == bindparam("account_id"), ContactPoint.replaced_at.is_(None))
    .order_by(ContactPoint.kind)
)


def list_cases(installation: Installation, state: CaseState | None = None, limit: int = 200) -> list[CaseLine]:
    """The newest cases, at most `limit`."""
    statement = _LINE if state is None else _LINE.where(ResetCase.state == state)
    with installation.database.read() as connection:
        return [CaseLine(*row) for row in connection.execute(statement.limit(limit))]


def list_mails(installation: Installation, limit: int = 200) -> list[MailView]:
    """The newest mails, at most `limit`."""
    with installation.database.read() as connection:
        return [_mail(row) for row in connection.execute(_NEWEST_MAILS.limit(limit))]


def waiting_mails(installation: Installation, limit: int = 200) -> list[MailView]:
    """The mails that wait for a person, the oldest first, at most `limit`."""
    with installation.database.read() as connection:
        return [_mail(row) for row in connection.execute(_WAITING_MAILS.limit(limit))]


def mail_view(installation: Installation, mail_id: UUID) -> tuple[MailView, RawMail]:
    """The mail and its bytes. Raises `UnknownMail`."""
    with installation.database.read() as connection:
        row = connection.execute(_MAILS.where(InboundMail.id == mail_id)).one_or_none()
        if row is None:
            raise UnknownMail
        return _mail(row), RawMail(*connection.execute(_RAW_MAIL, {"mail_id": mail_id}).one())


def sender_of(installation: Installation, mail_id: UUID) -> tuple[str | None, tuple[str, ...]]:
    """The whole address that the mail is from, and the refs of the accounts that have it. For whoever decides on it."""
    with installation.database.read() as connection:
        sender = connection.execute(_SENDER, {"mail_id": mail_id}).scalar_one_or_none()
        refs = connection.execute(_REFS, {"address": sender}).scalars()
        return sender, tuple(refs)


def _mail(row: AnyRow) -> MailView:
    mail_id, received_at, sender, *others = row
    return MailView(mail_id, received_at, sender and masked(sender), *others)


def case_view(installation: Installation, reference: str) -> CaseView:
    """The case. Raises `UnknownCase`."""
    with installation.database.read() as connection:
        return _view(connection, _found(connection, reference))


def case_with_history(
    installation: Installation, reference: str
) -> tuple[CaseView, tuple[EventView, ...], tuple[MessageView, ...]]:
    """The case, its history and its messages. Raises `UnknownCase`."""
    with installation.database.read() as connection:
        row = _found(connection, reference)
        return _view(connection, row), tuple(_events(connection, row.id)), tuple(_messages(connection, row.id))


def account_view(installation: Installation, ref: str) -> AccountView:
    """The account with its contacts, factors and cases. Raises `UnknownAccount`."""
    with installation.database.read() as connection:
        row: AnyRow | None = connection.execute(_ACCOUNT, {"ref": ref}).one_or_none()
        if row is None:
            raise UnknownAccount(ref)
        key = {"account_id": row.id}
        contacts = (
            ContactView(kind, masked(destination_of(kind, value)), version, verified_at)
            for kind, value, version, verified_at in connection.execute(_CONTACTS, key)
        )
        return AccountView(
            row.ref,
            row.name,
            row.country,
            row.status,
            row.preference,
            row.backup,
            row.passphrase_set,
            row.resets_disabled_at,
            row.quarantine_until,
            tuple(contacts),
            listed(connection, row.id),
            tuple(CaseLine(*each) for each in connection.execute(_LINE.where(ResetCase.account_id == row.id))),
        )


def sent_messages(installation: Installation, message_ids: Iterable[UUID]) -> Mapping[UUID, SentMessage]:
    """What is known of each of these messages."""
    with installation.database.read() as connection:
        rows = connection.execute(_SENT_MESSAGES, {"ids": list(message_ids)})
        return {row.id: SentMessage(row.kind, row.reference, row.state, bool(row.is_over)) for row in rows}


def _found(connection: Connection, reference: str) -> AnyRow:
    row = connection.execute(_CASE.where(ResetCase.reference == reference)).one_or_none()
    if row is None:
        raise UnknownCase
    return row


def _view(connection: Connection, row: AnyRow) -> CaseView:
    key = {"case_id": row.id}
    code = connection.execute(_CODE, key).one_or_none()
    return CaseView(
        row.id,
        row.reference,
        row.ref,
        row.state,
        row.held_for,
        row.asked_through,
        row.channel,
        masked(destination_of(row.kind, row.value)) if row.kind else None,
        row.opened_at,
        row.expires_at,
        row.closed_at,
        row.proof_set,
        row.remark,
        row.hold_until,
        row.passphrase_set,
        connection.execute(_ASKED_AGAIN, key).scalar_one(),
        CodeSent(*code) if code else None,
        tuple(ProofShown(*proof) for proof in connection.execute(_PROOFS, key)),
    )


def _events(connection: Connection, case_id: UUID) -> Iterator[EventView]:
    for line in history.lines(connection, case_id):
        facts = None if line.facts is None else json.loads(line.facts)
        yield EventView(line.seq, line.event, line.from_state, line.to_state, line.actor, line.at, facts)


def _messages(connection: Connection, case_id: UUID) -> Iterator[MessageView]:
    for row in connection.execute(_MESSAGES, {"case_id": case_id}):
        destination = masked(destination_of(row.contact_kind, row.value))
        yield MessageView(
            row.kind, row.channel, destination, row.status, row.delivery, row.attempts, row.due_at, row.sent_at
        )
