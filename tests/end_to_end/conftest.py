"""Every process of the end-to-end tests logs at DEBUG, and after each test no log may tell what it must not.

What is looked for has a shape of its own here, apart from the product's: an address or number or street that the tests
use, a code as a word of digits, a key of the installation or of a stand-in.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import lob, sendgrid, twilio

_SHAPES = {
    "an e-mail address": re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.example\b"),
    "a phone number": re.compile(r"12025550\d{3}"),
    "a postal address": re.compile(r"Orchard.{1,3}Lane"),
    "a code": re.compile(r"(?<![\w.-])(?:\d{4}[ +]?\d{4}|\d{5}[ +]?\d{5})(?![\w.-])"),
    "the passphrase": re.compile(r"violet.{1,3}harbour"),
    "an encryption key": re.compile(r"[\w-]{43}="),
    "a link's token": re.compile(r"/(?:confirm|stop|calls)/[^/\s]+/[\w-]{16,}"),
}
_KEYS = (sendgrid.API_KEY, twilio.AUTH_TOKEN, lob.API_KEY)


@pytest.fixture(autouse=True)
def no_log_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test whose processes have logged what nobody may read there."""
    monkeypatch.setenv("KEYTURN_LOG_LEVEL", "DEBUG")
    yield
    logs = [log.read_text(errors="replace") for log in tmp_path.rglob("*.log")]
    assert [telling for log in logs for line in log.splitlines() for telling in _telling(line)] == []


def _telling(line: str) -> Iterator[str]:
    for what, shape in _SHAPES.items():
        if shape.search(line):
            yield f"{what}: {line}"
    if any(key in line for key in _KEYS):
        yield f"a key: {line}"
