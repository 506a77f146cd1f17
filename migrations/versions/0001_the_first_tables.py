"""The first tables."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import keep_append_only, keep_unchanged

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=True),
        sa.Column(
            "preference",
            sa.Enum(
                "email", "sms", "voice", "mail", name="preference", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column(
            "backup",
            sa.Enum(
                "email", "sms", "voice", "mail", name="backup", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("passphrase_hash", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "enrolment_pending",
                name="accountstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("wrong_in_a_row", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("resets_disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("ref", name=op.f("uq_account_ref")),
    )
    op.create_table(
        "authenticator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "totp",
                "sms",
                "security_key",
                "recovery_codes",
                name="authenticatorkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_authenticator_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticator")),
    )
    op.create_index(op.f("ix_authenticator_account_id"), "authenticator", ["account_id"], unique=False)
    op.create_table(
        "contact_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "primary_email",
                "two_factor_email",
                "phone",
                "postal_address",
                name="contactkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_point_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
    )
    op.create_index(
        op.f("ix_contact_point_account_id_kind_version"),
        "contact_point",
        ["account_id", "kind", "version"],
        unique=True,
    )
    op.create_index(op.f("ix_contact_point_value"), "contact_point", ["value"], unique=False)
    op.create_index(
        "uq_contact_point_current",
        "contact_point",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
        sqlite_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "reset_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=11), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "asked_through",
            sa.Enum("inbox", "support", name="askedthrough", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "contact_verified",
                "passphrase_checked",
                "completed",
                "cancelled",
                "denied",
                "expired",
                name="casestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "email", "sms", "voice", "mail", name="channel", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("contact_version", sa.Integer(), nullable=True),
        sa.Column("contact_digest", sa.LargeBinary(), nullable=True),
        sa.Column("least_hold_seconds", sa.Integer(), nullable=False),
        sa.Column(
            "held_for",
            sa.Enum(
                "no_usable_contact",
                "contact_changed",
                "not_allowed",
                "undeliverable",
                name="heldfor",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("proof_set", sa.String(length=100), nullable=True),
        sa.Column("remark", sa.String(length=100), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reset_case_account_id_account")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact_point.id"], name=op.f("fk_reset_case_contact_id_contact_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_case")),
        sa.UniqueConstraint("reference", name=op.f("uq_reset_case_reference")),
    )
    op.create_index(op.f("ix_reset_case_account_id"), "reset_case", ["account_id"], unique=False)
    op.create_index(
        "ix_reset_case_due",
        "reset_case",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
        sqlite_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
    )
    op.create_index(
        "ix_reset_case_hold",
        "reset_case",
        ["hold_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
        sqlite_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
    )
    op.create_index(
        "uq_reset_case_open",
        "reset_case",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
        sqlite_where=sa.text("state IN ('contact_verified', 'passphrase_checked', 'requested')"),
    )
    op.create_table(
        "case_event",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column(
            "from_state",
            sa.Enum(
                "requested",
                "contact_verified",
                "passphrase_checked",
                "completed",
                "cancelled",
                "denied",
                "expired",
                name="from_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "requested",
                "contact_verified",
                "passphrase_checked",
                "completed",
                "cancelled",
                "denied",
                "expired",
                name="to_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "actor",
            sa.Enum(
                "customer",
                "agent",
                "supervisor",
                "billing",
                "system",
                name="actor",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts_digest", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["reset_case.id"], name=op.f("fk_case_event_case_id_reset_case")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_case_event")),
        # The hidden row number would be a second key, by which INSERT OR REPLACE could take a line out.
        sqlite_with_rowid=False,
    )
    op.create_table(
        "challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["reset_case.id"], name=op.f("fk_challenge_case_id_reset_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
    )
    op.create_index(op.f("ix_challenge_case_id"), "challenge", ["case_id"], unique=False)
    op.create_index(
        "uq_challenge_current",
        "challenge",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("used_at IS NULL AND replaced_at IS NULL"),
        sqlite_where=sa.text("used_at IS NULL AND replaced_at IS NULL"),
    )
    op.create_table(
        "inbound_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=255), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "received",
                "opened",
                "joined",
                "held",
                "automatic",
                "unreadable",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reasons", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["reset_case.id"], name=op.f("fk_inbound_mail_case_id_reset_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mail")),
    )
    op.create_index(op.f("ix_inbound_mail_sender"), "inbound_mail", ["sender"], unique=False)
    op.create_index(op.f("ix_inbound_mail_source_delivery_id"), "inbound_mail", ["source", "delivery_id"], unique=True)
    op.create_index(
        "ix_inbound_mail_unjudged",
        "inbound_mail",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("verdict = 'received'"),
        sqlite_where=sa.text("verdict = 'received'"),
    )
    op.create_table(
        "proof",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "code", "passphrase", "password", name="proofkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fresh_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("how", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["reset_case.id"], name=op.f("fk_proof_case_id_reset_case")),
        sa.PrimaryKeyConstraint("case_id", "kind", name=op.f("pk_proof")),
    )
    op.create_table(
        "case_event_facts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id", "seq"],
            ["case_event.case_id", "case_event.seq"],
            name=op.f("fk_case_event_facts_case_id_seq_case_event"),
        ),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_case_event_facts")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reset_code",
                "notice_opened",
                "notice_hold_started",
                "notice_completed",
                "notice_cancelled",
                "notice_denied",
                "inbox_answer",
                name="messagekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "email", "sms", "voice", "mail", name="channel", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "claimed",
                "sent",
                "failed",
                "cancelled",
                name="messagestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("challenge_id", sa.Uuid(), nullable=True),
        sa.Column("inbound_mail_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider", sa.String(length=32), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["reset_case.id"], name=op.f("fk_message_case_id_reset_case")),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_message_challenge_id_challenge")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_point.id"], name=op.f("fk_message_contact_id_contact_point")),
        sa.ForeignKeyConstraint(
            ["inbound_mail_id"], ["inbound_mail.id"], name=op.f("fk_message_inbound_mail_id_inbound_mail")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_case_id"), "message", ["case_id"], unique=False)
    op.create_index(
        "ix_message_due",
        "message",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )
    op.create_index(op.f("ix_message_inbound_mail_id"), "message", ["inbound_mail_id"], unique=False)
    op.create_index(
        "ix_message_leased",
        "message",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("status = 'claimed'"),
        sqlite_where=sa.text("status = 'claimed'"),
    )
    op.create_index(op.f("ix_message_provider_provider_id"), "message", ["provider", "provider_id"], unique=True)
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "sent",
                "not_sent",
                "unavailable",
                "rejected",
                "misconfigured",
                "unknown",
                "lost",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attempt_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("pk_attempt")),
    )
    keep_append_only("case_event", keys=("case_id", "seq"))
    # Facts can be erased, but not changed.
    keep_unchanged("case_event_facts", keys=("case_id", "seq"))
