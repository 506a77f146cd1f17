"""E-mail over the real SDK and real HTTP: what SendGrid gets, what each of its failures means, what is never logged."""

import logging
import socket
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import urllib3
from pydantic import SecretStr
from urllib3.exceptions import NameResolutionError, NewConnectionError

from foundation.settings import Settings
from notifiers import texts, wire
from notifiers.contract import (
    DeliveryFailed,
    Misconfigured,
    NotSent,
    PermitMisused,
    Rejected,
    Unavailable,
    Unknown,
)
from notifiers.sendgrid_email import SendGridEmail
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.patience import SHORT, patience
from tests.notifiers.samples import CANCEL_LINK, CODE, EMAIL, LINK, NAME, REFERENCE, message, permit
from tests.servers.ports import LOOPBACK, free_port, port_of
from tests.servers.sendgrid import API_KEY, NONSENSE, SENDER, WITHOUT_ID, SendGrid, status
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, Truncated

LONG = 60  # seconds: longer than any test waits


@pytest.fixture
def sendgrid() -> Iterator[SendGrid]:
    with SendGrid() as stand_in:
        yield stand_in


def notifier(
    base_url: str, key: str = API_KEY, sender: str = SENDER, timeout: urllib3.Timeout | None = None
) -> SendGridEmail:
    settings = Settings(sendgrid_api_key=SecretStr(key), sendgrid_from=sender, sendgrid_base_url=base_url)
    return SendGridEmail(settings, timeout) if timeout else SendGridEmail(settings)


def failure_of(sending: SendGridEmail, to: str = EMAIL) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL, to))
    return caught.value


def test_a_mail_is_taken_and_the_receipt_holds_sendgrids_id(sendgrid: SendGrid) -> None:
    sent = message(MessageKind.RESET_CODE)
    receipt = notifier(sendgrid.base_url).send(sent, permit(Channel.EMAIL))

    (mail,) = sendgrid.sent
    wanted = texts.email(sent)
    assert (receipt.provider, receipt.provider_id) == ("sendgrid", mail.message_id)
    assert mail.body == {
        "from": {"email": SENDER, "name": "Example Hosting"},
        "reply_to": {"email": "support@hosting.example"},
        "personalizations": [{"to": [{"email": EMAIL}], "custom_args": {"message_id": str(sent.id)}}],
        "subject": wanted.subject,
        "content": [
            {"type": "text/plain", "value": wanted.text},
            {"type": "text/html", "value": wanted.html},
        ],
        "headers": {
            "Message-ID": f"<{sent.id}@hosting.example>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
            "ganalytics": {"enable": False},
        },
        "mail_settings": {"bypass_unsubscribe_management": {"enable": True}},
    }


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.EMAIL]))
def test_every_kind_of_mail_is_as_the_vendor_describes_it(sendgrid: SendGrid, kind: MessageKind) -> None:
    notifier(sendgrid.base_url).send(message(kind, in_reply_to="<1@customer.example>"), permit(Channel.EMAIL))

    assert (len(sendgrid.sent), sendgrid.refused) == (1, ())


def test_a_repeat_of_a_message_is_the_very_same_mail(sendgrid: SendGrid) -> None:
    sent, sending = message(MessageKind.RESET_CODE), notifier(sendgrid.base_url)
    for _ in range(2):
        sending.send(sent, permit(Channel.EMAIL))

    assert sendgrid.sent[0].body == sendgrid.sent[1].body


def test_a_base_url_with_a_path_keeps_it() -> None:
    assert notifier(f"http://{LOOPBACK}:1/vendors/sendgrid/")._path == "/vendors/sendgrid/v3/mail/send"


def test_one_connection_carries_one_mail_after_another(sendgrid: SendGrid) -> None:
    sending = notifier(sendgrid.base_url)
    for _ in range(20):
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))

    assert (len(sendgrid.sent), sendgrid.connections) == (20, 1)


def test_threads_share_a_notifier_with_a_connection_each_at_most(sendgrid: SendGrid) -> None:
    sending = notifier(sendgrid.base_url)
    messages = [message(MessageKind.RESET_CODE) for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda each: sending.send(each, permit(Channel.EMAIL)), messages))

    ids = {mail.body["personalizations"][0]["custom_args"]["message_id"]: mail.message_id for mail in sendgrid.sent}
    assert ids == {str(sent.id): receipt.provider_id for sent, receipt in zip(messages, receipts, strict=True)}
    assert sendgrid.connections <= 8


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with SendGrid() as first:
        sending, port = notifier(first.base_url), port_of(first.base_url)
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))
    with SendGrid(port) as second:
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))

        assert len(second.sent) == 1


