"""What a mail may have of everything that costs Python's parser time, memory or stack, measured on the raw bytes.

Over these limits a mail is kept for a person and not parsed. Within them, the worst that could be made took 3 s (half a
million lines of delivery status) and 250 MiB (20 MiB of bytes beyond ASCII) on Python 3.11. Worse than that is ended by
the limits of the process in which mail is read: see inbox/child.py.
"""

import re
from collections.abc import Iterator

MAX_BYTES = 20 * 1024 * 1024
"""Twice what Postfix takes unless told otherwise; 15 MB of photographs."""
MAX_LINES = 500_000
"""20 MiB of base64 have 280,000. The parser keeps every line as a string: 20 MiB of line ends cost it 400 MiB."""
MAX_HEADER_BYTES = 128 * 1024
"""Up to the first empty line: four times what Sendmail takes; real mails with all seals and traces have 30 kB."""
MAX_HEADERS = 1_000
"""In the mail's own header; real mails have up to 150."""
MAX_RECIPIENTS = 100
"""Counted by the @ in the headers that name recipients: nobody asks a hundred others to have their factors reset."""
MAX_DELIMITERS = 500
"""Lines that begin with two dashes, and so the parts: a mail with fifty attachments and some drawn rules has 100."""
MAX_CONTENT_TYPE_BYTES = 2_048
"""One Content-Type with its folded lines: the parser's time grows with the square of its semicolons."""
MAX_CONTAINERS = 32
"""Multiparts and attached mails, and so their depth: the parser recurses, and tries each boundary on each line."""

# To the parser a lone CR ends a line too.
_END_OF_HEADER = re.compile(rb"\n[\r\n]|\r\r")
_HEADER_LINE = re.compile(rb"(?:\A|[\r\n])[^\s:]+:")
# Spelled like inbox.reading.RECIPIENT_HEADERS, and Bcc, which names nobody to us but is as long.
_RECIPIENTS = re.compile(
    rb"(?:\A|[\r\n])(?:to|cc|bcc|delivered-to|x-original-to):[^\r\n]*+(?:(?:\r\n|\r|\n)[ \t][^\r\n]*+)*+", re.IGNORECASE
)
_DELIMITER = re.compile(rb"(?:\A|[\r\n])--")
_CONTENT_TYPE = re.compile(
    # The odd blanks are what str.strip() takes off, which the parser uses before it looks at the type.
    rb"(?:\A|[\r\n])content-type:(?=(?P<container>[\s\x1c-\x1f]*(?:multipart|message)/)?)"
    rb"[^\r\n]*+(?:(?:\r\n|\r|\n)[ \t][^\r\n]*+)*+",
    re.IGNORECASE,
)


def excess(raw: bytes) -> str | None:
    """Return in words what `raw` has too much of, None if it may be parsed."""
    return next((f"more than {limit:,} {what}" for limit, found, what in _measures(raw) if found > limit), None)


def header_of(raw: bytes) -> bytes:
    """Return the bytes up to the first empty line."""
    end = _END_OF_HEADER.search(raw)
    return raw[: end.start()] if end else raw


def _measures(raw: bytes) -> Iterator[tuple[int, int, str]]:
    # In an order in which each measure bounds what the next one has to look at.
    yield MAX_BYTES, len(raw), "bytes"
    yield MAX_LINES, max(raw.count(b"\n"), raw.count(b"\r")), "lines"
    header = header_of(raw)
    yield MAX_HEADER_BYTES, len(header), "bytes of header"
    yield MAX_HEADERS, _count(_HEADER_LINE, header), "headers"
    yield MAX_RECIPIENTS, sum(named[0].count(b"@") for named in _RECIPIENTS.finditer(header)), "recipients"
    yield MAX_DELIMITERS, _count(_DELIMITER, raw), "parts"
    longest = containers = 0
    for content_type in _CONTENT_TYPE.finditer(raw):
        longest = max(longest, len(content_type[0]))
        containers += content_type["container"] is not None
    yield MAX_CONTENT_TYPE_BYTES, longest, "bytes of Content-Type"
    yield MAX_CONTAINERS, containers, "parts within parts"


def _count(pattern: re.Pattern[bytes], raw: bytes) -> int:
    return sum(1 for _ in pattern.finditer(raw))
