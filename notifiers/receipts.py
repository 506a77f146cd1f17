"""What a vendor says later about a message: one word in one shape, whoever said it, and how it is read with care.

A vendor's file verifies a request first and reads it only then. What it reads is still not trusted: ids are plain
ASCII that fits the table, and no sentence of the vendor is kept, because some repeat the address.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from policy.vocabulary import Fate

_IDENTIFIER = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Word:
    """One later word of a vendor about a message.

    `vendor` is "twilio", "sendgrid" or "lob", and `event_id` unique among its words. `message_id` is ours, as the
    vendor was given it, None where it does not come back; `provider_id` is the one on the receipt. `word` is a short
    one for people, such as "undelivered 30006". `said_at` is in UTC.
    """

    vendor: str
    event_id: str
    message_id: UUID | None
    provider_id: str
    fate: Fate
    word: str
    said_at: datetime | None


class Unsigned(Exception):
    """The signature is missing, wrong or too old, or there is no secret to check it. Refuse the request."""


class Unreadable(Exception):
    """Signed, but not in the shape that the vendor documents. Answer 2xx, so that it is not repeated; tell people."""


def parsed(body: bytes) -> Any:
    """A body as JSON. Raises `Unreadable`. Bytes that are no UTF-8 spoil only the text that they stand in."""
    try:
        return json.loads(body.decode(errors="replace"))
    except (ValueError, RecursionError):  # RecursionError: nested too deep
        raise Unreadable("the body is no JSON") from None


def identifier(value: object, name: str) -> str:
    """A vendor's id, at most 200 characters. Raises `Unreadable`, which says `name`."""
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    raise Unreadable(f"{name} is missing or no id")


def our_id(value: object) -> UUID | None:
    """The message's id, as the vendor was given it; None where it is anything else."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def in_utc(moment: datetime) -> datetime | None:
    """A moment as it is stored; None without a zone, or at the calendar's ends."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else None
    except OverflowError:
        return None
