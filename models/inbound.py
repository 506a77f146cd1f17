"""A mail that reached the support inbox: its raw bytes, stored before anything is read, and the verdict on it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column


class Verdict(StrEnum):
    """What became of a mail. `received` is not judged yet; `held` waits for a person, who may have it `dismissed`."""

    RECEIVED = "received"
    OPENED = "opened"
    JOINED = "joined"
    HELD = "held"
    DISMISSED = "dismissed"
    AUTOMATIC = "automatic"
    UNREADABLE = "unreadable"


WAITING = frozenset({Verdict.HELD, Verdict.UNREADABLE})
"""A person has to look at these."""


class Authenticity(StrEnum):
    """Whether the domain of a mail's sender vouches for it. `forged`: it says that the mail is not its own."""

    AUTHENTIC = "authentic"
    UNAUTHENTICATED = "unauthenticated"
    FORGED = "forged"


class InboundMail(Base):
    """One delivery; (`source`, `delivery_id`) is unique, so that a delivery taken twice is stored once.

    `decided_by` names the person who decided on a held mail. From `erased_at` on, `raw`, `sender` and `message_id` are
    gone, and what was decided stays.
    """

    __tablename__ = "inbound_mail"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(32))
    delivery_id: Mapped[str] = mapped_column(String(255))
    received_at: Mapped[datetime]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    reasons: Mapped[str] = mapped_column(Text, server_default="")
    sender: Mapped[str | None] = mapped_column(String(320), index=True)
    message_id: Mapped[str | None] = mapped_column(Text)
    rung_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"))
    authenticity: Mapped[Authenticity | None] = mapped_column(enum_column(Authenticity))
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "source", "delivery_id", unique=True),
        Index(
            "ix_inbound_mail_unjudged",
            "received_at",
            postgresql_where=text("verdict = 'received'"),
            sqlite_where=text("verdict = 'received'"),
        ),
        Index(
            "ix_inbound_mail_kept",
            "received_at",
            postgresql_where=text("erased_at IS NULL"),
            sqlite_where=text("erased_at IS NULL"),
        ),
    )
