"""The history is append-only for whoever can connect: tried with a bare driver, after every migration in turn."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import migrations
from models.database import Database
from tests.models.bare import REFUSED, Bare, bare

FOLDER = Path(migrations.__file__).parent
REVISIONS = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()][::-1]

# What a session can say of itself that makes a database leave out some triggers.
MOODS = {
    "sqlite": ("PRAGMA recursive_triggers = OFF", "PRAGMA recursive_triggers = ON"),
    "postgresql": ("SET session_replication_role = origin", "SET session_replication_role = replica"),
}
CHANGES = {
    "sqlite": (
        "UPDATE {} SET seq = seq + 10",
        "UPDATE {} SET case_id = case_id WHERE seq = 1",
        "UPDATE OR REPLACE {} SET seq = 2 WHERE seq = 1",
        "UPDATE OR IGNORE {} SET seq = seq + 10",
        "INSERT INTO {} SELECT * FROM {} WHERE true ON CONFLICT (case_id, seq) DO UPDATE SET seq = 10",
        "INSERT OR REPLACE INTO {} SELECT * FROM {}",
        "INSERT OR REPLACE INTO {} SELECT * FROM {} WHERE seq = 2",
        "REPLACE INTO {} SELECT * FROM {}",
    ),
    "postgresql": (
        "UPDATE {} SET seq = seq + 10",
        "UPDATE {} SET case_id = case_id WHERE seq = 1",
        "INSERT INTO {} SELECT * FROM {} ON CONFLICT (case_id, seq) DO UPDATE SET seq = 10",
        "MERGE INTO {} AS old USING {} AS new ON old.seq = new.seq WHEN MATCHED THEN UPDATE SET seq = new.seq + 10",
    ),
}
DELETIONS = {
    "sqlite": (
        "DELETE FROM {}",
        "DELETE FROM {} WHERE seq = 2",
    ),
    "postgresql": (
        "DELETE FROM {}",
        "DELETE FROM {} WHERE seq = 2",
        "TRUNCATE {} CASCADE",
        "TRUNCATE reset_case CASCADE",
        "TRUNCATE account CASCADE",
        "MERGE INTO {} AS old USING {} AS new ON old.seq = new.seq WHEN MATCHED THEN DELETE",
    ),
}


def with_history(url: str, revision: str) -> None:
    """A case with two lines of history and their facts, written under the first migration and brought to `revision`."""
    database = Database(url)
    migrations.migrate(database, REVISIONS[0])
    with bare(url) as connection:
        connection.add_account()
        connection.add_case()
        for seq in (1, 2):
            connection.add_event(seq)
            connection.add_facts(seq)
    migrations.migrate(database, revision)
    database.dispose()


def engine_of(url: str) -> str:
    return url.partition(":")[0]


def refuses(connection: Bare, table: str, attacks: Iterable[str], moods: Iterable[str]) -> None:
    before = connection.run(f"SELECT * FROM {table} ORDER BY seq")  # noqa: S608 - a table's name
    assert len(before) == 2
    for mood in moods:
        connection.run(mood)
        for attack in attacks:
            try:
                connection.run(attack.replace("{}", table))
            except REFUSED as refusal:
                assert " is append-only" in str(refusal), attack  # noqa: PT017 - of many, the one is to be named
            else:
                pytest.fail(f"after {mood!r}, this was not refused: {attack}")
            assert connection.run(f"SELECT * FROM {table} ORDER BY seq") == before, attack  # noqa: S608


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_line_of_history_can_neither_be_changed_nor_replaced_nor_taken_away(database_url: str, revision: str) -> None:
    with_history(database_url, revision)
    engine = engine_of(database_url)
    with bare(database_url) as connection:
        refuses(connection, "case_event", CHANGES[engine] + DELETIONS[engine], MOODS[engine])


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_facts_of_a_line_can_be_erased_but_not_changed(database_url: str, revision: str) -> None:
    with_history(database_url, revision)
    engine = engine_of(database_url)
    with bare(database_url) as connection:
        refuses(connection, "case_event_facts", CHANGES[engine], MOODS[engine])
        connection.run("DELETE FROM case_event_facts WHERE seq = 1")
        assert connection.run("SELECT seq FROM case_event_facts") == [(2,)]
        assert connection.run("SELECT seq FROM case_event ORDER BY seq") == [(1,), (2,)]


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_hidden_row_number_by_which_a_line_could_be_replaced(database_url: str, revision: str) -> None:
    with_history(database_url, revision)
    with bare(database_url) as connection:
        for name in ("rowid", "oid", "_rowid_"):
            with pytest.raises(REFUSED, match=f"no such column: {name}"):
                connection.run(f"SELECT {name} FROM case_event")  # noqa: S608 - SQLite's own three names
        assert connection.run("SELECT seq FROM case_event ORDER BY seq") == [(1,), (2,)]


def test_a_line_can_be_added(bare: Bare) -> None:
    bare.add_account()
    bare.add_case()
    for seq in (1, 2, 3):
        bare.add_event(seq)
    with pytest.raises(REFUSED):
        bare.add_event(3)
    assert bare.run("SELECT seq FROM case_event ORDER BY seq") == [(1,), (2,), (3,)]
