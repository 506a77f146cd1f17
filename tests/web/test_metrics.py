"""The figures for a monitoring system: for whoever has the token, and nobody else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from foundation import clock
from models.cases import Actor
from models.messages import Outcome
from tests.installations import make_installation, sms_account
from tests.web.browser import browser
from workflows.delivery import claim, record_failed
from workflows.installation import Installation
from workflows.opening import open_case

TOKEN = "token-of-the-tests"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path, metrics_token=SecretStr(TOKEN))
    yield made
    made.database.dispose()


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    with browser(installation) as opened:
        yield opened


def figures(client: TestClient) -> dict[str, str]:
    answer = client.get("/metrics", headers=ALLOWED)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in (line.rpartition(" ") for line in lines)}


def test_where_all_is_well_no_channel_is_stopped_and_nothing_is_late(client: TestClient) -> None:
    channels = {f'keyturn_channel_stopped{{channel="{each}"}}': "0" for each in ("email", "sms", "voice", "mail")}
    assert figures(client) == channels | {"keyturn_messages_late": "0"}


def test_a_stopped_channel_and_late_messages_show(client: TestClient, installation: Installation) -> None:
    now = clock.now() - timedelta(minutes=3)
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=now)
    parcel = claim(installation, opened.owed[0], now)
    assert parcel is not None
    record_failed(installation, parcel, Outcome.MISCONFIGURED, "http_401", now)
    found = figures(client)
    assert found['keyturn_channel_stopped{channel="sms"}'] == "1"
    assert found['keyturn_channel_stopped{channel="email"}'] == "0"
    assert found["keyturn_messages_late"] == "2"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}])
def test_without_the_token_there_is_no_such_page(client: TestClient, header: dict[str, str]) -> None:
    assert client.get("/metrics", headers=header).status_code == 404


def test_where_no_token_is_set_there_is_none_for_anybody(tmp_path: Path) -> None:
    made = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path)
    with browser(made) as client:
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    made.database.dispose()
