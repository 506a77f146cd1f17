"""Second factors: their rows, checking them at sign-in, the settings pages, and codes that belong to no case."""

import re

import sqlalchemy as sa
from alembic import op

from migrations.append_only import keep_append_only

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime(timezone=True)
_ACTORS = ("customer", "agent", "supervisor", "billing", "system")
_MESSAGES = ("sign_in_code", "contact_code", "enrolment_code", "enrolment_link", "notice_changed")
_CHANGES = (
    *("preference", "backup", "passphrase", "two_factor_email", "phone", "postal_address", "primary_email"),
    *("factor_added", "factor_removed", "factor_suspended", "factor_restored", "factor_disabled"),
    *("recovery_code_used", "recovery_codes_made", "key_copied"),
)
_CURRENT = sa.text("used_at IS NULL AND replaced_at IS NULL")


def upgrade() -> None:
    _alter_accounts()
    _alter_challenges()
    _alter_messages()
    _create_factors()
    _create_access()
    op.create_table(
        "account_event",
        _id("id"),
        _id("account_id"),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("actor", _enum("actor", _ACTORS), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_event")),
        _foreign_key("account_event", "account_id", "account"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_event_account_id", "account_event", ["account_id"])
    keep_append_only("account_event", keys=("id",))


def _alter_accounts() -> None:
    op.add_column("account", sa.Column("refused_in_a_row", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("account", sa.Column("sign_in_waits_until", _MOMENT, nullable=True))
    op.add_column("account", sa.Column("quarantine_until", _MOMENT, nullable=True))
    op.add_column("account", sa.Column("changed_by_billing_at", _MOMENT, nullable=True))
    op.add_column("account", sa.Column("chosen_at", _MOMENT, nullable=True))
    op.add_column("contact_point", sa.Column("proposed_until", _MOMENT, nullable=True))
    op.add_column("contact_point", sa.Column("confirmed_at", _MOMENT, nullable=True))
    op.add_column("authenticator", sa.Column("last_used_at", _MOMENT, nullable=True))
    op.add_column("authenticator", sa.Column("suspended_at", _MOMENT, nullable=True))
    _add_reference("authenticator", "suspended_in", "reset_case")
    _add_reference("authenticator", "contact_id", "contact_point")


def _alter_challenges() -> None:
    purposes = ("reset", "sign_in", "contact", "enrolment")
    _add_words("challenge", "code_for", "codefor", purposes, "DEFAULT 'reset' NOT NULL")
    _add_reference("challenge", "contact_id", "contact_point")
    if _is_sqlite():
        _change_schema("challenge", "case_id CHAR(32) NOT NULL", "case_id CHAR(32)")
        _constrain("challenge", "ck_challenge_one_owner CHECK ((case_id IS NULL) <> (contact_id IS NULL))")
    else:
        op.alter_column("challenge", "case_id", nullable=True)
        op.create_check_constraint("one_owner", "challenge", "(case_id IS NULL) <> (contact_id IS NULL)")
    op.create_index(
        "uq_challenge_of_contact",
        "challenge",
        ["contact_id", "code_for"],
        unique=True,
        sqlite_where=_CURRENT,
        postgresql_where=_CURRENT,
    )


def _alter_messages() -> None:
    after = "inbox_answer"
    for word in _MESSAGES:
        _allow("message", "messagekind", "kind", after=after, word=word)
        after = word
    _add_words("message", "change", "change", _CHANGES)


def _create_factors() -> None:
    op.create_table(
        "totp_app",
        _id("authenticator_id"),
        sa.Column("algorithm", _enum("algorithm", ("sha1", "sha256", "sha512")), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("authenticator_id", name=op.f("pk_totp_app")),
        _foreign_key("totp_app", "authenticator_id", "authenticator"),
    )
    # What every app that was imported so far is: the values that RFC 6238 names as the default.
    op.execute(
        "INSERT INTO totp_app (authenticator_id, algorithm, digits, period) "
        "SELECT id, 'sha1', 6, 30 FROM authenticator WHERE kind = 'totp'"
    )
    op.create_table(
        "security_key",
        _id("authenticator_id"),
        sa.Column("rp_id", sa.String(length=253), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("authenticator_id", name=op.f("pk_security_key")),
        _foreign_key("security_key", "authenticator_id", "authenticator"),
        sa.UniqueConstraint("credential_id", name=op.f("uq_security_key_credential_id")),
    )
    op.create_table(
        "key_challenge",
        _id("id"),
        _id("account_id"),
        sa.Column("ceremony", _enum("ceremony", ("register", "sign_in", "confirm")), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_challenge")),
        _foreign_key("key_challenge", "account_id", "account"),
        sa.UniqueConstraint("challenge", name=op.f("uq_key_challenge_challenge")),
    )
    op.create_index("ix_key_challenge_account_id", "key_challenge", ["account_id"])
    op.create_table(
        "recovery_code",
        _id("id"),
        _id("authenticator_id"),
        sa.Column("selector", sa.String(length=4), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        _foreign_key("recovery_code", "authenticator_id", "authenticator"),
    )
    op.create_index(
        "ix_recovery_code_authenticator_id_selector", "recovery_code", ["authenticator_id", "selector"], unique=True
    )


def _create_access() -> None:
    op.create_table(
        "portal_session",
        _id("id"),
        _id("account_id"),
        sa.Column("kind", _enum("sessionkind", ("portal", "enrolment")), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("link_digest", sa.LargeBinary(), nullable=True),
        sa.Column("link_until", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("entered_at", _MOMENT, nullable=True),
        sa.Column("cookie_digest", sa.LargeBinary(), nullable=True),
        sa.Column("ends_at", _MOMENT, nullable=True),
        sa.Column("factor_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_session")),
        _foreign_key("portal_session", "account_id", "account"),
        _foreign_key("portal_session", "case_id", "reset_case"),
        sa.UniqueConstraint("link_digest", name=op.f("uq_portal_session_link_digest")),
        sa.UniqueConstraint("cookie_digest", name=op.f("uq_portal_session_cookie_digest")),
    )
    op.create_index("ix_portal_session_account_id", "portal_session", ["account_id"])
    op.create_table(
        "enrolment",
        _id("case_id"),
        _id("account_id"),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_enrolment")),
        _foreign_key("enrolment", "case_id", "reset_case"),
        _foreign_key("enrolment", "account_id", "account"),
    )
    op.create_index("ix_enrolment_account_id", "enrolment", ["account_id"])
    op.create_table(
        "api_key",
        _id("id"),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_table(
        "crowded_address",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_crowded_address")),
    )


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _enum(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def _foreign_key(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}_{of}"))


def _add_reference(table: str, column: str, of: str) -> None:
    op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
    if _is_sqlite():
        _constrain(table, f"fk_{table}_{column}_{of} FOREIGN KEY({column}) REFERENCES {of} (id)")
    else:
        op.create_foreign_key(f"fk_{table}_{column}_{of}", table, of, [column], ["id"])


def _add_words(table: str, column: str, check: str, words: tuple[str, ...], default: str = "") -> None:
    held = f"CONSTRAINT ck_{table}_{check} CHECK ({column} IN ({', '.join(map(repr, words))}))"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(32) {default} {held}")


def _allow(table: str, check: str, column: str, *, after: str, word: str) -> None:
    """Lets `column` hold `word` too; `check` is the last part of its CHECK's name."""
    if _is_sqlite():
        _change_schema(table, f"'{after}'", f"'{after}', '{word}'")
        return
    name = f"ck_{table}_{check}"
    definition = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    words = re.findall(r"'(\w+)'", op.get_bind().execute(definition, {"name": name}).scalar_one())
    words.insert(words.index(after) + 1, word)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({', '.join(map(repr, words))}))")


def _constrain(table: str, constraint: str) -> None:
    _change_schema(table, f"CONSTRAINT pk_{table} ", f"CONSTRAINT {constraint}, CONSTRAINT pk_{table} ")


def _change_schema(table: str, old: str, new: str) -> None:
    # SQLite can alter no constraint, and a table that others refer to cannot be made anew within a
    # transaction. Where the rows' format stays, its text may be changed in place:
    # https://www.sqlite.org/lang_altertable.html, section 7.
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    old, new = (part.replace("'", "''") for part in (old, new))
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.exec_driver_sql(
        f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') "  # noqa: S608 - our own words
        f"WHERE type = 'table' AND name = '{table}'"
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