JSON = {"Content-Type": "application/json"}
TO_FAULT = b'{"errors":[{"message":"m","field":"personalizations.0.to.0.email"}]}'
MIXED_FAULT = b'{"errors":[{"message":"m","field":"personalizations.0.to.0.email"},{"message":"m","field":"subject"}]}'
ODD_FIELD = b'{"errors":[{"message":"maria@customer.example","field":"headers.X-maria@customer.example"}]}'
NO_FIELD = b'{"errors":[{"message":"Bad Request","field":null}]}'


@pytest.mark.parametrize(
    ("fault", "meaning", "code"),
    [
        (CloseUnread(), Unknown, "ProtocolError"),
        (CloseTaken(), Unknown, "ProtocolError"),
        (Truncated(), Unknown, "ProtocolError"),
        (Hang(LONG), Unknown, "ReadTimeoutError"),
        (Hang(LONG, taken=True), Unknown, "ReadTimeoutError"),
        (NONSENSE, Unknown, "http_200"),
        (Instead(Reply(200, headers={"X-Message-Id": "1"}), taken=True), Unknown, "http_200"),
        (WITHOUT_ID, Unknown, "no_message_id"),
        (status(500), Unknown, "http_500"),
        (status(502), Unknown, "http_502"),
        (status(504), Unknown, "http_504"),
        (status(408), Unavailable, "http_408"),
        (status(429), Unavailable, "http_429"),
        (status(503), Unavailable, "http_503"),
        (status(401), Misconfigured, "http_401"),
        (status(403), Misconfigured, "http_403"),
        (status(404), Misconfigured, "http_404"),
        (status(413), Misconfigured, "http_413"),
        (status(422), Misconfigured, "http_422"),
        (Instead(Reply(400, TO_FAULT, JSON)), Rejected, "http_400 recipient"),
        (Instead(Reply(400, MIXED_FAULT, JSON)), Misconfigured, "http_400 personalizations.0.to.0.email, subject"),
        (Instead(Reply(400, ODD_FIELD, JSON)), Misconfigured, "http_400 another field"),
        (Instead(Reply(400, NO_FIELD, JSON)), Misconfigured, "http_400 another field"),
        (Instead(Reply(400, b"<h1>Bad Request</h1>")), Misconfigured, "http_400"),
        (Instead(Reply(400, b"[]", JSON)), Misconfigured, "http_400"),
        (Instead(Reply(400, b"\xff{", JSON)), Misconfigured, "http_400"),
    ],
    ids=str,
)
def test_each_failure_means_one_thing_and_nothing_is_tried_again(
    sendgrid: SendGrid, fault: Fault, meaning: type[DeliveryFailed], code: str
) -> None:
    sending = notifier(sendgrid.base_url, timeout=patience(fault))
    sendgrid.fail(fault)

    failed = failure_of(sending)
    assert (type(failed), failed.code) == (meaning, code)
    # A second try of its own would have met no fault, and so would have been taken.
    assert len(sendgrid.sent) == (getattr(fault, "taken", False) or isinstance(fault, CloseTaken | Truncated))


def test_after_a_failure_the_next_mail_goes(sendgrid: SendGrid) -> None:
    sending = notifier(sendgrid.base_url)
    for fault in (CloseUnread(), Truncated(), status(500), status(429)):
        sendgrid.fail(fault)
        failure_of(sending)

        assert sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL)).provider_id


def test_what_refuses_the_connection_got_nothing() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"))

    assert (type(failed), failed.code) == (NotSent, "NewConnectionError")


def test_a_name_that_leads_nowhere_counts_as_a_refused_connection() -> None:
    assert issubclass(NameResolutionError, NewConnectionError)


def test_what_does_not_answer_the_connection_got_nothing() -> None:
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(4):  # fill the queue of connections that nobody accepts
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())

        failed = failure_of(notifier(f"http://{LOOPBACK}:{server.getsockname()[1]}", timeout=SHORT))

    assert (type(failed), failed.code) == (NotSent, "ConnectTimeoutError")


def test_a_redirect_is_not_followed(sendgrid: SendGrid) -> None:
    with SendGrid() as elsewhere:
        sendgrid.fail(Instead(Reply(307, headers={"Location": f"{elsewhere.base_url}/v3/mail/send"})))
        failed = failure_of(notifier(sendgrid.base_url))

        assert (type(failed), failed.code) == (Misconfigured, "http_307")
        assert (elsewhere.connections, sendgrid.sent) == (0, ())


