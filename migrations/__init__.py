"""Alembic migrations, and the one way to run them."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from models.database import Database

# Any number will do, as long as it is always the same one and nobody else's.
_ADVISORY_LOCK = 0x4B657974_75726E


def migrate(database: Database, revision: str = "head") -> None:
    """Brings the database to `revision`. Safe to run twice, and at once from two machines: one of them waits."""
    with database.begin() as connection:
        _wait_for_others(connection)
        command.upgrade(_config(connection), revision)


def is_current(database: Database) -> bool:
    """Whether the database has all migrations."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with database.read() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
        return set(heads) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:")
    config.attributes["connection"] = connection
    return config


def _wait_for_others(connection: Connection) -> None:
    # On SQLite the transaction itself, begun with BEGIN IMMEDIATE, is the lock.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
