"""The way to the database: no update is lost, nobody waits without need, and neither errors nor times lie."""

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Executable, Integer, MetaData, Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from foundation.settings import Settings
from models.accounts import Account, AccountStatus
from models.base import UtcDateTime, new_id
from models.cases import Challenge
from models.database import Database, url_of, wait_for_turn
from tests.models.bare import Bare, bare
from tests.servers.waiting import until

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
THREADS, ROUNDS = 8, 25

_METADATA = MetaData()
COUNTER = Table("counter", _METADATA, Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False))
MOMENT = Table("moment", _METADATA, Column("id", Integer, primary_key=True), Column("at", UtcDateTime()))


@pytest.fixture
def counting(empty: Database) -> Database:
    """A database with a counter at 0, and a table of moments."""
    _METADATA.create_all(empty.engine)
    with empty.begin() as connection:
        connection.execute(insert(COUNTER), {"id": 1, "count": 0})
    return empty


def count_in(database: Database) -> int:
    with database.read() as connection:
        count: int = connection.execute(select(COUNTER.c.count)).scalar_one()
        return count


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def account(**changes: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "ref": "C-1001",
        "name": "Dana Whitfield",
        "country": "US",
        "status": AccountStatus.ACTIVE,
        "created_at": NOW,
        **changes,
    }


# --- Writing and reading


@on_sqlite
def test_threads_that_read_and_then_write_lose_no_update_on_sqlite(counting: Database) -> None:
    together = Barrier(THREADS)

    def count() -> None:
        together.wait()
        for _ in range(ROUNDS):
            with counting.begin() as connection:
                seen = connection.execute(select(COUNTER.c.count)).scalar_one()
                connection.execute(update(COUNTER).values(count=seen + 1))

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(count) for _ in range(THREADS)]:
            done.result()
    assert count_in(counting) == THREADS * ROUNDS


def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_there_before(counting: Database) -> None:
    with counting.begin() as writer:
        writer.execute(update(COUNTER).values(count=1))
        assert count_in(counting) == 0
    assert count_in(counting) == 1


def test_a_writer_does_not_wait_for_a_reader(counting: Database) -> None:
    with counting.read() as reader:
        assert reader.execute(select(COUNTER.c.count)).scalar_one() == 0
        with counting.begin() as writer:
            writer.execute(update(COUNTER).values(count=1))
        assert count_in(counting) == 1


def test_what_a_reader_sees_stays_the_same_until_it_ends(counting: Database) -> None:
    with counting.read() as reader:
        assert reader.execute(select(COUNTER.c.count)).scalar_one() == 0
        with counting.begin() as writer:
            writer.execute(update(COUNTER).values(count=1))
        assert reader.execute(select(COUNTER.c.count)).scalar_one() == 0


def test_a_connection_that_only_read_can_write_when_it_is_used_again(counting: Database) -> None:
    for number in range(1, 4):
        assert count_in(counting) == number - 1
        with counting.begin() as connection:
            connection.execute(update(COUNTER).values(count=number))
    assert count_in(counting) == 3


@on_postgresql
def test_a_connection_that_only_read_writes_as_any_other_when_it_is_used_again(counting: Database) -> None:
    # At any other level than this one, the second of two who change a row is refused instead of waiting.
    for _ in range(3):
        count_in(counting)
        with counting.begin() as connection:
            assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"


class Trouble(Exception):
    pass


def test_a_block_that_fails_leaves_nothing_behind(counting: Database) -> None:
    with pytest.raises(Trouble), counting.begin() as connection:
        connection.execute(update(COUNTER).values(count=1))
        connection.execute(insert(COUNTER), {"id": 2, "count": 2})
        raise Trouble
    assert count_in(counting) == 0


def test_a_statement_that_fails_takes_the_whole_block_with_it(counting: Database) -> None:
    with pytest.raises(IntegrityError), counting.begin() as connection:
        connection.execute(update(COUNTER).values(count=1))
        connection.execute(insert(COUNTER), {"id": 1, "count": 2})
    assert count_in(counting) == 0


