"""The stand-in for SendGrid, driven by the vendor's own SDK: it takes right mails only, and fails as it is told to."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from python_http_client import exceptions as refused
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Category, ClickTracking, CustomArg, Header, Mail, OpenTracking, TrackingSettings

from tests.servers import lifeline
from tests.servers.ports import is_served, port_of
from tests.servers.sendgrid import API_KEY, NONSENSE, SENDER, WITHOUT_ID, SendGrid, status, violations_of
from tests.servers.stand_in import CloseTaken, CloseUnread, Delay, Fault, Hang, Instead, Reply, Truncated
from tests.servers.waiting import until

TO = "maria@customer.example"
HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
LONG = 60  # seconds: longer than any test waits

Body = dict[str, Any]


@pytest.fixture
def sendgrid() -> Iterator[SendGrid]:
    with SendGrid() as stand_in:
        yield stand_in


def right_mail() -> Body:
    """A mail as the SDK builds it."""
    mail = Mail(SENDER, TO, "Your code", "The code is 12345678.", "<p>The code is 12345678.</p>")
    mail.custom_arg = CustomArg("message_id", "0190f5fe")
    mail.category = Category("reset_code")
    mail.header = Header("Auto-Submitted", "auto-generated")
    mail.tracking_settings = TrackingSettings(
        ClickTracking(enable=False, enable_text=False), OpenTracking(enable=False)
    )
    body: Body = mail.get()
    return body


def client(sendgrid: SendGrid, api_key: str = API_KEY, timeout: float = LONG) -> Any:
    """The SDK's client for `POST /v3/mail/send`."""
    sdk = SendGridAPIClient(api_key, host=sendgrid.base_url)
    sdk.client.timeout = timeout
    return sdk.client.mail.send


def test_a_right_mail_is_taken_and_gets_an_id(sendgrid: SendGrid) -> None:
    answer = client(sendgrid).post(request_body=right_mail())

    (mail,) = sendgrid.sent
    assert (answer.status_code, answer.body, answer.headers["X-Message-Id"]) == (202, b"", mail.message_id)
    assert (mail.to, mail.subject, mail.body) == (TO, "Your code", right_mail())
    assert (mail.text, mail.html) == ("The code is 12345678.", "<p>The code is 12345678.</p>")
    assert sendgrid.refused == ()


def test_the_vendors_own_examples_are_right() -> None:
    document = json.loads((Path(__file__).parent / "specs/sendgrid_tsg_mail_v3.json").read_text(encoding="utf-8"))
    examples = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["examples"]

    assert examples
    assert [violations_of(example["value"]) for example in examples.values()] == [[]] * len(examples)


# What is spoiled: the field that the refusal must name, and how.
SPOILED: dict[str, tuple[str, Callable[[Body], object]]] = {
    "no personalization": ("personalizations", lambda mail: mail.pop("personalizations")),
    "nobody to send to": ("personalizations.0.to", lambda mail: envelope_of(mail)["to"].clear()),
    "no address": (
        "personalizations.0.to.0.email",
        lambda mail: envelope_of(mail)["to"][0].update(email="maria at home"),
    ),
    "unknown inner field": ("personalizations.0.to.0.phone", lambda mail: envelope_of(mail)["to"][0].update(phone="1")),
    "one address twice": ("personalizations.0", lambda mail: envelope_of(mail).update(cc=[{"email": TO.upper()}])),
    "no sender": ("from", lambda mail: mail.pop("from")),
    "sender without a domain": ("from.email", lambda mail: mail["from"].update(email="reset@hosting")),
    "reply to a name": ("reply_to.email", lambda mail: mail.update(reply_to={"name": "Support"})),
    "two ways to reply": ("reply_to", lambda mail: mail.update(reply_to={"email": TO}, reply_to_list=[{"email": TO}])),
    "no subject": ("subject", lambda mail: mail.pop("subject")),
    "no content": ("content", lambda mail: mail.pop("content")),
    "empty list of contents": ("content", lambda mail: mail["content"].clear()),
    "HTML before text": ("content", lambda mail: mail["content"].reverse()),
    "empty text": ("content.0.value", lambda mail: mail["content"][0].update(value="")),
    "type with a charset": ("content.0.type", lambda mail: mail["content"][0].update(type="text/plain; charset=utf-8")),
    "custom_args too long": ("custom_args", lambda mail: mail.update(custom_args={"message_id": "x" * 10_000})),
    "number in custom_args": ("custom_args.message_id", lambda mail: mail["custom_args"].update(message_id=17)),
    "number in headers": ("headers.Auto-Submitted", lambda mail: mail["headers"].update({"Auto-Submitted": 1})),
    "reserved header": ("headers.Subject", lambda mail: mail["headers"].update(Subject="Another")),
    "category twice": ("categories", lambda mail: mail.update(categories=["twice", "twice"])),
    "tracking not a boolean": (
        "tracking_settings.open_tracking.enable",
        lambda mail: mail["tracking_settings"]["open_tracking"].update(enable=0),
    ),
    "unknown field": ("attachment", lambda mail: mail.update(attachment=[])),
}


