"""E-mail over SendGrid: the SDK builds the mail, a kept pool of connections posts it.

The SDK's own client is not used (docs/decisions/sendgrid-connections.md): it opens a connection a mail and, at DEBUG,
logs the API key and the mail.
"""

import json
import re
from http import HTTPStatus
from typing import Any
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
from urllib3.exceptions import HTTPError

from foundation import clock
from foundation.settings import Settings
from notifiers import taxonomy, texts, wire
from notifiers.contract import (
    DeliveryFailed,
    Misconfigured,
    OutgoingMessage,
    Receipt,
    Rejected,
    Undecided,
    Unknown,
    text_destination,
)
from notifiers.envelope import envelope
from policy.permits import Permit
from policy.vocabulary import Channel

PROVIDER = "sendgrid"

_SEND = "/v3/mail/send"
_FIELD = re.compile(r"[a-z_]+(\.([a-z_]+|\d))*")


class SendGridEmail:
    """The live e-mail channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        base_url = settings.sendgrid_base_url
        self._pool = wire.kept_connections(base_url, settings.worker_threads, timeout)
        self._path = urlsplit(base_url).path + _SEND
        self._sender = settings.sendgrid_from
        self._headers = {
            "Authorization": f"Bearer {settings.sendgrid_api_key.get_secret_value()}",
            "Content-Type": "application/json",
            "User-Agent": "keyturn",
        }

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Hands the mail to SendGrid, once. Raises as `Notifier.send` does.

        SendGrid cannot be asked what it took: the same mail goes once more after an unknown end, and no third time.
        """
        try:
            return self._post(message, text_destination(permit, Channel.EMAIL, clock.now()))
        except Unknown as fate:
            if message.in_doubt_since:
                raise Undecided(fate.code) from fate
            raise

    def _post(self, message: OutgoingMessage, to: str) -> Receipt:
        body = json.dumps(_mail(message, to, self._sender)).encode()
        try:
            answer = self._pool.urlopen("POST", self._path, body=body, headers=self._headers)
        except HTTPError as error:
            raise wire.without_answer(error) from error
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


def _with_answer(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    status = f"http_{answer.status}"
    if answer.status == HTTPStatus.ACCEPTED:
        return Unknown("no_message_id")
    if answer.status == HTTPStatus.BAD_REQUEST:
        return _refused_in_part(status, _faulty_fields(answer.data))
    return taxonomy.failure(taxonomy.of_status(answer.status), status, wire.retry_after(answer.headers))


def _refused_in_part(status: str, fields: list[str]) -> DeliveryFailed:
    """The recipient's address, or else a fault of ours."""
    if fields and all(field.startswith(taxonomy.SENDGRID_RECIPIENT) for field in fields):
        return Rejected(f"{status} recipient")
    return Misconfigured(f"{status} {', '.join(fields)}".strip())


def _faulty_fields(body: bytes) -> list[str]:
    """The fields that a 400 names. Its sentences are not read: some repeat the address."""
    try:
        fields = [str(error["field"]) for error in json.loads(body)["errors"]]
    except (ValueError, TypeError, KeyError):
        return []
    return [field if _FIELD.fullmatch(field) else "another field" for field in fields]
