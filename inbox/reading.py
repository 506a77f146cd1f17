"""Reading one mail from its raw bytes, whatever they are: `read` returns a Mail or raises Unreadable, and nothing else.

Three walls stand behind each other. Limits on the raw bytes keep out what would cost the parser too much. The parser
runs with the `compat32` policy, which decodes nothing by itself; headers and texts are decoded here, with charsets from
a list. What still goes wrong inside becomes Unreadable at the one entry.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import compat32

from inbox.automatic import sign_of_a_machine
from inbox.decoding import Headers, clean, decoded, unfolded
from inbox.limits import excess, header_of
from inbox.markup import text_of_html
from inbox.sender import SenderProblem, written_by

MAX_TEXT_PART_BYTES = 1024 * 1024
"""A longer part was not written by a person; it is left out like an attachment."""
MAX_TEXT = 100_000
"""Characters kept of the text, some forty pages."""
MAX_SUBJECT = 500
"""Characters kept of the subject; half the longest line that RFC 5322 allows."""


_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")  # printable ASCII: a NUL, say, is refused by PostgreSQL
_TRACE = ("received", "authentication-results")


class Unreadable(Exception):
    """A mail that cannot be read safely. Keep its raw bytes and show `reason` to a person; do not try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says, decoded: no NUL, no control character but line feed and tab, no lone surrogate.

    `sender` is the one address in the one From header, in the spelling of `normalise_address`; if it is None,
    `sender_problem` says why. Whether that person really wrote the mail is not known here. `text` has line feeds only
    and still holds what the writer quotes. `machine_sign` tells why a machine must have written it, None for a mail of
    a person; it holds nothing that the sender chose. `trace` is what servers wrote on top of it, as far as it tells who
    wrote it, in the mail's order and not cleaned.
    """

    sender: str | None = field(repr=False)
    sender_problem: SenderProblem | None
    subject: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str | None = field(repr=False)
    machine_sign: str | None
    trace: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def read(raw: bytes) -> Mail:
    """Read one mail. Raises Unreadable, and nothing else, for every `raw` that is not a mail or too costly to read."""
    try:
        return _read(raw)
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("takes too much memory to read") from error
    except Exception as error:
        raise Unreadable(f"trips the parser ({type(error).__name__})") from error


def _read(raw: bytes) -> Mail:
    if too_much := excess(raw):
        raise Unreadable(f"has {too_much}")
    message = email.message_from_bytes(raw, policy=compat32)
    headers = [(name.lower(), unfolded(value)) for name, value in message.raw_items()]
    if not headers:
        raise Unreadable("has no header, so it is not a mail")
    sender, problem = written_by(header_of(raw), headers, message.defects)
    return Mail(
        sender=sender,
        sender_problem=problem,
        subject=_subject(headers),
        text=_text(message),
        message_id=_message_id(headers),
        machine_sign=sign_of_a_machine(headers),
        trace=tuple(each for each in headers if each[0] in _TRACE),
    )


def _values(headers: Headers, wanted: str) -> list[str]:
    return [value for name, value in headers if name == wanted]


def is_message_id(text: str) -> bool:
    """Tell whether `text` is one id in angle brackets, in printable ASCII and of at most 252 characters."""
    return _MESSAGE_ID.fullmatch(text) is not None


def _message_id(headers: Headers) -> str | None:
    values = [value.strip() for value in _values(headers, "message-id")]
    return values[0] if len(values) == 1 and is_message_id(values[0]) else None


def _subject(headers: Headers) -> str:
    written = next(iter(_values(headers, "subject")), "")[: 4 * MAX_SUBJECT]
    try:
        pieces = decode_header(written)
    except HeaderParseError:  # base64 that is none
        pieces = [(written, None)]
    whole = "".join(piece if isinstance(piece, str) else decoded(piece, charset) for piece, charset in pieces)
    return " ".join(clean(whole).split())[:MAX_SUBJECT]


def _text(message: "Message[str, str]") -> str:
    """Take the mail's plain parts, or if they are blank its HTML; attachments and attached mails say nothing."""
    for kind in ("text/plain", "text/html"):
        parts = [_text_of(part) for part in _parts(message) if _is_text(part, kind)]
        text = "\n\n".join(part for part in parts if part.strip())
        if text:
            return text[:MAX_TEXT]
    return ""


def _parts(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    # Not Message.walk(), which goes into attached mails too.
    yield message
    content = message.get_payload() if message.get_content_maintype() == "multipart" else None
    for part in content if isinstance(content, list) else ():
        if isinstance(part, Message):
            yield from _parts(part)


def _is_text(part: "Message[str, str]", kind: str) -> bool:
    attached = part.get_content_disposition() == "attachment"
    return part.get_content_type() == kind and not part.is_multipart() and not attached


def _text_of(part: "Message[str, str]") -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or len(content) > MAX_TEXT_PART_BYTES:
        return ""
    charset = part.get_param("charset")
    text = decoded(content, charset if isinstance(charset, str) else None)
    return clean(text_of_html(text) if part.get_content_subtype() == "html" else text)
