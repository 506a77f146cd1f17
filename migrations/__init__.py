"""Alembic migrations, and the one way to run them."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from models.database import Database, wait_for_turn


def migrate(database: Database, revision: str = "head") -> None:
    """Brings the database to `revision`. Safe to run twice, and at once from two machines: one of them waits."""
    with database.begin() as connection:
        wait_for_turn(connection, "keyturn migrate")
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
