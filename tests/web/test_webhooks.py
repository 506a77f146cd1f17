"""The vendors' webhooks: what is proven is stored once and answered with 204, what is not is refused unread."""

import asyncio
import inspect
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import select
from starlette.testclient import TestClient
from starlette.types import Message

from foundation import clock
from models.messages import DeliveryReceipt
from policy.vocabulary import Fate
from tests.installations import make_installation, rows
from tests.servers import signing
from tests.servers.signing import SendGridKey
from tests.web.browser import browser
from web import webhooks
from workflows.installation import Installation

PUBLIC = "https://northfold.example/account"  # below a path that a proxy takes off
SEEN = "http://10.0.0.7:8420"  # what the proxy asks for
TOKEN, SECRET, ANOTHER, KEY = "token-of-the-tests", "secret-of-the-tests", "another", SendGridKey()
MESSAGE = UUID("0199a1c4-7c1e-7bb0-9d43-3f2f6d1c55aa")
SMS, CALL, LETTER = "SM" + 32 * "a", "CA" + 32 * "b", "ltr_4868c3b754655f90"
SMS_PATH, CALL_PATH = f"/webhooks/twilio/messages/{MESSAGE}", f"/webhooks/twilio/calls/{MESSAGE}"
NUMBER, ADDRESS, STREET = "+12025550142", "maria@customer.example", "12 MILL STREET"
PATHS = (SMS_PATH, CALL_PATH, "/webhooks/sendgrid", "/webhooks/lob")

