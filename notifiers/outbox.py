"""The outbox folder of a demo: how messages that would have been sent lie in it, one file each, and are read back.

Names sort in the order of sending: `20261124T180501.123456Z-sms-<message id>-<receipt id>.txt`. A message that is sent
again lies there twice, with the same message id.
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
from uuid import UUID

from policy.vocabulary import Channel

_SUFFIX = {Channel.EMAIL: "eml", Channel.SMS: "txt", Channel.VOICE: "txt", Channel.MAIL: "html"}
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-(email|sms|voice|mail)-[0-9a-f-]{36}-[0-9a-f]{16}\.(eml|txt|html)")
_PAGE_TO = re.compile(r"<!-- To: (.*) -->\n")


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message as its recipient would have got it. `body` is plain text; the page of a letter is the file itself.

    `attempt` is 2 where the same message was sent a second time. `subject` is empty where a channel has none.
    """

    path: Path
    channel: Channel
    message_id: UUID
    receipt_id: str
    attempt: int
    sent_at: datetime
    to: str = field(repr=False)
    subject: str
    body: str = field(repr=False)


def noted(to: str, text: str) -> bytes:
    """The file of a text message or a call."""
    return f"To: {to}\n\n{text}\n".encode()


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


def read(folder: Path) -> list[OutboxItem]:
    """All that was put there, the newest last; nothing where the folder does not exist yet."""
    if not folder.is_dir():
        return []
    attempts: Counter[str] = Counter()
    return [_item(path, attempts) for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name)]


def _item(path: Path, attempts: Counter[str]) -> OutboxItem:
    stamp, channel, ids = path.stem.split("-", 2)
    message_id, _, receipt_id = ids.rpartition("-")
    attempts[message_id] += 1
    to, subject, body = _READ[Channel(channel)](path.read_bytes())
    return OutboxItem(
        path,
        Channel(channel),
        UUID(message_id),
        receipt_id,
        attempts[message_id],
        datetime.strptime(stamp, _TIME).replace(tzinfo=UTC),
        to,
        subject,
        body,
    )


def _mail(content: bytes) -> tuple[str, str, str]:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    body = mail.get_body(("plain",))
    return mail["To"], mail["Subject"], body.get_content() if body else ""


def _note(content: bytes) -> tuple[str, str, str]:
    first, _, body = content.decode().partition("\n\n")
    return first.removeprefix("To: "), "", body


def _letter(content: bytes) -> tuple[str, str, str]:
    page = content.decode()
    words = _Words()
    words.feed(page)
    to = _PAGE_TO.match(page)
    return unescape(to[1]) if to else "", "", words.text()


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