def test_a_block_that_fails_gives_its_lock_back(counting: Database) -> None:
    for _ in range(3):
        with pytest.raises(Trouble), counting.begin() as connection:
            connection.execute(delete(COUNTER))
            raise Trouble
    with counting.begin() as connection:
        connection.execute(update(COUNTER).values(count=7))
    assert count_in(counting) == 7


# --- Waiting for one's turn


def in_a_turn(database: Database, name: str, entered: Event, leave: Event) -> None:
    with database.begin() as connection:
        wait_for_turn(connection, name)
        entered.set()
        assert leave.wait(60)


def is_waiting(url: str) -> bool:
    with bare(url) as connection:
        return connection.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != []


@on_postgresql
def test_who_waits_for_the_same_turn_gets_it_when_the_other_has_ended(counting: Database, database_url: str) -> None:
    first, second, leave = Event(), Event(), Event()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_a_turn, counting, "import", first, leave)
        assert first.wait(60)
        other = pool.submit(in_a_turn, counting, "import", second, leave)
        until(lambda: is_waiting(database_url), "the second waits")
        assert not second.is_set()
        leave.set()
        one.result()
        other.result()
    assert second.is_set()


@on_postgresql
def test_turns_of_different_names_do_not_wait_for_each_other(counting: Database) -> None:
    entered = [Event(), Event()]
    leave = Event()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(in_a_turn, counting, f"answer {n}", event, leave) for n, event in enumerate(entered)]
        assert all(event.wait(60) for event in entered)
        leave.set()
        for each in both:
            each.result()


@on_sqlite
def test_on_sqlite_a_transaction_that_writes_is_a_turn_of_its_own(counting: Database) -> None:
    with counting.begin() as connection:
        wait_for_turn(connection, "import")
        connection.execute(update(COUNTER).values(count=1))
    assert count_in(counting) == 1


# --- Times


def read_back(database: Database, moments: list[datetime | None]) -> list[datetime | None]:
    with database.begin() as connection:
        connection.execute(delete(MOMENT))
        connection.execute(insert(MOMENT), [{"id": number, "at": at} for number, at in enumerate(moments)])
        return list(connection.execute(select(MOMENT.c.at).order_by(MOMENT.c.id)).scalars())


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(2500, 1, 1), timezones=zones)  # noqa: DTZ001 - it adds the zone


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)  # rows go before each example
@given(st.lists(moments | st.none(), min_size=1, max_size=5))
def test_a_time_comes_back_as_the_same_moment_in_utc_to_the_microsecond(
    counting: Database, moments: list[datetime | None]
) -> None:
    found = read_back(counting, moments)
    assert found == moments
    assert all(at is None or at.tzinfo is UTC for at in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)  # rows go before each example
@given(st.lists(moments, min_size=2, max_size=5))
def test_the_database_compares_times_as_moments(counting: Database, moments: list[datetime]) -> None:
    read_back(counting, list(moments))
    with counting.read() as connection:
        assert list(connection.execute(select(MOMENT.c.at).order_by(MOMENT.c.at)).scalars()) == sorted(moments)
        due = select(func.count()).where(MOMENT.c.at <= moments[0])
        assert connection.execute(due).scalar_one() == sum(at <= moments[0] for at in moments)


def test_a_time_without_a_zone_is_refused(counting: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    attempts: list[Callable[[], object]] = [
        lambda: read_back(counting, [NOW, naive]),
        lambda: count_where(counting, naive),
    ]
    for attempt in attempts:
        with pytest.raises(StatementError, match="a time needs its zone"):
            attempt()


def count_where(database: Database, at: datetime) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).where(MOMENT.c.at < at)).scalar_one()


