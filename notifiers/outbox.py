"""The outbox folder of a demo: how messages that would have been sent lie in it, one file each, and are read back.

Names sort in the order of sending: `20261124T180501.123456Z-sms-<message id>-<receipt id>.txt`. A message that is sent
again lies there twice, with the same message id. Beside a letter that was stopped lies `<receipt id>.stopped`.
"""

import email
import email.policy
import os
import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from policy.vocabulary import Channel

_SUFFIX = {Channel.EMAIL: "eml", Channel.SMS: "txt", Channel.VOICE: "txt", Channel.MAIL: "html"}
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-(email|sms|voice|mail)-[0-9a-f-]{36}-[0-9a-f]{16}\.(eml|txt|html)")
_PAGE_TO = re.compile(r"<!-- To: (.*) -->\n")
_PRESSED = "\n\n[1 is pressed]\n\n"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message as its recipient would have got it. `body` is plain text; `html` a mail's other part, or the letter.

    `attempt` is 2 where the same message was sent a second time. What a channel does not have is empty. A letter
    that `is_stopped` never left.
    """

    path: Path
    channel: Channel
    message_id: UUID
    receipt_id: str
    attempt: int
    sent_at: datetime
    sender: str
    to: str = field(repr=False)
    subject: str
    body: str = field(repr=False)
    html: str = field(repr=False)
    is_stopped: bool

    @property
    def script(self) -> tuple[str, str]:
        """What a call says at once, and what it says after 1 is pressed."""
        before, _, after = self.body.partition(_PRESSED)
        return before, after


def noted(to: str, text: str) -> bytes:
    """The file of a text message."""
    return f"To: {to}\n\n{text}\n".encode()


def call_noted(to: str, before_key: str, after_key: str) -> bytes:
    """The file of a call: what it says at once, and what it says after 1 is pressed."""
    return noted(to, before_key + _PRESSED + after_key)


def page_noted(to: str, page: str) -> bytes:
    """The file of a letter: the page itself, after a remark that a browser does not show."""
    return f"<!-- To: {escape(to)} -->\n{page}\n".encode()


def put(folder: Path, channel: Channel, message_id: UUID, sent_at: datetime, content: bytes) -> str:
    """Adds one file, whole or not at all, readable by this user only, and answers with a new receipt id."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    receipt_id = secrets.token_hex(8)
    unfinished = folder / f".{receipt_id}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    stamp = sent_at.astimezone(UTC).strftime(_TIME)
    unfinished.rename(folder / f"{stamp}-{channel}-{message_id}-{receipt_id}.{_SUFFIX[channel]}")
    return receipt_id


def stop(folder: Path, receipt_id: str) -> None:
    """Marks a letter as one that never left; doing so twice changes nothing."""
    _mark_of(folder, receipt_id).touch(mode=0o600)


def read(folder: Path, part: slice = slice(None)) -> list[OutboxItem]:
    """What was put there, or `part` of it, the newest last; nothing where the folder does not exist yet."""
    return [_item(path, attempt) for path, attempt in _listed(folder)[part]]


def find(folder: Path, receipt_id: str) -> OutboxItem | None:
    """The one with this receipt, if there is one."""
    found = ((path, attempt) for path, attempt in _listed(folder) if path.stem.rpartition("-")[2] == receipt_id)
    return next((_item(path, attempt) for path, attempt in found), None)


def _listed(folder: Path) -> list[tuple[Path, int]]:
    """Every file, with the number of times that its message had been sent by then."""
    if not folder.is_dir():
        return []
    attempts: Counter[str] = Counter()
    listed = []
    for path in sorted(each for each in folder.iterdir() if _NAME.fullmatch(each.name)):
        message_id = _parts(path)[2]
        attempts[message_id] += 1
        listed.append((path, attempts[message_id]))
    return listed


def _parts(path: Path) -> tuple[str, str, str, str]:
    """Time, channel, message id and receipt id, out of the name."""
    stamp, channel, ids = path.stem.split("-", 2)
    message_id, _, receipt_id = ids.rpartition("-")
    return stamp, channel, message_id, receipt_id


def _mark_of(folder: Path, receipt_id: str) -> Path:
    return folder / f"{receipt_id}.stopped"


def _item(path: Path, attempt: int) -> OutboxItem:
    stamp, channel, message_id, receipt_id = _parts(path)
    sent_at = datetime.strptime(stamp, _TIME).replace(tzinfo=UTC)
    content = _READ[Channel(channel)](path.read_bytes())
    is_stopped = _mark_of(path.parent, receipt_id).exists()
    return OutboxItem(path, Channel(channel), UUID(message_id), receipt_id, attempt, sent_at, *content, is_stopped)


class _Content(NamedTuple):
    sender: str
    to: str
    subject: str
    body: str
    html: str


def _mail(content: bytes) -> _Content:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    text, html = (part.get_content() if (part := mail.get_body((kind,))) else "" for kind in ("plain", "html"))
    return _Content(mail["From"], mail["To"], mail["Subject"], text, html)


def _note(content: bytes) -> _Content:
    first, _, body = content.decode().partition("\n\n")
    return _Content("", first.removeprefix("To: "), "", body, "")


def _letter(content: bytes) -> _Content:
    page = content.decode()
    words = _Words()
    words.feed(page)
    to = _PAGE_TO.match(page)
    return _Content("", unescape(to[1]) if to else "", "", words.text(), page)


_READ = {Channel.EMAIL: _mail, Channel.SMS: _note, Channel.VOICE: _note, Channel.MAIL: _letter}


class _Words(HTMLParser):
    """The text of a page, one line for what stands on a line of its own."""

    _BREAKS = frozenset({"br", "p", "li", "h2", "div"})

    def __init__(self) -> None:
        super().__init__()
        self._in_body = False
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self._in_body = self._in_body or tag == "body"
        if tag in self._BREAKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_body:
            self._parts.append(data.replace("\n", " "))

    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)
