"""What every test can ask for: the servers, the three stacks, a fresh database; and an environment without surprises.

Variables that steer a run: KEYTURN_TEST_DATABASE_URL, KEYTURN_TEST_REDIS_URL (a database that the tests may empty) and
KEYTURN_TEST_AMQP_URL name servers to use; KEYTURN_TEST_DEMAND=rabbitmq,chromium,dovecot fails the run where one is
lacking; KEYTURN_TEST_PROFILE=thorough looks for new counterexamples, many and at random.
"""

import importlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cli import chromium as chromium_program
from cli.chromium import NoChromium
from foundation.settings import load
from tests.servers import dovecot as dovecot_program
from tests.servers import rabbitmq as rabbitmq_server
from tests.servers.dovecot import Dovecot, NoDovecot
from tests.servers.postgres import Postgres
from tests.servers.postgres import postgres as running_postgres
from tests.servers.rabbitmq import NoRabbitMQ, RabbitMQ
from tests.servers.stack import Stack, StackName
from tests.servers.stack import stack as stack_of
from tests.servers.valkey import Valkey
from tests.servers.valkey import valkey as running_valkey

# Timings decide nothing, so neither profile has a deadline. A run that gates a change gives the same answer each time.
settings.register_profile("quick", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("quick"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("KEYTURN_TEST_PROFILE", "quick"))


def pytest_configure() -> None:
    """No setting and no proxy of the caller reaches a test."""
    for name in list(os.environ):
        ours = name.startswith("KEYTURN_") and not name.startswith("KEYTURN_TEST_")
        if ours or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


_BROKER = tempfile.TemporaryDirectory(prefix="keyturn-test-broker-")


def _give_this_process_a_broker() -> None:
    """Imports the broker with a folder of its own, which it takes from the environment.

    When this file is read, because other files beside tests import it; or all processes of a run would ring into one
    folder.
    """
    temporary = tempfile.tempdir
    load.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("KEYTURN_")]:
            patch.delenv(name)
        patch.setenv("KEYTURN_DATA_DIR", _BROKER.name)
        importlib.import_module("tasks.broker")
    # Whoever comes after finds everything as it was.
    load.cache_clear()
    tempfile.tempdir = temporary


_give_this_process_a_broker()


def pytest_sessionstart() -> None:
    """Fail at once, and not by leaving tests out, where a program is lacking that is demanded or named."""
    demanded = os.environ.get("KEYTURN_TEST_DEMAND", "").split(",")
    named = os.environ.get("KEYTURN_TEST_AMQP_URL")
    if named or "rabbitmq" in demanded:
        try:
            rabbitmq_server.find(named)
        except NoRabbitMQ as error:
            raise pytest.UsageError(f"{error}. This run demands one: start it, or set KEYTURN_TEST_AMQP_URL.") from None
    if "chromium" in demanded:
        try:
            chromium_program.find()
        except NoChromium as error:
            raise pytest.UsageError(f"{error} This run demands one.") from None
    if "dovecot" in demanded:
        try:
            dovecot_program.find()
        except NoDovecot as error:
            raise pytest.UsageError(f"{error}. This run demands one: install dovecot-imapd.") from None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that processes that share them end at about the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/end_to_end/"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests have to tell, and in a line each what was left out for want of a program that is not installed."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    for name, told in (property_ for report in reports for property_ in report.user_properties):
        if name == "told":
            terminalreporter.write_line(str(told))
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    for program in ("RabbitMQ", "Chromium", "Dovecot"):
        left_out = [why[2] for why in skipped if isinstance(why, tuple) and f"{program}: none" in why[2]]
        if left_out:
            terminalreporter.write_line(f"{left_out[0].removeprefix('Skipped: ')}; {len(left_out)} tests not run")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, started when the first test asks for it."""
    with running_postgres(os.environ.get("KEYTURN_TEST_DATABASE_URL")) as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A server that speaks Redis, started when the first test asks for it."""
    with running_valkey(os.environ.get("KEYTURN_TEST_REDIS_URL")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> RabbitMQ:
    """The machine's RabbitMQ; where there is none, the test is skipped and the summary says so."""
    try:
        return rabbitmq_server.find(os.environ.get("KEYTURN_TEST_AMQP_URL"))
    except NoRabbitMQ as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The machine's Chromium; where there is none, the test is skipped and the summary says so."""
    try:
        return chromium_program.find()
    except NoChromium:
        pytest.skip("Chromium: none on PATH")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot, started when the first test asks for it; where there is none, the test is skipped and counted."""
    try:
        dovecot_program.find()
    except NoDovecot as error:
        pytest.skip(str(error))
    with dovecot_program.dovecot() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new empty database on each of the two engines."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'keyturn.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(params=list(StackName))
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """Each of the three stacks, empty, with a data folder of its own."""
    name: StackName = request.param
    data_dir = tmp_path / "data"
    if name is StackName.EMBEDDED:
        yield stack_of(name, data_dir)
        return
    broker: Valkey | RabbitMQ = request.getfixturevalue("valkey" if name is StackName.REDIS else "rabbitmq")
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as database_url:
        made = stack_of(name, data_dir, database_url, broker.url)
        if isinstance(broker, Valkey):
            broker.empty()
        yield made
        if isinstance(broker, RabbitMQ):
            rabbitmq_server.remove_queues_of_worker(made.env)
