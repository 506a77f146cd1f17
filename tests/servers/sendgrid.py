"""SendGrid's `POST /v3/mail/send` on loopback: takes right mails, refuses wrong ones in the shape of SendGrid's errors.

It knows one API key and one verified sender. A mail is judged by the vendor's own description, put right where that is
wrong, and by the rules that stand only in the documentation of the errors:
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors

In tests: `with SendGrid() as sendgrid`. As a process of its own, which prints its URL and ends when its standard input
does: `python -m tests.servers.sendgrid --port 8025 --delay-ms 50`.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.servers import openapi, stand_in
from tests.servers.openapi import BodyCheck, Violation
from tests.servers.stand_in import Instead, Reply, Request, StandIn

API_KEY = "SG.key-of-the-tests"
SENDER = "reset@hosting.example"

_PATH = "/v3/mail/send"
_MAX_BODY = 30 * 2**20  # bytes, all of a mail with its attachments
_MAX_RECIPIENTS = 1000
_MAX_CUSTOM_ARGS = 10_000  # bytes
_JSON = {"Content-Type": "application/json"}
_RESERVED_HEADERS = {
    "to",
    "cc",
    "bcc",
    "from",
    "reply-to",
    "subject",
    "received",
    "content-type",
    "content-transfer-encoding",
    "dkim-signature",
    "x-sg-id",
    "x-sg-eid",
}

WITHOUT_ID = Instead(Reply(202), taken=True)
NONSENSE = Instead(Reply(200, b"<html>It works!</html>", {"Content-Type": "text/html"}), taken=True)


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail that SendGrid took: the id that it gave, and the request's body as it came."""

    message_id: str
    body: Mapping[str, Any]

    @property
    def to(self) -> str:
        """The address of the first recipient."""
        address: str = self.body["personalizations"][0]["to"][0]["email"]
        return address

    @property
    def subject(self) -> str:
        """The subject of the whole mail."""
        subject: str = self.body["subject"]
        return subject

    @property
    def text(self) -> str:
        """The plain text."""
        return self._content("text/plain")

    @property
    def html(self) -> str:
        """The HTML."""
        return self._content("text/html")

    def _content(self, media_type: str) -> str:
        value: str = next(part["value"] for part in self.body["content"] if part["type"] == media_type)
        return value


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that SendGrid did not take, and why."""

    status: int
    violations: tuple[Violation, ...]

    def reply(self, headers: Mapping[str, str] = _JSON) -> Reply:
        """The answer in the shape of SendGrid's errors."""
        errors = [{"message": fault.message, "field": fault.field, "help": None} for fault in self.violations]
        return Reply(self.status, json.dumps({"errors": errors}).encode(), headers)


def status(code: int, *, retry_after: int | None = None) -> Instead:
    """A refusal that has nothing to do with the mail, such as 429 or 503; `retry_after` in seconds."""
    headers = _JSON if retry_after is None else {**_JSON, "Retry-After": str(retry_after)}
    return Instead(_refusal(code, HTTPStatus(code).phrase).reply(headers))


