"""A reset case, what was proven in it, its codes, and its history."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column, one_of
from policy.vocabulary import Channel, ProofKind


class CaseState(StrEnum):
    """Where a case stands. The first three are open; nothing leaves the others."""

    REQUESTED = "requested"
    CONTACT_VERIFIED = "contact_verified"
    PASSPHRASE_CHECKED = "passphrase_checked"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DENIED = "denied"
    EXPIRED = "expired"


OPEN_STATES = frozenset({CaseState.REQUESTED, CaseState.CONTACT_VERIFIED, CaseState.PASSPHRASE_CHECKED})
IS_OPEN = text(one_of("state", OPEN_STATES))


class HeldFor(StrEnum):
    """Why a case waits for a supervisor."""

    NO_USABLE_CONTACT = "no_usable_contact"
    CONTACT_CHANGED = "contact_changed"
    NOT_ALLOWED = "not_allowed"
    UNDELIVERABLE = "undeliverable"


class Actor(StrEnum):
    """Who did it. Names of people stand in the facts, where they can be erased."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    BILLING = "billing"
    SYSTEM = "system"


class AskedThrough(StrEnum):
    """How the request for a reset came."""

    INBOX = "inbox"
    SUPPORT = "support"


class ResetCase(Base):
    """One attempt of an account to have its second factors reset.

    `contact_id`, `contact_version` and `contact_digest` pin the contact point at opening. Only `workflows.machine`
    writes `state`. `seq` and `head` are the number and the hash of the newest event: the next one is chained to them,
    and a missing last line is noticed.
    """

    __tablename__ = "reset_case"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(11), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    asked_through: Mapped[AskedThrough] = mapped_column(enum_column(AskedThrough))
    state: Mapped[CaseState] = mapped_column(enum_column(CaseState))
    channel: Mapped[Channel | None] = mapped_column(enum_column(Channel))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_point.id"))
    contact_version: Mapped[int | None]
    contact_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    least_hold_seconds: Mapped[int]
    held_for: Mapped[HeldFor | None] = mapped_column(enum_column(HeldFor))
    proof_set: Mapped[str | None] = mapped_column(String(100))
    remark: Mapped[str | None] = mapped_column(String(100))
    hold_until: Mapped[datetime | None]
    wrong_tries: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    seq: Mapped[int]
    head: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("uq_reset_case_open", "account_id", unique=True, postgresql_where=IS_OPEN, sqlite_where=IS_OPEN),
        Index("ix_reset_case_due", "expires_at", postgresql_where=IS_OPEN, sqlite_where=IS_OPEN),
        Index("ix_reset_case_hold", "hold_until", postgresql_where=IS_OPEN, sqlite_where=IS_OPEN),
    )


class Proof(Base):
    """Something shown in a case, at most once each; `fresh_until` limits an attested password sign-in."""

    __tablename__ = "proof"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("reset_case.id"), primary_key=True)
    kind: Mapped[ProofKind] = mapped_column(enum_column(ProofKind), primary_key=True)
    met_at: Mapped[datetime]
    fresh_until: Mapped[datetime | None]
    how: Mapped[str] = mapped_column(String(100))


class CodeFor(StrEnum):
    """What an issued code is for. `contact` confirms a new contact point, `enrolment` proves the old one once more."""

    RESET = "reset"
    SIGN_IN = "sign_in"
    CONTACT = "contact"
    ENROLMENT = "enrolment"


class Challenge(Base):
    """One issued code: the sealed secret it is derived from, its expiry and the tries used.

    It belongs to a case, or to the contact point that it is sent to. `expires_at` is None until a worker takes a
    message with the code; `taken_at` is when a vendor took (or may have taken) it first. The current challenge has
    neither `used_at` nor `replaced_at`.
    """

    __tablename__ = "challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"), index=True)
    sealed_secret: Mapped[str] = mapped_column(Text)
    digits: Mapped[int]
    tries: Mapped[int]
    created_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    code_for: Mapped[CodeFor] = mapped_column(enum_column(CodeFor), server_default=CodeFor.RESET.value)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_point.id"))

    __table_args__ = (
        CheckConstraint("(case_id IS NULL) <> (contact_id IS NULL)", name="one_owner"),
        Index(
            "uq_challenge_current",
            "case_id",
            unique=True,
            postgresql_where=text("used_at IS NULL AND replaced_at IS NULL"),
            sqlite_where=text("used_at IS NULL AND replaced_at IS NULL"),
        ),
        Index(
            "uq_challenge_of_contact",
            "contact_id",
            "code_for",
            unique=True,
            postgresql_where=text("used_at IS NULL AND replaced_at IS NULL"),
            sqlite_where=text("used_at IS NULL AND replaced_at IS NULL"),
        ),
    )


class CaseEvent(Base):
    """One line of a case's history, append-only: `hash` covers the line and the hash of the line before."""

    __tablename__ = "case_event"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("reset_case.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(64))
    from_state: Mapped[CaseState | None] = mapped_column(enum_column(CaseState, "from_state"))
    to_state: Mapped[CaseState] = mapped_column(enum_column(CaseState, "to_state"))
    actor: Mapped[Actor] = mapped_column(enum_column(Actor))
    at: Mapped[datetime]
    facts_digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    # SQLite's hidden row number would be a second key, by which INSERT OR REPLACE could take a line out.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own spelling


class CaseEventFacts(Base):
    """The facts of one line, erasable: the chain covers only their salted digest."""

    __tablename__ = "case_event_facts"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[str] = mapped_column(Text)

    __table_args__ = (ForeignKeyConstraint(["case_id", "seq"], ["case_event.case_id", "case_event.seq"]),)
