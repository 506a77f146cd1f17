"""E-mail over SendGrid: the SDK builds the mail, a kept pool of connections posts it, one table reads the answer.

The SDK's own client is not used (docs/decisions/sendgrid-connections.md): it opens a connection a mail and, at DEBUG,
logs the API key and the mail.
"""

import json
import re
from collections.abc import Callable, Container
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from sendgrid.helpers.mail import (
    BypassUnsubscribeManagement,
    ClickTracking,
    CustomArg,
    From,
    Ganalytics,
    Header,
    Mail,
    MailSettings,
    OpenTracking,
    ReplyTo,
    SubscriptionTracking,
    To,
    TrackingSettings,
)
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from foundation import clock
from foundation.settings import Settings
from notifiers import texts
from notifiers.contract import (
    DeliveryFailed,
    Misconfigured,
    NotSent,
    OutgoingMessage,
    Receipt,
    Rejected,
    Unavailable,
    Unknown,
    text_destination,
)
from notifiers.envelope import envelope
from policy.permits import Permit
from policy.vocabulary import Channel

PROVIDER = "sendgrid"

# Seconds. A little over 3, so that a lost SYN, which is sent again after 1 and after 3 seconds, does not fail the mail.
TIMEOUT: Final = urllib3.Timeout(connect=3.05, read=10)

_SEND = "/v3/mail/send"
_RECIPIENT = "personalizations.0.to"
_FIELD = re.compile(r"[a-z_]+(\.([a-z_]+|\d))*")


class SendGridEmail:
    """The live e-mail channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = TIMEOUT) -> None:
        base_url = settings.sendgrid_base_url
        # No retries also means that no redirect is followed.
        self._pool = urllib3.connection_from_url(
            base_url, maxsize=settings.worker_threads, timeout=timeout, retries=False
        )
        self._path = urlsplit(base_url).path + _SEND
        self._sender = settings.sendgrid_from
        self._headers = {
            "Authorization": f"Bearer {settings.sendgrid_api_key.get_secret_value()}",
            "Content-Type": "application/json",
            "User-Agent": "keyturn",
        }

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Hands the mail to SendGrid, once. Raises as `Notifier.send` does; see the table below."""
        to = text_destination(permit, Channel.EMAIL, clock.now())
        body = json.dumps(_mail(message, to, self._sender)).encode()
        try:
            answer = self._pool.urlopen("POST", self._path, body=body, headers=self._headers)
        except HTTPError as error:
            raise _without_answer(error) from error
        # SendGrid's SDK takes any 2xx for success; the vendor promises exactly this one, with this id.
        if answer.status == HTTPStatus.ACCEPTED and (provider_id := answer.headers.get("X-Message-Id")):
            return Receipt(PROVIDER, provider_id)
        raise _with_answer(answer)


def _mail(message: OutgoingMessage, to: str, sender: str) -> dict[str, Any]:
    outside, inside = envelope(message, sender), texts.email(message)
    recipient = To()
    recipient.email = to  # given to To(…), it would be parsed, and a strange one would become another address
    mail = Mail(From(outside.sender, outside.sender_name), recipient, inside.subject, inside.text, inside.html)
    if outside.reply_to:
        mail.reply_to = ReplyTo(outside.reply_to)
    mail.header = [Header(name, value) for name, value in outside.headers.items()]
    # Kept by SendGrid for long, so an opaque id and nothing else.
    mail.custom_arg = CustomArg("message_id", str(message.id), p=0)
    mail.tracking_settings = TrackingSettings(
        ClickTracking(enable=False, enable_text=False),
        OpenTracking(enable=False),
        SubscriptionTracking(enable=False),
        Ganalytics(enable=False),
    )
    # Whoever unsubscribed from the operator's news still gets the code that they asked for.
    mail.mail_settings = MailSettings(bypass_unsubscribe_management=BypassUnsubscribeManagement(enable=True))
    body: dict[str, Any] = mail.get()
    return body


def _unavailable(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    return Unavailable(_status(answer), _retry_after(answer.headers.get("Retry-After", "")))


def _refused_in_part(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    fields = _faulty_fields(answer.data)
    if fields and all(field.startswith(_RECIPIENT) for field in fields):
        return Rejected(f"{_status(answer)} recipient")
    return Misconfigured(f"{_status(answer)} {', '.join(fields)}".strip())


def _misconfigured(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    return Misconfigured(_status(answer))


def _unknown(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    return Unknown("no_message_id" if answer.status == HTTPStatus.ACCEPTED else _status(answer))


# What every failure means for us; the first row that fits counts. SendGrid's statuses:
# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
_NO_ANSWER: Final[tuple[tuple[type[HTTPError], type[NotSent | Unknown]], ...]] = (
    (NewConnectionError, NotSent),  # refused, unreachable, no such host
    (ConnectTimeoutError, NotSent),
    (HTTPError, Unknown),  # read timeout, reset, half an answer: it may have arrived
)
_ANSWERS: Final[tuple[tuple[Container[int], Callable[[urllib3.BaseHTTPResponse], DeliveryFailed]], ...]] = (
    ({400}, _refused_in_part),  # the recipient's address, or else a fault of ours
    ({408, 429, 503}, _unavailable),
    (range(300, 500), _misconfigured),  # 401 the key, 403 the sender, 413 the size, a redirect: the wrong base URL
    (range(1000), _unknown),  # other 5xx, a 2xx that is not 202 with an id
)


def _without_answer(error: HTTPError) -> DeliveryFailed:
    meaning = next(meaning for kind, meaning in _NO_ANSWER if isinstance(error, kind))
    return meaning(type(error).__name__)


def _with_answer(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    return next(meaning(answer) for statuses, meaning in _ANSWERS if answer.status in statuses)


def _status(answer: urllib3.BaseHTTPResponse) -> str:
    return f"http_{answer.status}"


def _faulty_fields(body: bytes) -> list[str]:
    """The fields that a 400 names. Its sentences are not read: some repeat the address."""
    try:
        fields = [str(error["field"]) for error in json.loads(body)["errors"]]
    except (ValueError, TypeError, KeyError):
        return []
    return [field if _FIELD.fullmatch(field) else "another field" for field in fields]


def _retry_after(value: str) -> timedelta | None:
    """Retry-After (RFC 9110 §10.2.3): seconds, at most a week here, or a date."""
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 604_800))
    try:
        wait = parsedate_to_datetime(value) - clock.now()
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None
    return max(wait, timedelta())
