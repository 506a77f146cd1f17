"""The corpus: mails of our own, kind and hostile, and what each shall be read as (corpus/expected.toml).

Most are files. Those that would be megabytes of one letter are built here.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inbox.judging import Ask
from inbox.sender import SenderProblem

FOLDER = Path(__file__).parent / "corpus"

_HEADER = b"From: Dana Whitfield <dana@whitfield-pottery.example>\nTo: support@northfold-hosting.example\n"
_ASKS = b"I lost my phone and can't log in.\n"
_MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
_PART = b"--b\nContent-Type: text/plain\n\n" + _ASKS
_PICTURE = b"--b\nContent-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\n"


def _nested(depth: int) -> bytes:
    levels = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )
    return _HEADER + levels + b"\n" + _ASKS


BUILT: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "huge-header-one-line": lambda: _HEADER + b"X-Note: " + b"y" * 1_000_000 + b"\n\n" + _ASKS,
        "huge-header-many-lines": lambda: _HEADER + b"X-Note: " + b"y\n\t" * 300_000 + b"y\n\n" + _ASKS,
        "huge-many-headers": lambda: _HEADER + b"X-Note: y\n" * 100_000 + b"\n" + _ASKS,
        "huge-thousand-headers": lambda: _HEADER + b"X-Note: y\n" * 1_001 + b"\n" + _ASKS,
        "huge-nested-parts": lambda: _nested(1_000),
        "huge-nested-parts-by-hundreds": lambda: _nested(400),
        "huge-nested-mails": lambda: _HEADER + b"Content-Type: message/rfc822\n\n" * 1_000 + _ASKS,
        "huge-many-parts": lambda: _HEADER + _MIXED + _PART * 10_000 + b"--b--\n",
        "huge-base64": lambda: _HEADER + _MIXED + _PART + _PICTURE + (b"/9j/" * 19 + b"\n") * 260_000 + b"--b--\n",
        "huge-text": lambda: _HEADER + b"\n" + _ASKS * 100_000,
        "huge-bytes": lambda: _HEADER + b"\n" + _ASKS * 1_000_000,
        "huge-lines": lambda: _HEADER + b"\n" + b"\r\n" * 1_000_000,
        "huge-from": lambda: b"From: dana@" + b"." * 100_000 + b"\n\n" + _ASKS,
        "huge-recipients": lambda: _HEADER + b"Cc: " + b"a@b.example,\n " * 5_000 + b"\n\n" + _ASKS,
    }
)


@dataclass(frozen=True, slots=True)
class Expected:
    """One line of the table; what is None is not looked at, except who sent it and what it asks."""

    unreadable: str | None = None
    sender: str | None = None
    sender_problem: SenderProblem | None = None
    asks: Ask | None = None
    machine: str | None = None
    subject: str | None = None
    message_id: str | None = None
    says: str | None = None
    silent: str | None = None
    flagged: bool = False
    later: str | None = None


def _expected(line: dict[str, Any]) -> Expected:
    kinds: dict[str, Callable[[Any], object]] = {
        "asks": Ask,
        "sender_problem": lambda name: SenderProblem[name],
    }
    fields: dict[str, Any] = {name: kinds[name](value) if name in kinds else value for name, value in line.items()}
    return Expected(**fields)


EXPECTED: Mapping[str, Expected] = MappingProxyType(
    {name: _expected(line) for name, line in tomllib.loads((FOLDER / "expected.toml").read_text("utf-8")).items()}
)


def raw(name: str) -> bytes:
    """The bytes of the mail of that name."""
    return BUILT[name]() if name in BUILT else (FOLDER / f"{name}.eml").read_bytes()
