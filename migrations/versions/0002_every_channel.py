"""What vendors find out and say later, letters that can be stopped, and a breaker for each channel."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CHANNELS = ("email", "sms", "voice", "mail")
_FATES = ("under_way", "delivered", "again", "unanswered", "expired", "unreachable", "ours")
_FINDINGS = (
    *("mobile", "landline", "fixed_voip", "non_fixed_voip", "personal", "toll_free", "premium", "shared_cost", "uan"),
    *("voicemail", "pager", "unknown"),
    *("deliverable", "unnecessary_unit", "incorrect_unit", "missing_unit", "undeliverable"),
)
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_enum_column("contact_point", "finding", _FINDINGS)
    _add_enum_column("message", "delivery", ("under_way", "delivered", "failed"))
    for name in ("in_doubt_since", "leaves_at", "recalled_at"):
        op.add_column("message", sa.Column(name, _MOMENT, nullable=True))
    op.add_column("message", sa.Column("heard_in", sa.String(length=200), nullable=True))
    op.create_index("ix_message_contact_id", "message", ["contact_id"])
    _create_partial_index("ix_message_leaving", "message", "leaves_at", "leaves_at IS NOT NULL")
    op.create_table(
        "delivery_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=False),
        sa.Column("fate", _enum("fate", _FATES), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("said_at", _MOMENT, nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("rung_at", _MOMENT, nullable=True),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_receipt")),
    )
    op.create_index("ix_delivery_receipt_vendor_event_id", "delivery_receipt", ["vendor", "event_id"], unique=True)
    _create_partial_index("ix_delivery_receipt_unsettled", "delivery_receipt", "received_at", "settled_at IS NULL")
    op.create_table(
        "channel_breaker",
        sa.Column("channel", _enum("channel", _CHANNELS), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stopped_at", _MOMENT, nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column("probe_at", _MOMENT, nullable=True),
        sa.Column("probes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_breaker")),
    )
    for channel in _CHANNELS:
        op.execute(f"INSERT INTO channel_breaker (channel) VALUES ('{channel}')")  # noqa: S608 - our own words


def _enum(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def _add_enum_column(table: str, name: str, words: tuple[str, ...]) -> None:
    # SQLite adds a CHECK only together with its column, and Alembic only after it.
    allowed = ", ".join(f"'{word}'" for word in words)
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {name} VARCHAR(32) CONSTRAINT ck_{table}_{name} CHECK ({name} IN ({allowed}))"
    )


def _create_partial_index(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
