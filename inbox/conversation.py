"""What ties a mail to a conversation: its own id, the ids of the mails it answers, and the addresses it was sent to.

All of it is the sender's word. An id or an address is worth something only if it carries a key of ours.
"""

import re
from itertools import islice

from foundation.addresses import normalise_address
from inbox.decoding import Headers
from inbox.limits import MAX_RECIPIENTS

MAX_REFERENCES = 20
"""Ids kept of the mails that a mail answers; the one that it answers directly is the first."""

_RECIPIENT_HEADERS = ("to", "cc", "delivered-to", "x-original-to")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")  # printable ASCII: a NUL, say, is refused by PostgreSQL
# Names in quotes and comments are passed over, so that no address is taken from them.
_RECIPIENT = re.compile(r"""\"(?:[^"\\]|\\.)*+"?|\([^()]*+\)?|(?P<address>[^\s<>()",;:]++)""", re.DOTALL)


def message_id(headers: Headers) -> str | None:
    """Return the id if there is exactly one, in angle brackets."""
    values = _values(headers, "message-id")
    found = _MESSAGE_ID.fullmatch(values[0].strip()) if len(values) == 1 else None
    return found[0] if found else None


def is_message_id(text: str) -> bool:
    """Tell whether `text` is one id in angle brackets, in printable ASCII and of at most 252 characters."""
    return _MESSAGE_ID.fullmatch(text) is not None


def references(headers: Headers) -> tuple[str, ...]:
    """Return the ids in In-Reply-To and then those in References, each once, at most `MAX_REFERENCES`."""
    answered = " ".join(_values(headers, "in-reply-to") + _values(headers, "references"))
    return tuple(islice(dict.fromkeys(_MESSAGE_ID.findall(answered)), MAX_REFERENCES))


def recipients(headers: Headers) -> tuple[str, ...]:
    """Return the comparable addresses in To, Cc, Delivered-To and X-Original-To, each once and normalised."""
    named = ", ".join(value for wanted in _RECIPIENT_HEADERS for value in _values(headers, wanted))
    written = (found["address"] for found in _RECIPIENT.finditer(named) if "@" in (found["address"] or ""))
    addresses = map(normalise_address, islice(written, MAX_RECIPIENTS))
    return tuple(dict.fromkeys(address for address in addresses if address))


def _values(headers: Headers, wanted: str) -> list[str]:
    return [value for name, value in headers if name == wanted]
