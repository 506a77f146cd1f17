"""What stands in a mail where the tokens of our own mails' threads do; whether one is right only its maker knows."""

import re

from inbox.limits import header_of

MOST = 20
"""Tokens looked at in a mail: each costs a keyed digest."""

_TOKEN = re.compile(rb"(?<![a-z2-7])[a-z2-7]{42}(?=@)", re.IGNORECASE)


def tokens_in_header(raw: bytes) -> tuple[str, ...]:
    """Those in the header, where an answer has them: in To, Cc, In-Reply-To or References. In order, each once."""
    return _tokens(header_of(raw))


def tokens_anywhere(raw: bytes) -> tuple[str, ...]:
    """Those in the whole mail: a report on a delivery holds the header of the mail that bounced."""
    return _tokens(raw)


def _tokens(raw: bytes) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(raw):
        found[match[0].decode().lower()] = None
        if len(found) == MOST:
            break
    return tuple(found)
