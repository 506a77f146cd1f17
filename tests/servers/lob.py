"""Lob's letters and US verifications on loopback: takes what is right, refuses the rest in the shape of Lob's errors.

It knows one API key. A request is judged by the vendor's own description, put right where that is wrong, and by the
rules that stand only in the documentation: https://docs.lob.com. Where that is silent it is strict: an idempotency key
that comes again with other bytes is refused.

In tests: `with Lob() as lob`. As a process of its own, which prints its URL and ends when its standard input does:
`python -m tests.servers.lob --port 8026 --delay-ms 50`.
"""

import base64
import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import openapi, stand_in
from tests.servers.openapi import BodyCheck, Violation
from tests.servers.stand_in import Instead, Reply, Request, StandIn

API_KEY = "test_key-of-the-tests"

_SPEC = "lob_api.json"
_LETTERS = "/v1/letters"
_VERIFICATIONS = "/v1/us_verifications"
_LETTER = re.compile(rf"{_LETTERS}/(ltr_[a-zA-Z0-9]+)")
_FILTER = re.compile(r"metadata\[([^\]]+)\]")
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_LONGEST_KEY = 256
_LONGEST_HTML = 10_000
_FARTHEST = timedelta(days=180)
_MOST_METADATA = 20
_LONGEST_METADATA = (40, 500)  # characters of a name and of a value
_DELIVERABLE = "deliverable"

WITHOUT_ID = Instead(Reply(200, b'{"object":"letter"}', _JSON), taken=True)
EMPTY = Instead(Reply(200), taken=True)
EMPTY_201 = Instead(Reply(201), taken=True)
NONSENSE = Instead(Reply(200, b"<html>It works!</html>", {"Content-Type": "text/html"}), taken=True)


@dataclass(frozen=True, slots=True)
class TakenLetter:
    """One letter that Lob took: the id that it gave, the key and the body as they came, and whether it was deleted."""

    id: str
    idempotency_key: str | None
    raw: bytes
    deleted: bool = False

    @property
    def body(self) -> Mapping[str, Any]:
        """The request's JSON."""
        body: Mapping[str, Any] = json.loads(self.raw)
        return body

    @property
    def html(self) -> str:
        """What is printed."""
        html: str = self.body["file"]
        return html

    @property
    def send_date(self) -> datetime | None:
        """When it goes to be printed; None is at once."""
        date = self.body.get("send_date")
        return _moment(date) if date else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One request that Lob did not take, and why; `code` is Lob's own word."""

    status: int
    code: str
    violations: tuple[Violation, ...]

    def reply(self, headers: Mapping[str, str] = _JSON) -> Reply:
        """The answer in the shape of Lob's errors."""
        first = self.violations[0]
        message = f"{first.field} {first.message}" if first.field else first.message
        error = {"message": message, "status_code": self.status, "code": self.code}
        return Reply(self.status, json.dumps({"error": error}).encode(), headers)


def status(code: int, word: str = "bad_request", *, message: str = "", retry_after: int | None = None) -> Instead:
    """A refusal on demand, such as 429 or 503, with Lob's `word` for it; `retry_after` in seconds."""
    headers = _JSON if retry_after is None else {**_JSON, "Retry-After": str(retry_after)}
    return Instead(_refusal(code, word, message or HTTPStatus(code).phrase).reply(headers))


