"""An account of the billing system, its contact points, and the history of what was set for it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column
from models.cases import Actor
from policy.vocabulary import Channel, ContactKind, Finding


class AccountStatus(StrEnum):
    """`enrolment_pending`: a reset removed the factors, and no sign-in succeeds until a new one is enrolled."""

    ACTIVE = "active"
    ENROLMENT_PENDING = "enrolment_pending"


class Account(Base):
    """A customer; `ref` is the billing system's own id, `country` ISO 3166-1 alpha-2, `state` a US state or None.

    `wrong_in_a_row` counts what was wrong in resets, `refused_in_a_row` what was refused at sign-in, where nothing is
    looked at before `sign_in_waits_until`. Until `quarantine_until` the billing system holds risky changes.
    `changed_by_billing_at` is when what a reset stands on was last changed through the import or the API, where nobody
    shows a second factor; `chosen_at` when its customer last chose preference or backup in the settings.
    """

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
    refused_in_a_row: Mapped[int] = mapped_column(server_default=text("0"))
    sign_in_waits_until: Mapped[datetime | None]
    quarantine_until: Mapped[datetime | None]
    changed_by_billing_at: Mapped[datetime | None]
    chosen_at: Mapped[datetime | None]


class ContactPoint(Base):
    """One version of a place where an account can be reached; the current one has no `replaced_at`.

    `value` is an address as `foundation.addresses` writes it, a number in E.164, or a postal address as JSON.
    `finding` is what a vendor said of it before the first message went there. A new one that its customer has entered
    becomes the current one at `confirmed_at`, when the code that was sent there comes back, before `proposed_until`:
    until then it has `replaced_at`, from the start.
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
    proposed_until: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]

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


class AccountEvent(Base):
    """One line of an account's history, append-only. `facts` is JSON and names nobody: kinds, channels, ids."""

    __tablename__ = "account_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    event: Mapped[str] = mapped_column(String(64))
    actor: Mapped[Actor] = mapped_column(enum_column(Actor))
    at: Mapped[datetime]
    facts: Mapped[str] = mapped_column(Text)

    # As for the history of a case: no second key.
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own spelling
