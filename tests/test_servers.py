"""The servers that tests run on are real, are the tests' own, and leave nothing behind, however a test run ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from amqp.exceptions import NotFound
from celery import Celery
from kombu import Exchange, Queue
from redis import Redis

from tests.servers import rabbitmq as rabbitmq_server
from tests.servers.dovecot import Dovecot
from tests.servers.dovecot import dovecot as running_dovecot
from tests.servers.lifeline import DidNotStart, started
from tests.servers.ports import LOOPBACK, free_port, is_served, port_of
from tests.servers.postgres import Postgres
from tests.servers.postgres import postgres as running_postgres
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.stack import Stack, StackName
from tests.servers.valkey import Valkey
from tests.servers.valkey import valkey as running_valkey
from tests.servers.waiting import NeverCame, until

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a running server occupies."""

    port: int
    folder: Path

    def is_gone(self) -> bool:
        return not is_served(self.port) and not self.folder.exists()


def footprint_of_postgres(url: str) -> Footprint:
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return Footprint(port_of(url), Path(row[0]).parent)


def footprint_of_valkey(url: str) -> Footprint:
    with Redis.from_url(url) as client:
        return Footprint(port_of(url), Path(client.config_get("dir")["dir"]))


def test_postgres_answers_and_keeps_what_it_commits_on_disk(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        answer = connection.execute("SELECT version() LIKE 'PostgreSQL%', current_setting('fsync')").fetchone()
    assert answer == (True, "on")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand PostgreSQL to another user")
def test_postgres_does_not_run_as_root() -> None:
    with running_postgres() as server:
        # PostgreSQL refuses to start on a folder of which the user that it runs as is not the owner.
        assert (footprint_of_postgres(server.url).folder / "data").owner() == "nobody"


def test_every_created_database_is_new_and_is_dropped_under_its_users(postgres: Postgres) -> None:
    with postgres.database() as url, postgres.database() as other:
        assert url != other
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE account ()")
        connection = psycopg.connect(other)
        assert connection.execute("SELECT to_regclass('account')").fetchone() == (None,)
    connection.close()
    for gone in (url, other):
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(gone)


def test_a_named_postgres_is_used_and_left_running_without_our_databases(postgres: Postgres) -> None:
    with running_postgres(postgres.url) as named:
        assert named.url == postgres.url
        created = named.create_database()
        psycopg.connect(created).close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(created)
    psycopg.connect(postgres.url).close()


def test_valkey_answers_and_can_be_emptied(valkey: Valkey) -> None:
    with Redis.from_url(valkey.url) as client:
        assert client.ping()
        client.set("left", "over")
        valkey.empty()
        assert client.dbsize() == 0


def test_a_named_valkey_is_used_and_left_running(valkey: Valkey) -> None:
    with running_valkey(valkey.url) as named:
        assert named == valkey
    assert is_served(port_of(valkey.url))


LISTENING: tuple[LiteralString, ...] = ("listen_addresses", "unix_socket_directories")


def test_servers_listen_on_loopback_only() -> None:
    with running_postgres() as server, psycopg.connect(server.url) as connection:
        listening = [connection.execute(f"SHOW {name}").fetchone() for name in LISTENING]
    with running_valkey() as broker, Redis.from_url(broker.url) as client:
        bound = client.config_get("bind")
    assert (listening, bound) == ([(LOOPBACK,), ("",)], {"bind": LOOPBACK})


def test_a_stopped_server_leaves_neither_process_nor_folder() -> None:
    with running_postgres() as server, running_valkey() as broker:
        footprints = [footprint_of_postgres(server.url), footprint_of_valkey(broker.url)]
        assert not any(footprint.is_gone() for footprint in footprints)
    assert all(footprint.is_gone() for footprint in footprints)


WANTS_SERVERS = """
import sys
from tests.servers.postgres import postgres
from tests.servers.valkey import valkey
with postgres() as server, valkey() as broker:
    print(server.url, broker.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_whoever_wanted_servers_may_be_killed_and_leaves_none(how: signal.Signals) -> None:
    command = [sys.executable, "-c", WANTS_SERVERS]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as wanting:
        assert wanting.stdout is not None
        postgres_url, valkey_url = wanting.stdout.readline().split()
        footprints = [footprint_of_postgres(postgres_url), footprint_of_valkey(valkey_url)]
        wanting.send_signal(how)
    for footprint in footprints:
        until(footprint.is_gone, f"{footprint} is gone")


def test_a_server_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DidNotStart), started("tests.servers.sendgrid", "--port", "none"):
        pass
    assert "invalid int value: 'none'" in capfd.readouterr().err


def test_waiting_ends_with_what_never_came() -> None:
    with pytest.raises(NeverCame, match=r"not within 0\.1 s: a bus"):
        until(lambda: False, "a bus", seconds=0.1)


@pytest.fixture
def app(rabbitmq: RabbitMQ) -> Iterator[Celery]:
    """An application with one queue of a name that nobody else has."""
    name = f"keyturn-test-{uuid4().hex}"
    exchange = Exchange(name, type="topic")
    queue = Queue(f"{name}.deliver", exchange, routing_key="deliver", queue_arguments={"x-queue-type": "quorum"})
    with Celery(broker=rabbitmq.url, set_as_current=False) as application:
        application.conf.task_queues = [queue]
        yield application


def test_the_queues_and_exchanges_of_an_application_are_taken_away_with_what_is_in_them(app: Celery) -> None:
    (queue,) = app.amqp.queues.values()
    with app.connection_for_write() as connection:
        connection.Producer().publish({"id": 1}, exchange=queue.exchange, routing_key="deliver", declare=[queue])

        rabbitmq_server.remove_queues(app)

        with pytest.raises(NotFound), connection.channel() as channel:
            queue(channel).queue_declare(passive=True)
        with pytest.raises(NotFound), connection.channel() as channel:
            queue.exchange(channel).declare(passive=True)


def test_each_stack_is_settings_for_an_empty_place_of_its_own(stack: Stack) -> None:
    assert not Path(stack.env["KEYTURN_DATA_DIR"]).exists()
    schemes = [urlsplit(stack.env[name]).scheme for name in ("KEYTURN_DATABASE_URL", "KEYTURN_BROKER_URL")]
    expected = {
        StackName.EMBEDDED: ["", ""],
        StackName.REDIS: ["postgresql", "redis"],
        StackName.RABBITMQ: ["postgresql", "amqp"],
    }
    assert schemes == expected[stack.name]


RUN_ONE = """
import sys
import pytest
from tests.servers import rabbitmq
rabbitmq.USUAL_URL = sys.argv[1]
sys.exit(pytest.main(["-p", "no:cacheprovider", sys.argv[2]]))
"""


def run_one(test: Callable[..., None], usual_port: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of its own of one test of this file, with `usual_port` for RabbitMQ's and these variables besides."""
    usual_url = f"amqp://user:secret@{LOOPBACK}:{usual_port}//"
    command = [sys.executable, "-c", RUN_ONE, usual_url, f"tests/test_servers.py::{test.__name__}"]
    others = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_TEST_")}
    return subprocess.run(command, cwd=ROOT, env={**others, **environment}, capture_output=True, text=True, check=False)


needs_rabbitmq = test_the_queues_and_exchanges_of_an_application_are_taken_away_with_what_is_in_them


def test_without_a_rabbitmq_the_summary_says_in_a_line_how_many_tests_were_not_run() -> None:
    port = free_port()
    run = run_one(needs_rabbitmq, port)
    line = f"RabbitMQ: none answered on {LOOPBACK}:{port} (ConnectionRefusedError); 1 tests not run"
    assert (run.returncode, line in run.stdout.splitlines()) == (0, True), run.stdout


def test_without_a_rabbitmq_a_run_that_demands_one_fails_and_says_why() -> None:
    port = free_port()
    run = run_one(needs_rabbitmq, port, KEYTURN_TEST_DEMAND="rabbitmq")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"none answered on {LOOPBACK}:{port} (ConnectionRefusedError). This run demands one" in run.stderr
    assert "secret" not in run.stdout + run.stderr


def test_a_rabbitmq_that_is_named_must_answer() -> None:
    run = run_one(needs_rabbitmq, 5672, KEYTURN_TEST_AMQP_URL=f"amqp://{LOOPBACK}:{free_port()}//")
    assert (run.returncode, "This run demands one" in run.stderr) == (pytest.ExitCode.USAGE_ERROR, True)


@pytest.mark.usefixtures("chromium")
def test_a_chromium_is_found() -> None:
    """Skipped where there is none."""


def test_without_a_chromium_the_summary_says_so_and_a_run_that_demands_one_fails() -> None:
    run = run_one(test_a_chromium_is_found, 5672, PATH="")
    demanding = run_one(test_a_chromium_is_found, 5672, PATH="", KEYTURN_TEST_DEMAND="chromium")

    assert (run.returncode, "Chromium: none on PATH; 1 tests not run" in run.stdout.splitlines()) == (0, True)
    assert demanding.returncode == pytest.ExitCode.USAGE_ERROR
    assert "No Chromium was found" in demanding.stderr
    assert "This run demands one." in demanding.stderr


@pytest.mark.usefixtures("dovecot")
def test_a_dovecot_is_found() -> None:
    """Skipped where there is none."""


def test_without_a_dovecot_the_summary_says_so_and_a_run_that_demands_one_fails() -> None:
    run = run_one(test_a_dovecot_is_found, 5672, PATH="")
    demanding = run_one(test_a_dovecot_is_found, 5672, PATH="", KEYTURN_TEST_DEMAND="dovecot")

    assert (run.returncode, "Dovecot: none on PATH; 1 tests not run" in run.stdout.splitlines()) == (0, True)
    assert demanding.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Dovecot: none on PATH. This run demands one" in demanding.stderr


def test_dovecot_ends_with_its_block(dovecot: Dovecot) -> None:
    with running_dovecot() as server:
        assert server.port != dovecot.port
        footprint = Footprint(server.port, server.certificate.parent)
        assert footprint.folder.exists()
    assert footprint.is_gone()


def test_the_environment_has_neither_settings_nor_proxies() -> None:
    settings = {name for name in os.environ if name.startswith("KEYTURN_") and not name.startswith("KEYTURN_TEST_")}
    proxies = {name for name in os.environ if name.lower().endswith("_proxy")}
    assert (settings, proxies, os.environ["NO_PROXY"]) == (set(), {"NO_PROXY", "no_proxy"}, "*")


def test_no_setting_and_no_proxy_of_the_caller_reaches_a_test() -> None:
    caller = {"KEYTURN_MODE": "demo", "https_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    run = run_one(test_the_environment_has_neither_settings_nor_proxies, 5672, **caller)
    assert run.returncode == 0, run.stdout
