"""Messages to be sent, which are the outbox rows too, every attempt to send them, and what vendors say of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column
from policy.vocabulary import Change, Channel, Fate, MessageKind


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


class Delivery(StrEnum):
    """What the vendor has said of a message since it took it. A later member outranks an earlier one."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"


class Message(Base):
    """Something to be sent, and the record of its sending.

    It goes to `contact_id`, or, as the answer to a mail, to the sender of `inbound_mail_id`. `rung_at` is when the
    broker was last told of it. `in_doubt_since` is when the first attempt began that the vendor may have taken though
    it gave no receipt. A letter can be stopped until `leaves_at`; `recalled_at` is when the vendor said whether it
    stopped it. `heard_in` is the call, by the vendor's id, in which the code was read out. `change` is what a
    `notice_changed` tells of.
    """

    __tablename__ = "message"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[MessageKind] = mapped_column(enum_column(MessageKind))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel))
    status: Mapped[MessageStatus] = mapped_column(enum_column(MessageStatus))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
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
    in_doubt_since: Mapped[datetime | None]
    delivery: Mapped[Delivery | None] = mapped_column(enum_column(Delivery))
    leaves_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    heard_in: Mapped[str | None] = mapped_column(String(200))
    change: Mapped[Change | None] = mapped_column(enum_column(Change))

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
        Index(
            "ix_message_leaving",
            "leaves_at",
            postgresql_where=text("leaves_at IS NOT NULL"),
            sqlite_where=text("leaves_at IS NOT NULL"),
        ),
    )


class Attempt(Base):
    """One call of a provider, written when it has ended.

    `code` is a short word for what went wrong, `provider_id` the vendor's id for what it took.
    """

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    outcome: Mapped[Outcome] = mapped_column(enum_column(Outcome))
    code: Mapped[str | None] = mapped_column(String(100))
    provider_id: Mapped[str | None] = mapped_column(String(200))


class DeliveryReceipt(Base):
    """What a vendor said later about a message, stored once; (`vendor`, `event_id`) is unique.

    `message_id` is what the vendor was given to remember. It proves nothing: the message is the one with `provider_id`.
    """

    __tablename__ = "delivery_receipt"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor: Mapped[str] = mapped_column(String(32))
    event_id: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[UUID | None]
    provider_id: Mapped[str] = mapped_column(String(200))
    fate: Mapped[Fate] = mapped_column(enum_column(Fate))
    word: Mapped[str] = mapped_column(String(100))
    said_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "vendor", "event_id", unique=True),
        Index(
            "ix_delivery_receipt_unsettled",
            "received_at",
            postgresql_where=text("settled_at IS NULL"),
            sqlite_where=text("settled_at IS NULL"),
        ),
    )


class ChannelBreaker(Base):
    """Whether a channel is stopped, and why; one row a channel, which is always there.

    `failures` counts those in a row. Once stopped, one message tries at `probe_at`; the others wait.
    """

    __tablename__ = "channel_breaker"

    channel: Mapped[Channel] = mapped_column(enum_column(Channel), primary_key=True)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    stopped_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(100))
    probe_at: Mapped[datetime | None]
    probes: Mapped[int] = mapped_column(server_default=text("0"))