def test_an_address_that_sendgrid_refuses_is_the_recipients(sendgrid: SendGrid) -> None:
    failed = failure_of(notifier(sendgrid.base_url), to="maria@localhost")

    assert (type(failed), failed.code) == (Rejected, "http_400 recipient")


def test_a_strange_address_reaches_sendgrid_unparsed(sendgrid: SendGrid) -> None:
    assert isinstance(failure_of(notifier(sendgrid.base_url), to="maria<eve@else.example>"), Rejected)
    assert sendgrid.sent == ()


@pytest.mark.parametrize(
    ("key", "sender", "code"),
    [
        ("SG.another-key", SENDER, "http_401"),
        (API_KEY, "reset@unverified.example", "http_403"),
        (API_KEY, "reset@hosting", "http_400 from.email"),
    ],
)
def test_a_wrong_key_or_sender_is_our_own_fault(sendgrid: SendGrid, key: str, sender: str, code: str) -> None:
    failed = failure_of(notifier(sendgrid.base_url, key, sender))

    assert (type(failed), failed.code) == (Misconfigured, code)


def test_the_vendors_wait_is_passed_on_in_seconds(sendgrid: SendGrid) -> None:
    sendgrid.fail(status(429, retry_after=17), status(503, retry_after=120), status(503))
    waits = [failed.retry_after for failed in _unavailable(notifier(sendgrid.base_url), 3)]

    assert waits == [timedelta(seconds=17), timedelta(seconds=120), None]


def test_the_vendors_wait_is_passed_on_as_a_date(sendgrid: SendGrid) -> None:
    now = datetime.now(UTC)
    for at in (now + timedelta(hours=1), now - timedelta(hours=1)):
        sendgrid.fail(Instead(Reply(503, headers={"Retry-After": format_datetime(at, usegmt=True)})))
    ahead, past = (failed.retry_after for failed in _unavailable(notifier(sendgrid.base_url), 2))

    assert ahead is not None
    assert timedelta(minutes=55) < ahead <= timedelta(hours=1)
    assert past == timedelta()


@pytest.mark.parametrize(
    "wait", ["soon", "-5", "1.5", "٣", "Tue, 24 Nov 2026 18:05:00 -0000", "Tue, 99 Nov 2026 18:05:00 GMT"]
)
def test_a_wait_that_cannot_be_read_is_none(wait: str) -> None:
    assert wire.retry_after({"Retry-After": wait}) is None


def test_a_wait_is_a_week_at_most() -> None:
    assert wire.retry_after({"Retry-After": "9" * 40}) == timedelta(days=7)


def _unavailable(sending: SendGridEmail, times: int) -> Iterator[Unavailable]:
    for _ in range(times):
        failed = failure_of(sending)
        assert isinstance(failed, Unavailable)
        yield failed


def test_waiting_has_an_end() -> None:
    assert (wire.TIMEOUT.connect_timeout, wire.TIMEOUT.read_timeout) == (3.05, 10)
    assert notifier("https://api.sendgrid.example")._pool.timeout is wire.TIMEOUT


def test_a_permit_that_does_not_fit_sends_nothing(sendgrid: SendGrid) -> None:
    sending = notifier(sendgrid.base_url)

    with pytest.raises(PermitMisused):
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.SMS))
    with pytest.raises(PermitMisused):
        sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL, until=datetime.now(UTC)))
    assert sendgrid.connections == 0


def test_nothing_secret_is_logged_or_printed_even_when_everything_is_logged(
    sendgrid: SendGrid, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sending, written = notifier(sendgrid.base_url), []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "python_http_client", "python_http_client.client", "sendgrid"):
        caplog.set_level(logging.DEBUG, logger=name)

    sending.send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))
    for fault in (CloseTaken(), Hang(LONG), status(401), status(503), Instead(Reply(400, ODD_FIELD, JSON)), WITHOUT_ID):
        sendgrid.fail(fault)
        written.append(
            "".join(traceback.format_exception(failure_of(notifier(sendgrid.base_url, timeout=patience(fault)))))
        )
    written += [caplog.text, *capfd.readouterr(), repr(sending), repr(vars(sending)["_pool"])]

    assert "POST /v3/mail/send" in caplog.text
    for secret in (API_KEY, CODE, "4821 7306", EMAIL, "maria", NAME, LINK, CANCEL_LINK, REFERENCE):
        assert not [text for text in written if secret in text]