class Lob(StandIn):
    """The stand-in. What it took and what it refused can be looked at while it runs."""

    def __init__(self, port: int = 0, delay: float = 0) -> None:
        self._lock = threading.Lock()
        self._letters: dict[str, TakenLetter] = {}
        self._by_key: dict[str, str] = {}
        self._refused: list[Refusal] = []
        self._verifications: list[Mapping[str, Any]] = []
        self._verdicts: dict[str, str] = {}
        super().__init__(port, delay)

    @property
    def env(self) -> dict[str, str]:
        """The settings with which the product sends here."""
        return {
            "KEYTURN_LOB_BASE_URL": self.base_url,
            "KEYTURN_LOB_API_KEY": API_KEY,
            "KEYTURN_LOB_FROM_LINE1": "210 King Street",
            "KEYTURN_LOB_FROM_CITY": "Millbrook",
            "KEYTURN_LOB_FROM_STATE": "VT",
            "KEYTURN_LOB_FROM_ZIP": "05001",
        }

    @property
    def letters(self) -> tuple[TakenLetter, ...]:
        """The letters taken so far, in order; a repeat that its key shows to be one is not among them."""
        return tuple(self._letters.values())

    @property
    def took(self) -> str:
        return f"{len(self._letters)} letters"

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The requests refused for a fault of their own so far, in order."""
        return tuple(self._refused)

    @property
    def verifications(self) -> tuple[Mapping[str, Any], ...]:
        """The addresses verified so far, as they came, in order."""
        return tuple(self._verifications)

    def verdict(self, primary_line: str, deliverability: str) -> None:
        """Let the verification of addresses with this first line answer this; it is `deliverable` otherwise."""
        self._verdicts[primary_line] = deliverability

    def answer(self, request: Request) -> Reply:
        """What Lob answers. Requests are judged one after the other, so that a key counts for two at the same time."""
        with self._lock:
            answer = _refusal_of_request(request) or self._judged(request)
            if isinstance(answer, Refusal):
                self._refused.append(answer)
                return answer.reply()
            return Reply(200, json.dumps(answer).encode(), _JSON)

    def _judged(self, request: Request) -> dict[str, Any] | Refusal:
        path = urlsplit(request.path).path
        letter = _LETTER.fullmatch(path)
        match request.method, path:
            case "POST", "/v1/letters":
                return self._created(request)
            case "GET", "/v1/letters":
                return self._listed(request)
            case "POST", "/v1/us_verifications":
                return self._verified(request)
            case "DELETE", _ if letter:
                return self._deleted(letter[1])
        return _refusal(404, "unrecognized_endpoint", "there is no such endpoint")

    def _created(self, request: Request) -> dict[str, Any] | Refusal:
        key = request.headers.get("idempotency-key")
        if known := self._by_key.get(key or ""):
            return self._repeated(self._letters[known], request.body)
        if refusal := _refusal_of_letter(key, request.body):
            return refusal
        letter = TakenLetter(f"ltr_{secrets.token_hex(8)}", key, request.body)
        self._letters[letter.id] = letter
        if key:
            self._by_key[key] = letter.id
        return _shown(letter)

    def _repeated(self, letter: TakenLetter, body: bytes) -> dict[str, Any] | Refusal:
        if letter.raw == body:
            return _shown(letter)
        return _refusal(409, "conflict", "this Idempotency-Key came with another body before")

    def _listed(self, request: Request) -> dict[str, Any] | Refusal:
        wanted = {}
        for name, value in parse_qsl(urlsplit(request.path).query, keep_blank_values=True):
            filtered = _FILTER.fullmatch(name)
            if not filtered:
                return _refusal(422, "invalid", "there is no such parameter", name)
            wanted[filtered[1]] = value
        found = [_shown(each) for each in self._letters.values() if wanted.items() <= _metadata(each.body).items()]
        return {"object": "list", "data": found[::-1], "count": len(found), "next_url": None, "previous_url": None}

    def _deleted(self, letter_id: str) -> dict[str, Any] | Refusal:
        letter = self._letters.get(letter_id)
        if letter is None or letter.deleted:
            return _refusal(404, "not_found", "letter not found")
        if letter.send_date is None or letter.send_date <= datetime.now(UTC):
            return _refusal(422, "not_deletable", "the letter has gone to be printed")
        self._letters[letter_id] = replace(letter, deleted=True)
        return {"id": letter_id, "deleted": True}

    def _verified(self, request: Request) -> dict[str, Any] | Refusal:
        body = _parsed(request.body)
        if violations := _ADDRESS_CHECK.violations(body):
            return Refusal(422, "invalid", tuple(violations))
        self._verifications.append(body)
        return {
            "id": f"us_ver_{secrets.token_hex(8)}",
            "recipient": body.get("recipient", ""),
            "primary_line": body.get("primary_line", "").upper(),
            "deliverability": self._verdicts.get(body.get("primary_line", ""), _DELIVERABLE),
            "object": "us_verification",
        }


def _refusal(code: int, word: str, message: str, field: str | None = None) -> Refusal:
    return Refusal(code, word, (Violation(field, message),))


def _refusal_of_request(request: Request) -> Refusal | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    login = "Basic " + base64.b64encode(f"{API_KEY}:".encode()).decode()
    if request.headers.get("authorization") != login:
        return _refusal(401, "invalid_api_key", "Your API key is not valid.")
    if request.method == "POST" and media_type != "application/json":
        return _refusal(422, "invalid", "the Content-Type must be application/json")
    return None


def _refusal_of_letter(key: str | None, body: bytes) -> Refusal | None:
    if key is not None and len(key) > _LONGEST_KEY:
        return _refusal(422, "invalid", f"must not be longer than {_LONGEST_KEY} characters", "Idempotency-Key")
    letter = _parsed(body)
    if violations := violations_of(letter):
        return Refusal(422, "invalid", tuple(violations))
    if letter["use_type"] is None:
        return _refusal(422, "mail_use_type_can_not_be_null", "must be set", "use_type")
    return None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def violations_of(letter: Any) -> list[Violation]:
    """What is wrong with a letter's body as JSON gives it, by the description; or else by the rules beside it."""
    return _LETTER_CHECK.violations(letter) or list(_broken_rules(letter))


