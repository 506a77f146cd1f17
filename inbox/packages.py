"""The mail in what a source delivers: most deliver the mail itself, SendGrid and help desks a package around it.

A package is stored as it came, and opened only when its mail is judged.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from inbox.decoding import decoded
from inbox.reading import Unreadable

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks  # there for type checkers only

_MOST_PARTS = 100
_DKIM = re.compile(r"@([A-Za-z0-9.-]{1,253}) : (\w+)")
_CONTENT = re.compile(rb"(?im)^content-[^\n]*\n(?:[ \t][^\n]*\n)*")
_REPORT = re.compile(rb"(?im)^content-type:\s*multipart/report\b")


class Source(StrEnum):
    """Where mails come from."""

    FILE = "file"
    PIPE = "pipe"
    MAILDIR = "maildir"
    IMAP = "imap"
    SENDGRID = "sendgrid"
    HELPDESK = "helpdesk"


@dataclass(frozen=True, slots=True)
class Package:
    """`raw` is the mail. `vouching` are the domains whose DKIM signature the source itself found right."""

    raw: bytes = field(repr=False)
    vouching: tuple[str, ...] = ()


def opened(source: Source, delivered: bytes) -> Package:
    """The mail that the source delivered. Raises `Unreadable` where there is none in the package."""
    if source is Source.SENDGRID:
        return _of_form(_fields(delivered))
    return Package(_of_json(delivered) if source is Source.HELPDESK else delivered)


def digest_of_form(body: bytes) -> str:
    """A name for the form that is the same when it is sent again, with another boundary between its parts."""
    return hashlib.sha256(body.replace(b"--" + _boundary(body), b"--")).hexdigest()


def _of_json(body: bytes) -> bytes:
    try:
        return base64.b64decode("".join(json.loads(body)["raw"].split()), validate=True)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Unreadable('is no JSON object with the mail as base 64 in "raw"') from None


def _of_form(fields: dict[str, bytes]) -> Package:
    raw = fields.get("email") or _composed(fields)
    said = _DKIM.findall(fields.get("dkim", b"").decode("ascii", "replace"))
    return Package(raw, tuple(domain.lower() for domain, result in said if result == "pass"))


def _composed(fields: dict[str, bytes]) -> bytes:
    """A mail of the parts that SendGrid has taken it into: its own header, but for what tells of the parts."""
    if "headers" not in fields:
        raise Unreadable("has neither the mail nor its headers in the form")
    kind = "plain" if fields.get("text", b"").strip() else "html"
    name = "text" if kind == "plain" else "html"
    text = decoded(fields.get(name, b""), _charset(fields, name)).encode()
    header = fields["headers"].replace(b"\r\n", b"\n").strip(b"\n") + b"\n"
    boundary = hashlib.sha256(text).hexdigest().encode()
    whole = b"report" if _REPORT.search(header) else b"mixed"
    return b"".join(
        (
            _CONTENT.sub(b"", header),
            b'Content-Type: multipart/%s; boundary="%s"\n\n--%s\n' % (whole, boundary, boundary),
            b"Content-Type: text/%s; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" % kind.encode(),
            text,
            b"\n--%s--\n" % boundary,
        )
    )


def _charset(fields: dict[str, bytes], name: str) -> str | None:
    try:
        charset = json.loads(fields.get("charsets", b""))[name]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return charset if isinstance(charset, str) else None


def _boundary(body: bytes) -> bytes:
    first = body[:300].split(b"\r\n", 1)[0]
    if not first.startswith(b"--") or len(first) > 2 + 70:  # RFC 2046 §5.1.1 allows 70
        raise Unreadable("is no form")
    return first[2:]


def _fields(body: bytes) -> dict[str, bytes]:
    """The form's fields by name; of two with one name the first."""
    form = _Form()
    try:
        parser = MultipartParser(_boundary(body), form.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise Unreadable("is no form that can be read") from None
    return form.fields


class _Form:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.fields: dict[str, bytes] = {}
        self._header, self._value, self._name, self._data, self._parts = b"", b"", "", bytearray(), 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._take_header,
            "on_header_value": self._take_value,
            "on_header_end": self._end_header,
            "on_part_data": self._take_data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._name, self._data = "", bytearray()
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Unreadable(f"has more than {_MOST_PARTS} parts in its form")

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = parse_options_header(self._value)[1].get(b"name", b"").decode("latin-1")
        self._header, self._value = b"", b""

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _end(self) -> None:
        self.fields.setdefault(self._name, bytes(self._data))
