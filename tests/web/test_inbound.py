"""Mails that are posted: only whoever signs them may, each delivery is stored once, and as it came."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from starlette.testclient import TestClient

from foundation import clock
from inbox.packages import Source, opened
from models.base import AnyRow
from models.inbound import InboundMail
from tests.installations import make_installation, rows
from tests.servers.inbound_parse import multipart
from tests.servers.signing import SendGridKey
from tests.web.browser import browser
from workflows.installation import Installation

RAW = b"From: Dana <dana@pottery.example>\r\nSubject: Lost my phone\r\n\r\nI lost my phone. \xff\x00\r\n"
KEY, OTHER_KEY = SendGridKey(), SendGridKey()
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, long enough").decode()
PARSE, HELPDESK = "/inbound/sendgrid", "/inbound/helpdesk"


def made(tmp_path: Path, **settings: object) -> Iterator[tuple[Installation, TestClient]]:
    installation = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path, **settings)
    with browser(installation) as client:
        yield installation, client
    installation.database.dispose()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Installation, TestClient]]:
    yield from made(tmp_path, sendgrid_inbound_key=KEY.setting, helpdesk_secret=SecretStr(SECRET))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[tuple[Installation, TestClient]]:
    yield from made(tmp_path)


def stored(installation: Installation) -> list[AnyRow]:
    return rows(installation, select(InboundMail.source, InboundMail.raw))


def signed(body: bytes, id_: str = "msg_1", at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    """Standard Webhooks' headers, written out independently of the product."""
    timestamp = str(int((at or clock.now()).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": f"v1,AAAA {signature}"}


def package(raw: bytes = RAW) -> bytes:
    return json.dumps({"raw": base64.b64encode(raw).decode()}).encode()


def test_a_form_that_sendgrid_signed_is_stored_once_as_it_came(site: tuple[Installation, TestClient]) -> None:
    installation, client = site
    for boundary in ("one", "another"):
        body = multipart({"email": RAW, "dkim": b"{@pottery.example : pass}"}, boundary)
        assert client.post(PARSE, content=body, headers=KEY.headers(body, clock.now())).status_code == 200
    (row,) = stored(installation)
    assert row.source == "sendgrid"
    assert opened(Source(row.source), row.raw).raw == RAW


def test_an_unsigned_or_wrongly_signed_form_is_refused(site: tuple[Installation, TestClient]) -> None:
    installation, client = site
    body = multipart({"email": RAW})
    for headers in (
        {},
        OTHER_KEY.headers(body, clock.now()),
        KEY.headers(body + b"x", clock.now()),
        KEY.headers(body, clock.now()) | {"X-Twilio-Email-Event-Webhook-Timestamp": "1"},
    ):
        assert client.post(PARSE, content=body, headers=headers).status_code == 403
    assert stored(installation) == []


def test_without_a_key_nothing_is_taken_from_inbound_parse(bare: tuple[Installation, TestClient]) -> None:
    installation, client = bare
    body = multipart({"email": RAW})
    assert client.post(PARSE, content=body, headers=KEY.headers(body, clock.now())).status_code == 403
    assert stored(installation) == []


def test_where_it_is_switched_off_on_purpose_no_signature_is_asked_for(tmp_path: Path) -> None:
    for installation, client in made(tmp_path, sendgrid_inbound_unsigned=True):
        assert client.post(PARSE, content=multipart({"email": RAW})).status_code == 200
        assert len(stored(installation)) == 1


def test_what_is_signed_and_no_form_is_answered_so_that_it_does_not_come_again(
    site: tuple[Installation, TestClient],
) -> None:
    installation, client = site
    assert client.post(PARSE, content=b"nonsense", headers=KEY.headers(b"nonsense", clock.now())).status_code == 200
    assert stored(installation) == []


def test_a_help_desks_mail_is_stored_once_an_id(site: tuple[Installation, TestClient]) -> None:
    installation, client = site
    for id_ in ("msg_1", "msg_1", "msg_2"):
        assert client.post(HELPDESK, content=package(), headers=signed(package(), id_)).status_code == 204
    assert [(row.source, opened(Source(row.source), row.raw).raw) for row in stored(installation)] == [
        ("helpdesk", RAW)
    ] * 2


def test_a_help_desk_is_told_what_is_wrong_with_its_package_and_nothing_is_lost(
    site: tuple[Installation, TestClient],
) -> None:
    installation, client = site
    response = client.post(HELPDESK, content=b'{"mail": "x"}', headers=signed(b'{"mail": "x"}'))
    assert (response.status_code, '"raw"' in response.text) == (422, True)
    assert len(stored(installation)) == 1


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time_is_refused(site: tuple[Installation, TestClient], minutes: int) -> None:
    installation, client = site
    headers = signed(package(), at=clock.now() + timedelta(minutes=minutes))
    assert client.post(HELPDESK, content=package(), headers=headers).status_code == 403
    assert stored(installation) == []


def test_a_wrong_signature_of_a_help_desk_is_refused(site: tuple[Installation, TestClient]) -> None:
    installation, client = site
    right = signed(package())
    other = "whsec_" + base64.b64encode(b"another secret, and as long as it").decode()
    for headers in (
        {},
        right | {"webhook-id": "msg_2"},
        right | {"webhook-id": ""},
        right | {"webhook-timestamp": "soon"},
        right | {"webhook-signature": "v1,AAAA"},
        right | {"webhook-signature": right["webhook-signature"].removeprefix("v1,AAAA v1,")},
        signed(package(), secret=other),
        signed(package(RAW + b"x")),
    ):
        assert client.post(HELPDESK, content=package(), headers=headers).status_code == 403
    assert stored(installation) == []


def test_without_a_secret_nothing_is_taken_from_a_help_desk(bare: tuple[Installation, TestClient]) -> None:
    installation, client = bare
    assert client.post(HELPDESK, content=package(), headers=signed(package())).status_code == 403
    assert stored(installation) == []


def test_a_mail_of_20_megabytes_fits_and_an_endless_one_does_not(site: tuple[Installation, TestClient]) -> None:
    installation, client = site
    large = multipart({"email": RAW + b"x" * 20_000_000})
    assert client.post(PARSE, content=large, headers=KEY.headers(large, clock.now())).status_code == 200
    endless = multipart({"email": RAW + b"x" * 32_000_000})
    assert client.post(PARSE, content=endless, headers=KEY.headers(endless, clock.now())).status_code == 413
    assert len(stored(installation)) == 1
