"""An account of the billing system, its contact points and its authenticators."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column
from policy.vocabulary import Channel, ContactKind, Finding


class AccountStatus(StrEnum):
    """`enrolment_pending`: a reset removed the factors, and no sign-in succeeds until a new one is enrolled."""

    ACTIVE = "active"
    ENROLMENT_PENDING = "enrolment_pending"


class AuthenticatorKind(StrEnum):
    """An enrolled second factor."""

    TOTP = "totp"
    SMS = "sms"
    SECURITY_KEY = "security_key"
    RECOVERY_CODES = "recovery_codes"


class Account(Base):
    """A customer; `ref` is the billing system's own id, `country` ISO 3166-1 alpha-2, `state` a US state or None."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    state: Mapped[str | None] = mapped_column(String(2))
    preference: Mapped[Channel | None] = mapped_column(enum_column(Channel, "preference"))
    backup: Mapped[Channel | None] = mapped_column(enum_column(Channel, "backup"))
    passphrase_hash: Mapped[str | None] = mapped_column(Text)
    status: Mapped[AccountStatus] = mapped_column(enum_column(AccountStatus))
    wrong_in_a_row: Mapped[int] = mapped_column(server_default=text("0"))
    resets_disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ContactPoint(Base):
    """One version of a place where an account can be reached; the current one has no `replaced_at`.

    `value` is an address as `foundation.addresses` writes it, a number in E.164, or a postal address as JSON.
    `finding` is what a vendor said of it before the first message went there.
    """

    __tablename__ = "contact_point"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[ContactKind] = mapped_column(enum_column(ContactKind))
    value: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    finding: Mapped[Finding | None] = mapped_column(enum_column(Finding))

    __table_args__ = (
        Index(None, "account_id", "kind", "version", unique=True),
        Index(
            "uq_contact_point_current",
            "account_id",
            "kind",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
            sqlite_where=text("replaced_at IS NULL"),
        ),
        Index(None, "value"),
    )


class Authenticator(Base):
    """An enrolled second factor. Revoking keeps the row, so that history can name it, and erases its secret."""

    __tablename__ = "authenticator"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[AuthenticatorKind] = mapped_column(enum_column(AuthenticatorKind))
    label: Mapped[str] = mapped_column(String(100))
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
