"""Who may come in: a customer's browser at the settings pages, and the billing system at the REST API."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column


class SessionKind(StrEnum):
    """`portal`: the billing system has signed the customer in. `enrolment`: a completed reset lets them enrol."""

    PORTAL = "portal"
    ENROLMENT = "enrolment"


class PortalSession(Base):
    """One visit of a customer to the settings pages.

    The link works once, before `link_until`; then the browser shows a cookie until `ends_at`. Tokens are stored as
    digests. `factor_at` is when a second factor was last shown in it. `case_id` is the reset that an enrolment follows.
    """

    __tablename__ = "portal_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[SessionKind] = mapped_column(enum_column(SessionKind))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"))
    link_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    link_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    entered_at: Mapped[datetime | None]
    cookie_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    ends_at: Mapped[datetime | None]
    factor_at: Mapped[datetime | None]


class Enrolment(Base):
    """What a completed reset grants: enrolling the first new factor, once, before `ends_at`."""

    __tablename__ = "enrolment"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("reset_case.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of the REST API, kept as a digest. `name` is what its operator calls it."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CrowdedAddress(Base):
    """What was refused at sign-in for one network address, whosever account it was; the address as a keyed digest."""

    __tablename__ = "crowded_address"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    since: Mapped[datetime]
