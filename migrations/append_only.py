"""Triggers that keep a table append-only, for PostgreSQL and for SQLite, also against SQL written by hand."""

from collections.abc import Iterator

from alembic import op


def keep_append_only(table: str, *, keys: tuple[str, ...]) -> None:
    """Makes the database refuse UPDATE, DELETE and TRUNCATE on `table`, and on SQLite INSERT OR REPLACE."""
    keep_unchanged(table, keys=keys)
    for statement in _no_delete[op.get_bind().dialect.name](table):
        op.execute(statement)


def keep_unchanged(table: str, *, keys: tuple[str, ...]) -> None:
    """Makes the database refuse UPDATE on `table`; its rows can be deleted.

    SQLite's INSERT OR REPLACE deletes the old row without a DELETE trigger, so there an existing key is refused too.
    """
    for statement in _no_change[op.get_bind().dialect.name](table, keys):
        op.execute(statement)


def _sqlite_no_change(table: str, keys: tuple[str, ...]) -> Iterator[str]:
    same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
    exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - a migration's own names
    yield f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {_sqlite_refusal(table)} END"
    yield f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {exists} BEGIN {_sqlite_refusal(table)} END"


def _sqlite_no_delete(table: str) -> Iterator[str]:
    yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {_sqlite_refusal(table)} END"


def _sqlite_refusal(table: str) -> str:
    return f"SELECT RAISE(ABORT, '{table} is append-only');"


def _postgresql_no_change(table: str, _keys: tuple[str, ...]) -> Iterator[str]:
    yield (
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    yield from _postgresql_trigger(table, "no_update", "BEFORE UPDATE", "ROW")


def _postgresql_no_delete(table: str) -> Iterator[str]:
    yield from _postgresql_trigger(table, "no_delete", "BEFORE DELETE", "ROW")
    yield from _postgresql_trigger(table, "no_truncate", "BEFORE TRUNCATE", "STATEMENT")


def _postgresql_trigger(table: str, name: str, when: str, each: str) -> Iterator[str]:
    yield f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {table}_refuse()"
    # ALWAYS: also in a session that says it is a replica, which skips ordinary triggers.
    yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}"


_no_change = {"sqlite": _sqlite_no_change, "postgresql": _postgresql_no_change}
_no_delete = {"sqlite": _sqlite_no_delete, "postgresql": _postgresql_no_delete}