def _letter_schema() -> dict[str, Any]:
    """The vendor's schema, put right: a US address must not pass for a foreign one, whose ZIP code may be "9"."""
    schema = openapi.body_schema(_SPEC, "/letters", "application/json")
    schemas = schema["components"]["schemas"]
    schemas["inline_address"] = schemas["inline_address_us"]
    return schema


def _broken_rules(letter: Mapping[str, Any]) -> Iterator[Violation]:
    file = letter["file"]
    if "<" in file and len(file) >= _LONGEST_HTML:
        yield Violation("file", f"must be shorter than {_LONGEST_HTML} characters")
    for place in ("to", "from"):
        if isinstance(letter[place], dict) and not letter[place].get("name") and not letter[place].get("company"):
            yield Violation(f"{place}.name", "must not be empty where there is no company")
    if "send_date" in letter and not _can_be_sent(letter["send_date"]):
        yield Violation("send_date", f"must be in the future, and {_FARTHEST.days} days ahead at most")
    yield from _broken_rules_of_metadata(_metadata(letter))


def _broken_rules_of_metadata(metadata: Mapping[str, str]) -> Iterator[Violation]:
    if len(metadata) > _MOST_METADATA:
        yield Violation("metadata", f"must not have more than {_MOST_METADATA} pairs")
    for name, value in metadata.items():
        for text, longest in zip((name, value), _LONGEST_METADATA, strict=True):
            if len(text) > longest or set(text) & set('"\\'):
                yield Violation(f"metadata.{name}", f"must not have over {longest} characters, quotes or backslashes")


def _metadata(letter: Mapping[str, Any]) -> dict[str, str]:
    metadata: dict[str, str] = letter.get("metadata", {})
    return metadata


def _can_be_sent(date: str) -> bool:
    moment, now = _moment(date), datetime.now(UTC)
    return moment is not None and now < moment <= now + _FARTHEST


def _moment(date: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(letter: TakenLetter) -> dict[str, Any]:
    """A letter as Lob answers with it."""
    body = letter.body
    kept = ("color", "double_sided", "address_placement", "mail_type", "send_date", "metadata", "use_type")
    return {
        "id": letter.id,
        "to": _saved(body["to"]),
        "from": _saved(body["from"]),
        **{name: body[name] for name in kept if name in body},
        **_dates(),
        "return_envelope": False,
        "carrier": "USPS",
        "deleted": letter.deleted,
        "object": "letter",
    }


def _saved(address: Any) -> dict[str, Any]:
    saved_as = {"object": "address", **_dates()}
    if isinstance(address, str):
        return {**saved_as, "id": address}
    return {**saved_as, "id": f"adr_{secrets.token_hex(8)}", **address, "address_country": "UNITED STATES"}


def _dates() -> dict[str, str]:
    return dict.fromkeys(("date_created", "date_modified"), datetime.now(UTC).isoformat())


_LETTER_CHECK = BodyCheck(_letter_schema())
_ADDRESS_CHECK = BodyCheck(openapi.body_schema(_SPEC, "/us_verifications", "application/json"))


if __name__ == "__main__":
    stand_in.serve(Lob, __doc__)