def envelope_of(mail: Body) -> Body:
    envelope: Body = mail["personalizations"][0]
    return envelope


@pytest.mark.parametrize(("field", "spoil"), SPOILED.values(), ids=SPOILED)
def test_a_mail_with_one_field_spoiled_is_refused_and_the_field_named(
    sendgrid: SendGrid, field: str, spoil: Callable[[Body], object]
) -> None:
    mail = right_mail()
    spoil(mail)

    with pytest.raises(refused.BadRequestsError) as caught:
        client(sendgrid).post(request_body=mail)

    (error,) = json.loads(caught.value.body)["errors"]
    assert error.keys() == {"message", "field", "help"}
    assert (error["field"], sendgrid.sent) == (field, ())
    assert [violation.field for violation in sendgrid.refused[0].violations] == [field]


def test_a_subject_in_every_personalization_is_enough() -> None:
    mail = right_mail()
    envelope_of(mail)["subject"] = mail.pop("subject")

    assert violations_of(mail) == []


@pytest.mark.parametrize(("personalizations", "right"), [(1000, True), (1001, False)])
def test_a_request_has_a_thousand_personalizations_at_most(personalizations: int, right: bool) -> None:
    mail = right_mail() | {"personalizations": [{"to": [{"email": TO}]}] * personalizations}

    assert (violations_of(mail) == []) is right


def test_a_thousand_recipients_are_the_limit_over_all_personalizations() -> None:
    envelopes = [{"to": [{"email": f"{n}@customer.example"} for n in range(start, start + 501)]} for start in (0, 501)]

    (violation,) = violations_of(right_mail() | {"personalizations": envelopes})
    assert violation.field == "personalizations"


def test_a_wrong_key_is_unauthorized(sendgrid: SendGrid) -> None:
    with pytest.raises(refused.UnauthorizedError):
        client(sendgrid, "SG.another").post(request_body=right_mail())


def test_a_sender_that_is_not_verified_is_forbidden(sendgrid: SendGrid) -> None:
    with pytest.raises(refused.ForbiddenError):
        client(sendgrid).post(request_body=right_mail() | {"from": {"email": "reset@another.example"}})


def test_a_mail_over_thirty_megabytes_is_too_large(sendgrid: SendGrid) -> None:
    attachment = {"content": "A" * 30 * 2**20, "filename": "large.bin"}
    with pytest.raises(refused.PayloadTooLargeError):
        client(sendgrid).post(request_body=right_mail() | {"attachments": [attachment]})


def test_a_body_of_another_type_is_unsupported(sendgrid: SendGrid) -> None:
    with pytest.raises(refused.UnsupportedMediaTypeError):
        client(sendgrid).post(request_body=json.dumps(right_mail()), request_headers={"Content-Type": "text/plain"})


def test_a_body_that_is_not_json_is_a_bad_request(sendgrid: SendGrid) -> None:
    answer = urllib3.request("POST", f"{sendgrid.base_url}/v3/mail/send", body=b"{", headers=HEADERS)

    assert answer.status == 400
    assert answer.json() == {"errors": [{"message": "Bad Request", "field": None, "help": None}]}


def test_another_method_and_another_path_are_refused(sendgrid: SendGrid) -> None:
    with pytest.raises(refused.MethodNotAllowedError):
        client(sendgrid).get()
    with pytest.raises(refused.NotFoundError):
        client(sendgrid).drafts.post(request_body=right_mail())


@pytest.mark.parametrize(
    ("code", "error"),
    [(429, refused.TooManyRequestsError), (500, refused.InternalServerError), (503, refused.ServiceUnavailableError)],
)
def test_a_status_on_demand_takes_no_mail_and_may_say_when_to_try_again(
    sendgrid: SendGrid, code: int, error: type[refused.HTTPError]
) -> None:
    sendgrid.fail(status(code, retry_after=7))

    with pytest.raises(error) as caught:
        client(sendgrid).post(request_body=right_mail())

    assert (caught.value.headers["Retry-After"], sendgrid.sent, sendgrid.refused) == ("7", (), ())


