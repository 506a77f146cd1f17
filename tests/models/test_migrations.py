"""Migrations: safe to run twice and at once, all or nothing, and what they make is what the tables in `models` say."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError

from migrations import is_current, migrate
from models import access, accounts, cases, factors, inbound, messages
from models.base import Base
from models.database import Database
from tests.models.bare import bare
from tests.models.test_history_triggers import REVISIONS
from tests.servers.waiting import until

TABLES = (access, accounts, cases, factors, inbound, messages)
"""Importing them is what registers them."""

MIGRATE = """
import sys
from migrations import migrate
from models.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(database)
"""

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def described(engine: Engine) -> dict[str, Any]:
    """All that the database says of its tables, besides Alembic's own; lists in an order of their own."""
    looking = inspect(engine)
    names = set(looking.get_table_names()) - {"alembic_version"}
    told = {
        name: {
            "columns": {each["name"]: _plain(each) for each in looking.get_columns(name)},
            "primary key": _plain(looking.get_pk_constraint(name)),
            "foreign keys": _by_name(looking.get_foreign_keys(name)),
            "unique": _by_name(looking.get_unique_constraints(name)),
            "checks": _by_name(looking.get_check_constraints(name)),
            "indexes": _by_name(looking.get_indexes(name)),
        }
        for name in names
    }
    return told | {"without row numbers": _without_row_numbers(engine)}


def _plain(told: Any) -> Any:
    return {name: _plain(value) for name, value in told.items()} if isinstance(told, dict) else str(told)


def _by_name(told: Any) -> dict[str, Any]:
    return {str(each["name"]): _plain(each) for each in told}


def _without_row_numbers(engine: Engine) -> set[str]:
    if engine.dialect.name != "sqlite":
        return set()
    with engine.connect() as connection:
        return set(connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE wr").scalars())


# --- Running them


def test_an_empty_database_is_not_current_and_a_migrated_one_is(empty: Database) -> None:
    assert not is_current(empty)
    migrate(empty)
    assert is_current(empty)


def test_a_database_is_current_at_the_last_migration_only(empty: Database) -> None:
    for revision in REVISIONS:
        migrate(empty, revision)
        assert is_current(empty) is (revision == REVISIONS[-1])


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_a_database_of_another_version_is_not_current(database: Database, database_url: str, revision: str) -> None:
    with bare(database_url) as connection:
        connection.run("UPDATE alembic_version SET version_num = ?", revision)
    assert not is_current(database)


def test_migrating_twice_changes_nothing(database: Database, database_url: str) -> None:
    before = described(database.engine)
    with bare(database_url) as connection:
        connection.add_account()
    migrate(database)
    assert described(database.engine) == before
    with bare(database_url) as connection:
        assert connection.run("SELECT ref FROM account") == [("C-1",)]


@contextmanager
def migrating(url: str, number: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have begun to migrate, all at once."""
    command, pipe = [sys.executable, "-c", MIGRATE, url], subprocess.PIPE
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
            for _ in range(number)
        ]
        assert [each.stdout.readline() for each in processes if each.stdout] == ["ready\n"] * number
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        yield processes


def ends_of(processes: list[subprocess.Popen[str]]) -> list[tuple[str, int]]:
    """What each wrote to standard error, and its exit status."""
    return [(each.communicate()[1], each.returncode) for each in processes]


def test_processes_that_migrate_an_empty_database_at_once_all_succeed(empty: Database, database_url: str) -> None:
    with migrating(database_url, 3) as processes:
        assert ends_of(processes) == [("", 0)] * 3
    assert is_current(empty)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_comes_while_another_one_migrates_waits_and_succeeds(empty: Database, database_url: str) -> None:
    with bare(database_url) as in_the_way, bare(database_url) as looking:
        in_the_way.run("BEGIN")
        in_the_way.run("CREATE TABLE attempt (id INTEGER)")
        with migrating(database_url, 2) as processes:
            until(lambda: looking.run(WAITING) == [(2,)], "one waits for the table, the other one for its turn")
            in_the_way.run("ROLLBACK")
            assert ends_of(processes) == [("", 0)] * 2
    assert is_current(empty)


def test_a_migration_that_fails_leaves_nothing_behind_and_can_be_run_again(empty: Database, database_url: str) -> None:
    with bare(database_url) as connection:
        connection.run("CREATE TABLE attempt (id INTEGER)")
        with pytest.raises(DBAPIError, match="attempt"):
            migrate(empty)
        assert inspect(empty.engine).get_table_names() == ["attempt"]
        assert not is_current(empty)
        connection.run("DROP TABLE attempt")
    migrate(empty)
    assert is_current(empty)


# --- What they make


def has_other_default(
    _context: object, _column: object, _in_models: object, in_database: str | None, _default: object, said: str | None
) -> bool | None:
    """In SQLite, Alembic takes the quotes off a text's default, but not off an empty one; it judges all others."""
    return False if (in_database, said) == ("('')", "") else None


def test_alembic_finds_no_difference_between_the_migrations_and_the_models(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": has_other_default}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_make_what_the_models_say_checks_and_conditions_included(empty: Database) -> None:
    Base.metadata.create_all(empty.engine)
    by_models = described(empty.engine)
    Base.metadata.drop_all(empty.engine)
    assert described(empty.engine)["without row numbers"] == set()
    migrate(empty)
    assert described(empty.engine) == by_models
    assert set(by_models) - {"without row numbers"} == set(Base.metadata.tables)


def test_every_constraint_and_index_has_a_name(database: Database) -> None:
    for parts in described(database.engine).values():
        if isinstance(parts, dict):
            named = [parts["primary key"]["name"], *(n for kind in list(parts)[2:] for n in parts[kind])]
            assert "None" not in named
