"""Twilio's messages, calls and Lookup on loopback: takes right requests, refuses wrong ones in the shape of its errors.

It knows one account with one number and one Messaging Service, and stands for api.twilio.com and lookups.twilio.com
at once. A form is judged by the vendor's own description, and by the rules that stand only in the texts beside it:
https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/voice/api/call-resource and the
codes in https://www.twilio.com/docs/api/errors. Stricter than Twilio, it refuses a field that the description lacks.

In tests: `with Twilio() as twilio`. As a process of its own, which prints its URL and ends when its standard input
does: `python -m tests.servers.twilio --port 8026 --delay-ms 50`.
"""

import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import phonenumbers

from tests.servers import forms, openapi, stand_in
from tests.servers.openapi import BodyCheck, Violation
from tests.servers.stand_in import Instead, Reply, Request, StandIn

ACCOUNT_SID = f"AC{0:032x}"
AUTH_TOKEN = "auth-token-of-the-tests"
FROM = "+12025550100"
MESSAGING_SERVICE_SID = f"MG{0:032x}"

_FORM = "application/x-www-form-urlencoded"
_JSON = {"Content-Type": "application/json"}
_LOOKUP = "/v2/PhoneNumbers/"
_AUTHORIZATION = "Basic " + b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)  # E.164
_WEB_ADDRESS = re.compile(r"https?://[^\s/_]+(/\S*)?")  # with a host, and no underscore in it
_WRONG = 20001  # a parameter is unknown or wrong, where no code says more

WITHOUT_SID = Instead(Reply(201), taken=True)
NONSENSE = Instead(Reply(200, b"<html>It works!</html>", {"Content-Type": "text/html"}), taken=True)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One SMS that Twilio took: the sid that it gave, when, and the request's fields."""

    sid: str
    at: datetime
    form: Mapping[str, Any] = field(repr=False)

    @property
    def to(self) -> str:
        """The number that it went to."""
        number: str = self.form["To"]
        return number

    @property
    def body(self) -> str:
        """Its text."""
        text: str = self.form["Body"]
        return text