# --- What errors show


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        pytest.param(insert(Account), {"ref": "C-1001"}, id="a ref that is taken"),
        pytest.param(insert(Account), {"name": None}, id="nothing where something must be"),
        pytest.param(insert(Account), {"created_at": NOW.replace(tzinfo=None)}, id="a time without a zone"),
        pytest.param(text("UPDATE account SET status = :ref"), {}, id="a word that is none"),
    ],
)
def test_an_error_shows_no_value_neither_of_parameters_nor_of_the_row(
    database: Database, statement: Executable, changes: dict[str, Any]
) -> None:
    secrets = {"ref": "C-1002", "name": "Jo Secret", "passphrase_hash": "$argon2id$secret"}
    with database.begin() as connection:
        connection.execute(insert(Account), account(**secrets | {"ref": "C-1001", "name": "Dana Whitfield"}))
    with pytest.raises(StatementError) as refusal, database.begin() as connection:
        connection.execute(statement, account(**secrets | changes))
    shown = "".join(traceback.format_exception(refusal.value))
    assert "account" in shown
    assert not [value for value in ("C-1001", "C-1002", "Whitfield", "Secret", "argon2id") if value in shown]


def test_an_error_says_which_rule_was_broken(database: Database) -> None:
    with pytest.raises(IntegrityError, match=r"uq_account_ref|account\.ref"), database.begin() as connection:
        connection.execute(insert(Account), [account(), account()])


def test_an_unreachable_server_is_named_and_its_password_is_not() -> None:
    database = Database("postgresql://keyturn:open-sesame@127.0.0.1:1/keyturn")
    with pytest.raises(DBAPIError, match=r"127\.0\.0\.1.*refused") as refusal, database.begin():
        pytest.fail("there is no server")
    assert "sesame" not in "".join(traceback.format_exception(refusal.value))
    database.dispose()


# --- What our connections are like


@on_sqlite
def test_every_connection_to_sqlite_is_durable_and_holds_the_rules(empty: Database) -> None:
    with empty.read() as first, empty.read() as second:
        for connection in (first, second):
            told = {
                pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
                for pragma in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
            }
            assert told == {
                "journal_mode": "wal",
                "synchronous": 2,  # FULL
                "foreign_keys": 1,
                "recursive_triggers": 1,
                "busy_timeout": 30_000,
            }


def test_a_row_of_nobody_is_refused(database: Database) -> None:
    challenge = {"id": new_id(), "case_id": new_id(), "sealed_secret": "x", "digits": 8, "tries": 0, "created_at": NOW}
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(insert(Challenge), challenge)


@on_postgresql
def test_postgresql_is_reached_through_psycopg_3(empty: Database, database_url: str) -> None:
    assert database_url.startswith("postgresql://")
    assert empty.engine.dialect.driver == "psycopg"


def test_without_a_url_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    database = Database(url_of(Settings(data_dir=tmp_path)))
    with database.begin() as connection:
        _METADATA.create_all(connection)
    database.dispose()
    with bare(f"sqlite:///{tmp_path / 'keyturn.db'}") as connection:
        assert connection.run("SELECT count(*) FROM counter") == [(0,)]


def test_a_url_that_is_set_is_used(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    assert url_of(Settings(data_dir=tmp_path, database_url=url)) == url


# --- Ids


def test_ids_are_new_and_ordered_by_time() -> None:
    made = [new_id() for _ in range(1000)]
    assert sorted(set(made)) == made
    assert {each.version for each in made} == {7}


def test_ids_and_words_are_stored_as_they_are_written(database: Database, bare: Bare) -> None:
    row = account()
    with database.begin() as connection:
        connection.execute(insert(Account), row)
        assert connection.execute(select(Account.id, Account.status)).one() == (row["id"], AccountStatus.ACTIVE)
    ((stored, status),) = bare.run("SELECT id, status FROM account")
    assert (str(stored).replace("-", ""), status) == (row["id"].hex, "active")