class SendGrid(StandIn):
    """The stand-in. What it took and what it refused can be looked at while it runs."""

    def __init__(self, port: int = 0, delay: float = 0) -> None:
        self._sent: list[SentMail] = []
        self._refused: list[Refusal] = []
        super().__init__(port, delay)

    @property
    def env(self) -> dict[str, str]:
        """The settings with which the product sends here."""
        return {
            "KEYTURN_SENDGRID_BASE_URL": self.base_url,
            "KEYTURN_SENDGRID_API_KEY": API_KEY,
            "KEYTURN_SENDGRID_FROM": SENDER,
        }

    @property
    def sent(self) -> tuple[SentMail, ...]:
        """The mails taken so far, in order."""
        return tuple(self._sent)

    @property
    def took(self) -> str:
        return f"{len(self._sent)} mails"

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The requests refused for a fault of their own so far, in order."""
        return tuple(self._refused)

    def answer(self, request: Request) -> Reply:
        """202 with an id for a right mail, or else the first refusal that fits."""
        refusal = _refusal_of_request(request) or _refusal_of_mail(request.body)
        if refusal:
            self._refused.append(refusal)
            return refusal.reply()
        mail = SentMail(secrets.token_urlsafe(16), json.loads(request.body))
        self._sent.append(mail)
        return Reply(202, headers={"X-Message-Id": mail.message_id})


def _refusal(code: int, message: str, field: str | None = None) -> Refusal:
    return Refusal(code, (Violation(field, message),))


def _refusal_of_request(request: Request) -> Refusal | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    checks = (
        (request.path == _PATH, 404, "Not found."),
        (request.method == "POST", 405, "Method not allowed."),
        (request.headers.get("authorization") == f"Bearer {API_KEY}", 401, "The API key is missing or wrong."),
        (media_type == "application/json", 415, "The Content-Type must be application/json."),
        (len(request.body) <= _MAX_BODY, 413, "A mail with its attachments must not exceed 30 MB."),
    )
    return next((_refusal(code, message) for passed, code, message in checks if not passed), None)


def _refusal_of_mail(body: bytes) -> Refusal | None:
    try:
        mail = json.loads(body)
    except ValueError:
        return _refusal(400, "Bad Request")
    if violations := violations_of(mail):
        return Refusal(400, tuple(violations))
    if mail["from"]["email"] != SENDER:
        return _refusal(403, "The from address is not a verified sender.", "from")
    return None


def violations_of(mail: Any) -> list[Violation]:
    """What is wrong with a body as JSON gives it, by the description; or else by the rules beside it."""
    return _CHECK.violations(mail) or list(_broken_rules(mail))


def _schema() -> dict[str, Any]:
    """The vendor's schema, put right: custom_args are no string, and some lists must not be empty."""
    schema = openapi.body_schema("sendgrid_tsg_mail_v3.json", _PATH, "application/json")
    mail = schema["properties"]
    envelope = mail["personalizations"]["items"]["properties"]
    for part in (mail, envelope):
        part["custom_args"] = part["headers"] = {"type": "object", "additionalProperties": {"type": "string"}}
    for filled in (mail["personalizations"], envelope["to"], mail["content"]):
        filled["minItems"] = 1
    return schema


def _broken_rules(mail: Mapping[str, Any]) -> Iterator[Violation]:
    envelopes = mail["personalizations"]
    templated = "template_id" in mail
    if not templated and "subject" not in mail and not all("subject" in envelope for envelope in envelopes):
        yield Violation("subject", "The subject is required, unless every personalization or a template has one.")
    if not templated and "content" not in mail:
        yield Violation("content", "Without a template, at least one content is required.")
    if "reply_to" in mail and "reply_to_list" in mail:
        yield Violation("reply_to", "Give reply_to or reply_to_list, not both.")
    yield from _broken_rules_of_content(mail.get("content", []))
    yield from _broken_rules_of_recipients(envelopes)
    yield from _broken_rules_of_extras("", mail)
    for index, envelope in enumerate(envelopes):
        yield from _broken_rules_of_extras(f"personalizations.{index}.", envelope)


def _broken_rules_of_content(content: list[dict[str, str]]) -> Iterator[Violation]:
    types = [part["type"] for part in content]
    if types != sorted(types, key=_place_of_type):
        yield Violation("content", "text/plain comes first, then text/html, then any other type.")
    for index, media_type in enumerate(types):
        if set(media_type) & set("; \r\n"):
            yield Violation(f"content.{index}.type", "The type must not contain a semicolon, a space or a line's end.")


def _place_of_type(media_type: str) -> int:
    return {"text/plain": 0, "text/html": 1}.get(media_type.partition(";")[0], 2)


def _broken_rules_of_recipients(envelopes: list[dict[str, Any]]) -> Iterator[Violation]:
    total = 0
    for index, envelope in enumerate(envelopes):
        addresses = Counter(who["email"].lower() for kind in ("to", "cc", "bcc") for who in envelope.get(kind, []))
        total += addresses.total()
        if addresses.total() > len(addresses):
            yield Violation(f"personalizations.{index}", "Each address must be unique between to, cc, and bcc.")
    if total > _MAX_RECIPIENTS:
        yield Violation("personalizations", f"There is a limit of {_MAX_RECIPIENTS} recipients in all.")


def _broken_rules_of_extras(place: str, part: Mapping[str, Any]) -> Iterator[Violation]:
    if len(json.dumps(part.get("custom_args", {})).encode()) > _MAX_CUSTOM_ARGS:
        yield Violation(f"{place}custom_args", f"custom_args must not exceed {_MAX_CUSTOM_ARGS} bytes.")
    for name in part.get("headers", {}):
        if name.lower() in _RESERVED_HEADERS:
            yield Violation(f"{place}headers.{name}", "This header is SendGrid's own.")


_CHECK = BodyCheck(_schema())


if __name__ == "__main__":
    stand_in.serve(SendGrid, __doc__)
