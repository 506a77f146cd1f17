"""Messages to be sent, which are the outbox rows too, and every attempt to send them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column
from policy.vocabulary import Channel, MessageKind


class MessageStatus(StrEnum):
    """`queued` waits for `due_at`, `claimed` is with a worker until `leased_until`; the others are final."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What became of an attempt. `lost`: its worker died before it could say."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"
    UNKNOWN = "unknown"
    LOST = "lost"


class Message(Base):
    """Something to be sent, and the record of its sending.

    It goes to `contact_id`, or, as the answer to a mail, to the sender of `inbound_mail_id`. `rung_at` is when the
    broker was last told of it.
    """

    __tablename__ = "message"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel))
    status: Mapped[MessageStatus] = mapped_column(enum_column(MessageStatus))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_point.id"))
    challenge_id: Mapped[UUID | None] = mapped_column(ForeignKey("challenge.id"))
    inbound_mail_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbound_mail.id"), index=True)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[datetime | None]
    provider: Mapped[str | None] = mapped_column(String(32))
    provider_id: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        Index(None, "provider", "provider_id", unique=True),
        Index(
            "ix_message_due",
            "due_at",
            postgresql_where=text("status = 'queued'"),
            sqlite_where=text("status = 'queued'"),
        ),
        Index(
            "ix_message_leased",
            "leased_until",
            postgresql_where=text("status = 'claimed'"),
            sqlite_where=text("status = 'claimed'"),
        ),
    )


class Attempt(Base):
    """One call of a provider, written when it has ended. `code` is a short word for what went wrong."""

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome))
    code: Mapped[str | None] = mapped_column(String(100))