@dataclass(frozen=True, slots=True)
class StartedCall:
    """One call that Twilio took: the sid that it gave, when, and the request's fields."""

    sid: str
    at: datetime
    form: Mapping[str, Any] = field(repr=False)

    @property
    def to(self) -> str:
        """The number that was called."""
        number: str = self.form["To"]
        return number

    @property
    def url(self) -> str:
        """Where Twilio fetches what the call says."""
        url: str = self.form["Url"]
        return url


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that Twilio did not take, with Twilio's own code, and why."""

    status: int
    code: int
    violations: tuple[Violation, ...]

    def reply(self, headers: Mapping[str, str] = _JSON) -> Reply:
        """The answer in the shape of Twilio's errors."""
        error = {
            "code": self.code,
            "message": " ".join(f"{fault.field or 'Request'}: {fault.message}" for fault in self.violations),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return Reply(self.status, json.dumps(error).encode(), headers)


def status(code: int, *, retry_after: int | None = None, error: int | None = None) -> Instead:
    """A refusal that has nothing to do with the request, such as 429 or 503; `retry_after` in seconds.

    `error` is the code in its body; if left out, the one that Twilio has for the status.
    """
    headers = _JSON if retry_after is None else {**_JSON, "Retry-After": str(retry_after)}
    twilios = 20003 if code == HTTPStatus.UNAUTHORIZED else 20000 + code
    return Instead(_refusal(code, error or twilios, HTTPStatus(code).phrase).reply(headers))


class Twilio(StandIn):
    """The stand-in. What it took, what it was asked for and what it refused can be looked at while it runs."""

    def __init__(self, port: int = 0, delay: float = 0) -> None:
        self._sent: list[SentMessage] = []
        self._calls: list[StartedCall] = []
        self._looked_up: list[str] = []
        self._refused: list[Refusal] = []
        self._line_types: dict[str, str | None] = {}
        super().__init__(port, delay)

    @property
    def env(self) -> dict[str, str]:
        """The settings with which the product sends here."""
        return {
            "KEYTURN_TWILIO_BASE_URL": self.base_url,
            "KEYTURN_TWILIO_LOOKUPS_BASE_URL": self.base_url,
            "KEYTURN_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "KEYTURN_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "KEYTURN_TWILIO_FROM": FROM,
        }

    @property
    def sent(self) -> tuple[SentMessage, ...]:
        """The messages taken so far, in order."""
        return tuple(self._sent)

    @property
    def calls(self) -> tuple[StartedCall, ...]:
        """The calls taken so far, in order."""
        return tuple(self._calls)

    @property
    def looked_up(self) -> tuple[str, ...]:
        """The numbers that Lookup was asked for so far, in order."""
        return tuple(self._looked_up)

    @property
    def took(self) -> str:
        return f"{len(self._sent)} messages and {len(self._calls)} calls"

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The requests refused for a fault of their own so far, in order."""
        return tuple(self._refused)

    def set_line_type(self, number: str, line_type: str | None) -> None:
        """What Lookup says from now on of a number, in Twilio's words, such as `landline`; until then `mobile`."""
        self._line_types[number] = line_type

    def answer(self, request: Request) -> Reply:
        """Twilio's answer to a right request, or else the first refusal that fits."""
        answer = self._judged(request)
        if isinstance(answer, Refusal):
            self._refused.append(answer)
            return answer.reply()
        return answer

    def _judged(self, request: Request) -> Reply | Refusal:
        path = urlsplit(request.path).path
        if request.headers.get("authorization") != _AUTHORIZATION:
            return _refusal(401, 20003, "Authenticate")
        if path.startswith(_LOOKUP):
            return self._lookup(request)
        if path == _path(_MESSAGES):
            return self._message(request)
        if path == _path(_CALLS):
            return self._call(request)
        return _not_found(path)

    def _message(self, request: Request) -> Reply | Refusal:
        if request.method == "GET":
            return _listed("messages", [_message_record(each) for each in _newest_first(self._sent, request)])
        form = _MESSAGES.form_of(request)
        if isinstance(form, Refusal):
            return form
        message = SentMessage(f"SM{secrets.token_hex(16)}", datetime.now(UTC), form)
        self._sent.append(message)
        return _created(_message_record(message))

    def _call(self, request: Request) -> Reply | Refusal:
        if request.method == "GET":
            return _listed("calls", [_call_record(each) for each in _newest_first(self._calls, request)])
        form = _CALLS.form_of(request)
        if isinstance(form, Refusal):
            return form
        call = StartedCall(f"CA{secrets.token_hex(16)}", datetime.now(UTC), form)
        self._calls.append(call)
        return _created(_call_record(call))

    def _lookup(self, request: Request) -> Reply | Refusal:
        if request.method != "GET":
            return _refusal(405, 20004, "Method not allowed")
        url = urlsplit(request.path)
        number = unquote(url.path.removeprefix(_LOOKUP))
        if not _NUMBER.fullmatch(number):
            return _not_found(url.path)
        self._looked_up.append(number)
        asked = parse_qs(url.query).get("Fields", [""])[0].split(",")
        line_type = self._line_types.get(number, "mobile")
        return Reply(200, json.dumps(_number_record(number, asked, line_type)).encode(), _JSON)


def _refusal(code: int, error: int, message: str, field: str | None = None) -> Refusal:
    return Refusal(code, error, (Violation(field, message),))


def _not_found(path: str) -> Refusal:
    return _refusal(404, 20404, f"The requested resource {path} was not found")


# --- What a form must be like


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that stands in the texts only: the field that it is about, and the code and words where it is broken."""

    field: str
    code: int
    holds: Callable[[Mapping[str, Any]], bool]
    message: str


@dataclass(frozen=True, slots=True)
class _Resource:
    """What can be created with a form: where, by which description and which rules."""

    path: str
    schema: Mapping[str, Any]
    check: BodyCheck
    missing: Mapping[str, int]  # the code where a field that the description requires is not there
    rules: Sequence[_Rule]

    def form_of(self, request: Request) -> dict[str, Any] | Refusal:
        """The values of a right request, or what is wrong with it."""
        if request.method != "POST":
            return _refusal(405, 20004, "Method not allowed")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _refusal(400, _WRONG, f"The Content-Type must be {_FORM}.")
        try:
            form = forms.values(request.body, self.schema)
        except ValueError:
            return _refusal(400, _WRONG, "The body is no form.")
        return self._refusal_of(form) or form

    def _refusal_of(self, form: Mapping[str, Any]) -> Refusal | None:
        if violations := self.check.violations(form):
            first = violations[0].field or ""
            code = self.missing.get(first, _WRONG) if first not in form else _WRONG
            return Refusal(400, code, tuple(violations))
        broken = next((rule for rule in self.rules if not rule.holds(form)), None)
        return _refusal(400, broken.code, broken.message, broken.field) if broken else None


def _resource(name: str, missing: Mapping[str, int], rules: Sequence[_Rule]) -> _Resource:
    path = f"/2010-04-01/Accounts/{{AccountSid}}/{name}.json"
    schema = openapi.body_schema("twilio_api_v2010.json", path, _FORM)
    return _Resource(path, schema, BodyCheck(schema), missing, rules)


def _path(resource: _Resource) -> str:
    return resource.path.format(AccountSid=ACCOUNT_SID)


def _fits(field: str, pattern: re.Pattern[str]) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: field not in form or pattern.fullmatch(form[field]) is not None


def _is(field: str, value: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: form.get(field, value) == value


def _within(field: str, least: int, most: int) -> Callable[[Mapping[str, Any]], bool]:
    return lambda form: least <= form.get(field, least) <= most


_TO = _Rule("To", 21211, _fits("To", _NUMBER), "The number must be in E.164.")
_SENDER = _Rule("From", 21212, _fits("From", _NUMBER), "The number must be in E.164.")
_CALLBACK = _Rule("StatusCallback", 21609, _fits("StatusCallback", _WEB_ADDRESS), "It must be a web address.")
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})

_MESSAGES = _resource(
    "Messages",
    MappingProxyType({"To": 21604}),
    (
        _TO,
        _SENDER,
        # Twilio would take both, and use the number from the service's pool; which one is meant should be said.
        _Rule("From", 21603, lambda form: ("From" in form) != ("MessagingServiceSid" in form), "Give one sender."),
        _Rule("From", 21606, _is("From", FROM), "The account has no such number."),
        _Rule("MessagingServiceSid", 21701, _is("MessagingServiceSid", MESSAGING_SERVICE_SID), "No such service."),
        _Rule("Body", 21602, lambda form: bool(form.get("Body", "").strip()), "A text is required."),
        _Rule("Body", 21617, lambda form: len(form["Body"]) <= 1600, "It must not exceed 1600 characters."),
        _Rule("ValidityPeriod", 21624, _within("ValidityPeriod", 1, 36_000), "It must be from 1 to 36000."),
        _CALLBACK,
    ),
)
_CALLS = _resource(
    "Calls",
    MappingProxyType({"To": 21201, "From": 21213}),
    (
        _TO,
        _SENDER,
        _Rule("From", 21210, _is("From", FROM), "The account has no such number."),
        _Rule("Url", 21205, lambda form: ("Url" in form) != ("Twiml" in form), "Give Url or Twiml, and not both."),
        _Rule("Url", 21205, _fits("Url", _WEB_ADDRESS), "It must be a web address."),
        _Rule("Twiml", _WRONG, lambda form: len(form.get("Twiml", "")) <= 4000, "It must not exceed 4000 characters."),
        _Rule("Timeout", _WRONG, _within("Timeout", 1, 600), "It must be from 1 to 600."),
        _Rule(
            "StatusCallbackEvent",
            _WRONG,
            # One string with blanks between the events, as the description would let pass, is no event.
            lambda form: _EVENTS.issuperset(form.get("StatusCallbackEvent", ())),
            "There is no such event.",
        ),
        _CALLBACK,
    ),
)


# --- What Twilio answers


def _created(record: Mapping[str, Any]) -> Reply:
    return Reply(201, json.dumps(record).encode(), _JSON)


def _newest_first(taken: Sequence[Any], request: Request) -> list[Any]:
    """What was taken and fits the filters `To` and `From`; those by date are not heeded."""
    filters = {name: given[0] for name, given in parse_qs(urlsplit(request.path).query).items()}
    wanted = {name: filters[name] for name in ("To", "From") if name in filters}
    fitting = [each for each in taken if all(each.form.get(name) == value for name, value in wanted.items())]
    return fitting[::-1]


def _listed(name: str, records: Sequence[Mapping[str, Any]]) -> Reply:
    """All of them on one page."""
    page = {
        name: records,
        "page": 0,
        "page_size": 1000,
        "start": 0,
        "end": max(0, len(records) - 1),
        "first_page_uri": "/",
        "next_page_uri": None,
        "previous_page_uri": None,
        "uri": "/",
    }
    return Reply(200, json.dumps(page).encode(), _JSON)


def _message_record(message: SentMessage) -> dict[str, Any]:
    by_service = "MessagingServiceSid" in message.form
    return {
        **_record(message, "Messages"),
        "body": message.body,
        "date_sent": None,
        "error_code": None,
        "error_message": None,
        "messaging_service_sid": message.form.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "0" if by_service else "1",
        "status": "accepted" if by_service else "queued",
    }


def _call_record(call: StartedCall) -> dict[str, Any]:
    return {**_record(call, "Calls"), "start_time": None, "end_time": None, "duration": None, "status": "queued"}


def _record(taken: SentMessage | StartedCall, resource: str) -> dict[str, Any]:
    at = format_datetime(taken.at)
    return {
        "sid": taken.sid,
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "date_created": at,
        "date_updated": at,
        "direction": "outbound-api",
        "from": taken.form.get("From"),
        "to": taken.to,
        "price": None,
        "price_unit": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/{resource}/{taken.sid}.json",
    }


def _number_record(number: str, asked: Sequence[str], line_type: str | None) -> dict[str, Any]:
    valid = _is_valid(number)
    intelligence = {
        "type": line_type,
        "error_code": None,
        "carrier_name": None,
        "mobile_country_code": None,
        "mobile_network_code": None,
    }
    return {
        "phone_number": number,
        "valid": valid,
        "validation_errors": [] if valid else ["INVALID_BUT_POSSIBLE"],
        "line_type_intelligence": intelligence if valid and "line_type_intelligence" in asked else None,
        "url": f"https://lookups.twilio.com{_LOOKUP}{number}",
    }


def _is_valid(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:  # there is no such country
        return False


if __name__ == "__main__":
    stand_in.serve(Twilio, __doc__)
