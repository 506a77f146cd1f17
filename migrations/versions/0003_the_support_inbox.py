"""What the support inbox learns of a mail: whether its domain vouches for it, who decided on it, when it was erased."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _allow("inbound_mail", "verdict", "verdict", after="held", word="dismissed")
    _allow("message", "messagekind", "kind", after="notice_denied", word="notice_code_by_mail")
    op.execute(
        "ALTER TABLE inbound_mail ADD COLUMN authenticity VARCHAR(32) CONSTRAINT ck_inbound_mail_authenticity "
        "CHECK (authenticity IN ('authentic', 'unauthenticated', 'forged'))"
    )
    op.add_column("inbound_mail", sa.Column("decided_by", sa.String(length=100), nullable=True))
    op.add_column("inbound_mail", sa.Column("decided_at", _MOMENT, nullable=True))
    op.add_column("inbound_mail", sa.Column("erased_at", _MOMENT, nullable=True))
    where = sa.text("erased_at IS NULL")
    op.create_index("ix_inbound_mail_kept", "inbound_mail", ["received_at"], sqlite_where=where, postgresql_where=where)


def _allow(table: str, check: str, column: str, *, after: str, word: str) -> None:
    """Lets `column` hold `word` too; `check` is the last part of its CHECK's name."""
    if op.get_context().dialect.name == "sqlite":
        _allow_in_schema(table, after, word)
        return
    name = f"ck_{table}_{check}"
    definition = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    words = re.findall(r"'(\w+)'", op.get_bind().execute(definition, {"name": name}).scalar_one())
    words.insert(words.index(after) + 1, word)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({', '.join(map(repr, words))}))")


def _allow_in_schema(table: str, after: str, word: str) -> None:
    # SQLite cannot alter a CHECK, and a table that others refer to cannot be made anew within a transaction. Where the
    # rows' format stays, its text may be changed in place: https://www.sqlite.org/lang_altertable.html, section 7.
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.exec_driver_sql(
        f"UPDATE sqlite_master SET sql = replace(sql, '''{after}''', '''{after}'', ''{word}''') "  # noqa: S608 - our own words
        f"WHERE type = 'table' AND name = '{table}'"
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