SMS_FIELDS = {"MessageSid": SMS, "MessageStatus": "undelivered", "ErrorCode": "30006", "To": NUMBER, "ToCity": ""}
CALL_FIELDS = {"CallSid": CALL, "CallStatus": "busy", "SequenceNumber": "3", "To": NUMBER}
MAIL_EVENT = {
    "event": "bounce",
    "email": ADDRESS,
    "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
    "sg_message_id": "14c5d75ce93.dfd.64b469",
    "message_id": str(MESSAGE),
}
LETTER_EVENT = {
    "id": "evt_d95ff8ffd2b5cfb4",
    "body": {"to": {"address_line1": STREET}, "metadata": {"message_id": str(MESSAGE)}},
    "reference_id": LETTER,
    "event_type": {"id": "letter.returned_to_sender"},
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One engine: none of this depends on which."""
    return f"sqlite:///{tmp_path / 'keyturn.db'}"


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(
        database_url,
        tmp_path,
        public_url=PUBLIC,
        twilio_auth_token=SecretStr(TOKEN),
        sendgrid_webhook_key=KEY.setting,
        lob_webhook_secret=SecretStr(SECRET),
    )
    yield made
    made.database.dispose()


@pytest.fixture
def bare(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """The webhooks of an installation without any secret."""
    made = make_installation(database_url, tmp_path, public_url=PUBLIC)
    with browser(made) as client:
        yield client
    made.database.dispose()


def stored(installation: Installation) -> dict[str, tuple[str, UUID | None, str, Fate, str]]:
    """What the store holds, by the vendors' ids of the events."""
    return {
        row.event_id: (row.vendor, row.message_id, row.provider_id, row.fate, row.word)
        for row in rows(installation, select(DeliveryReceipt))
    }


def from_twilio(
    client: TestClient, path: str, fields: dict[str, str], token: str = TOKEN, public: str = PUBLIC
) -> Response:
    headers = signing.twilio(token, f"{public}{path}", fields)
    return post(client, path, urlencode(fields).encode(), headers, "application/x-www-form-urlencoded")


def from_sendgrid(client: TestClient, body: bytes, key: SendGridKey = KEY) -> Response:
    return post(client, "/webhooks/sendgrid", body, key.headers(body, clock.now()))


def from_lob(client: TestClient, body: bytes, secret: str = SECRET) -> Response:
    return post(client, "/webhooks/lob", body, signing.lob(secret, body, clock.now()))


def post(
    client: TestClient, path: str, body: bytes, headers: dict[str, str], kind: str = "application/json"
) -> Response:
    return client.post(f"{SEEN}{path}", content=body, headers={**headers, "Content-Type": kind})


def test_an_sms_that_was_not_delivered_is_stored(installation: Installation, client: TestClient) -> None:
    answer = from_twilio(client, SMS_PATH, SMS_FIELDS)
    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(installation) == {
        f"{SMS}:undelivered": ("twilio", MESSAGE, SMS, Fate.UNREACHABLE, "undelivered 30006")
    }


def test_a_busy_call_is_stored(installation: Installation, client: TestClient) -> None:
    assert from_twilio(client, CALL_PATH, CALL_FIELDS).status_code == 204
    assert stored(installation) == {f"{CALL}:busy:3": ("twilio", MESSAGE, CALL, Fate.UNANSWERED, "busy")}


def test_a_bounced_mail_is_stored(installation: Installation, client: TestClient) -> None:
    assert from_sendgrid(client, json.dumps([MAIL_EVENT]).encode()).status_code == 204
    wanted = ("sendgrid", MESSAGE, "14c5d75ce93", Fate.UNREACHABLE, "bounce")
    assert stored(installation) == {MAIL_EVENT["sg_event_id"]: wanted}


def test_a_letter_that_came_back_is_stored(installation: Installation, client: TestClient) -> None:
    assert from_lob(client, json.dumps(LETTER_EVENT).encode()).status_code == 204
    wanted = ("lob", MESSAGE, LETTER, Fate.UNREACHABLE, "letter.returned_to_sender")
    assert stored(installation) == {LETTER_EVENT["id"]: wanted}


def test_what_comes_again_is_stored_once(installation: Installation, client: TestClient) -> None:
    body = json.dumps([MAIL_EVENT, MAIL_EVENT]).encode()
    for _ in range(2):
        assert from_sendgrid(client, body).status_code == 204
        assert from_twilio(client, SMS_PATH, SMS_FIELDS).status_code == 204
    assert set(stored(installation)) == {MAIL_EVENT["sg_event_id"], f"{SMS}:undelivered"}


def test_one_bad_event_does_not_cost_the_others_of_its_batch(installation: Installation, client: TestClient) -> None:
    body = json.dumps([{"event": "bounce"}, MAIL_EVENT, {"event": "open"}, 17]).encode()
    assert from_sendgrid(client, body).status_code == 204
    assert set(stored(installation)) == {MAIL_EVENT["sg_event_id"]}


def test_a_status_that_nobody_knows_is_taken_and_stores_nothing(installation: Installation, client: TestClient) -> None:
    assert from_twilio(client, SMS_PATH, {**SMS_FIELDS, "MessageStatus": "teleported"}).status_code == 204
    assert (
        from_lob(client, json.dumps({**LETTER_EVENT, "event_type": {"id": "letter.viewed"}}).encode()).status_code
        == 204
    )
    assert stored(installation) == {}


def test_what_is_signed_and_unreadable_is_taken_and_noted_without_its_contents(
    installation: Installation, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        from_twilio(client, SMS_PATH, {"To": NUMBER}),
        from_twilio(client, CALL_PATH, {"To": NUMBER}),
        from_sendgrid(client, f'{{"email": "{ADDRESS}"}}'.encode()),
        from_lob(client, f'["{STREET}"]'.encode()),
    ]
    assert [answer.status_code for answer in answers] == 4 * [204]
    noted = [record for record in caplog.records if record.name == "web.webhooks"]
    assert [record.levelno for record in noted] == 4 * [logging.WARNING]
    assert all("cannot be read" in record.getMessage() for record in noted)
    assert stored(installation) == {}


def test_what_somebody_else_signed_is_refused_in_one_line_of_text(
    installation: Installation, client: TestClient
) -> None:
    answers = [
        from_twilio(client, SMS_PATH, SMS_FIELDS, ANOTHER),
        from_twilio(client, CALL_PATH, CALL_FIELDS, ANOTHER),
        from_twilio(client, SMS_PATH, SMS_FIELDS, public=SEEN),
        from_sendgrid(client, json.dumps([MAIL_EVENT]).encode(), SendGridKey()),
        from_lob(client, json.dumps(LETTER_EVENT).encode(), ANOTHER),
    ]
    for answer in answers:
        assert (answer.status_code, answer.text) == (403, "The signature is missing, wrong or too old.\n")
        assert answer.headers["content-type"].startswith("text/plain")
        assert "content-security-policy" in answer.headers
    assert stored(installation) == {}


BREAKING = {
    "nothing": b"",
    "half of JSON": b'[{"event":',
    "deep JSON": 200_000 * b"[",
    "a long number": 5000 * b"9",
    "no text": b"\xff\xfe\x00%ff%",
    "half a part": b"--x\r\nContent-Dis",
    "many fields": 200_000 * b"a&",
}


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("body", BREAKING.values(), ids=BREAKING)
@pytest.mark.parametrize("path", PATHS)
def test_what_would_break_a_parser_is_refused_before_one_sees_it(
    client: TestClient, path: str, body: bytes, kind: str
) -> None:
    wrong = {
        "X-Twilio-Signature": "AAAA",
        **SendGridKey().headers(body, clock.now()),
        **signing.lob(ANOTHER, body, clock.now()),
    }
    for headers in ({}, wrong):
        assert post(client, path, body, headers, kind).status_code == 403


def test_a_message_that_cannot_be_ours_is_refused_too(client: TestClient) -> None:
    assert client.post(f"{SEEN}/webhooks/twilio/messages/R-7K2M-9QXW").status_code == 403
    assert client.post(f"{SEEN}/webhooks/twilio/messages/%ff%00").status_code == 403


def test_without_secrets_everything_is_refused_and_the_log_names_the_setting(
    bare: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        from_twilio(bare, SMS_PATH, SMS_FIELDS, ""),
        from_twilio(bare, CALL_PATH, CALL_FIELDS, ""),
        from_sendgrid(bare, b"[]"),
        from_lob(bare, b"{}", ""),
    ]
    assert [answer.status_code for answer in answers] == 4 * [403]
    noted = [record.getMessage() for record in caplog.records if record.name == "web.webhooks"]
    assert [line.partition("KEYTURN_")[2].partition(" ")[0] for line in noted] == [
        "TWILIO_AUTH_TOKEN",
        "TWILIO_AUTH_TOKEN",
        "SENDGRID_WEBHOOK_KEY",
        "LOB_WEBHOOK_SECRET",
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_post_is_known(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, f"{SEEN}{path}").status_code == 405


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_batch_may_be_as_long_as_sendgrid_makes_it_and_no_longer(client: TestClient, in_pieces: bool) -> None:
    def send(length: int) -> Response:
        body = json.dumps([MAIL_EVENT]).encode().ljust(length)
        content = iter([body[at : at + 65536] for at in range(0, length, 65536)]) if in_pieces else body
        return client.post(f"{SEEN}/webhooks/sendgrid", content=content, headers=KEY.headers(body, clock.now()))

    assert send(2**20).status_code == 204
    assert send(2**20 + 1).status_code == 413


def test_no_handler_waits_for_the_database_on_the_event_loop() -> None:
    handlers = [route.endpoint for route in webhooks.router.routes if isinstance(route, APIRoute)]
    assert len(handlers) == len(PATHS)
    assert not [each for each in handlers if inspect.iscoroutinefunction(each)]


def test_a_browsers_headers_do_not_stop_a_vendor(client: TestClient) -> None:
    body = json.dumps([MAIL_EVENT]).encode()
    headers = {**KEY.headers(body, clock.now()), "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert post(client, "/webhooks/sendgrid", body, headers).status_code == 204


def test_nothing_of_a_request_is_logged_at_any_level(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for token, key, secret in ((TOKEN, KEY, SECRET), (ANOTHER, SendGridKey(), ANOTHER)):
        from_twilio(client, SMS_PATH, SMS_FIELDS, token)
        from_twilio(client, CALL_PATH, {"To": NUMBER}, token)
        from_sendgrid(client, json.dumps([MAIL_EVENT, {"email": ADDRESS}]).encode(), key)
        from_sendgrid(client, f"nonsense for {ADDRESS}".encode(), key)
        from_lob(client, json.dumps(LETTER_EVENT).encode(), secret)
        from_lob(client, json.dumps({**LETTER_EVENT, "id": STREET}).encode(), secret)
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx2")]
    assert len(lines) >= 12
    for private in (NUMBER, NUMBER[1:], "maria", "MILL", "nonsense", SMS, LETTER, TOKEN, SECRET, KEY.setting):
        assert not [line for line in lines if private in line]


def test_the_line_in_the_log_has_the_route_and_no_id(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    from_twilio(client, SMS_PATH, SMS_FIELDS)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "web.guards"]
    assert line.startswith("POST /webhooks/twilio/messages/{message_id} 204 ")


def test_a_vendor_that_breaks_off_is_no_fault_of_ours(installation: Installation) -> None:
    from web.app import create_app

    assert _statuses_of_breaking_off(create_app(installation)) == [400]


def _statuses_of_breaking_off(app: FastAPI) -> list[int]:
    """The status of the answer to a request whose client goes away in the middle of its body."""
    parts: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}]
    )
    statuses: list[int] = []

    async def receive() -> Message:
        return next(parts)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    path = "/webhooks/sendgrid"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(app(scope, receive, send))
    return statuses