def test_a_status_can_come_although_the_mail_was_taken(sendgrid: SendGrid) -> None:
    sendgrid.fail(Instead(Reply(500), taken=True))

    with pytest.raises(refused.InternalServerError):
        client(sendgrid).post(request_body=right_mail())

    assert len(sendgrid.sent) == 1


@pytest.mark.parametrize(
    ("fault", "error", "taken"),
    [
        (CloseUnread(), OSError, False),
        (CloseTaken(), ConnectionResetError, True),
        (Truncated(), http.client.IncompleteRead, True),
    ],
)
def test_a_broken_connection_tells_the_client_nothing(
    sendgrid: SendGrid, fault: Fault, error: type[Exception], taken: bool
) -> None:
    sendgrid.fail(fault)

    with pytest.raises(error):
        client(sendgrid).post(request_body=right_mail())

    assert len(sendgrid.sent) == taken


@pytest.mark.parametrize("taken", [False, True])
def test_a_hang_outlasts_the_clients_patience(sendgrid: SendGrid, taken: bool) -> None:
    sendgrid.fail(Hang(LONG, taken=taken))

    with pytest.raises(TimeoutError):
        client(sendgrid, timeout=0.5).post(request_body=right_mail())

    if taken:
        until(lambda: sendgrid.sent, "the mail is taken")
    assert len(sendgrid.sent) == taken


def test_a_hang_ends_after_its_seconds(sendgrid: SendGrid) -> None:
    sendgrid.fail(Hang(0.1))

    with pytest.raises(ConnectionResetError):
        client(sendgrid).post(request_body=right_mail())


def test_a_delayed_answer_is_late_and_right(sendgrid: SendGrid) -> None:
    sendgrid.fail(Delay(0.2))
    start = time.monotonic()

    assert client(sendgrid).post(request_body=right_mail()).status_code == 202
    assert time.monotonic() - start >= 0.2


def test_an_answer_can_lack_the_id_or_be_nonsense_although_the_mail_was_taken(sendgrid: SendGrid) -> None:
    sendgrid.fail(WITHOUT_ID, NONSENSE)

    without_id, nonsense = (client(sendgrid).post(request_body=right_mail()) for _ in range(2))

    assert (without_id.status_code, without_id.headers["X-Message-Id"]) == (202, None)
    assert (nonsense.status_code, nonsense.body) == (200, b"<html>It works!</html>")
    assert len(sendgrid.sent) == 2


def test_each_fault_meets_one_request_in_order_and_then_all_is_well(sendgrid: SendGrid) -> None:
    sendgrid.fail(status(503), status(429))
    post = client(sendgrid).post

    with pytest.raises(refused.ServiceUnavailableError):
        post(request_body=right_mail())
    with pytest.raises(refused.TooManyRequestsError):
        post(request_body=right_mail())
    assert post(request_body=right_mail()).status_code == 202


def test_a_wrong_mail_is_noted_even_where_a_fault_hides_the_refusal(sendgrid: SendGrid) -> None:
    sendgrid.fail(WITHOUT_ID)

    client(sendgrid).post(request_body={})

    assert (sendgrid.sent, sendgrid.refused[0].status) == ((), 400)


def test_connections_are_kept_alive_and_counted(sendgrid: SendGrid) -> None:
    with urllib3.PoolManager() as pool:
        for _ in range(3):
            assert (
                pool.request("POST", f"{sendgrid.base_url}/v3/mail/send", json=right_mail(), headers=HEADERS).status
                == 202
            )

    assert (len(sendgrid.sent), sendgrid.connections) == (3, 1)


def test_many_clients_at_once_lose_no_mail(sendgrid: SendGrid) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client(sendgrid).post(request_body=right_mail()), range(100)))

    assert {answer.headers["X-Message-Id"] for answer in answers} == {mail.message_id for mail in sendgrid.sent}
    assert len(sendgrid.sent) == 100


def test_it_stops_while_a_client_keeps_its_connection_alive() -> None:
    with urllib3.PoolManager() as pool:
        with SendGrid() as sendgrid:
            pool.request("POST", f"{sendgrid.base_url}/v3/mail/send", json=right_mail(), headers=HEADERS)
        assert not is_served(port_of(sendgrid.base_url))


def test_it_runs_as_a_process_of_its_own_with_a_delay() -> None:
    with lifeline.started("tests.servers.sendgrid", "--delay-ms", "200") as url:
        start = time.monotonic()
        answer = urllib3.request("POST", f"{url}/v3/mail/send", json=right_mail(), headers=HEADERS)
        assert (answer.status, time.monotonic() - start >= 0.2) == (202, True)
    assert not is_served(port_of(url))
