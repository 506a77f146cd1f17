"""What Lob's webhook says of letters: whether it is Lob's and fresh, and the one event in it.

The signature and the events: https://docs.lob.com/#tag/Webhooks and #tag/Events.
"""

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from foundation.settings import Settings
from notifiers import taxonomy
from notifiers.receipts import Unreadable, Unsigned, Word, identifier, in_utc, our_id, parsed

VENDOR = "lob"

_FRESH = timedelta(minutes=5)
_SECONDS, _MILLISECONDS = re.compile(r"[0-9]{10}"), re.compile(r"[0-9]{13}")


def words(
    settings: Settings, body: bytes, signature: str | None, timestamp: str | None, now: datetime
) -> tuple[Word, ...]:
    """What the event in a body says: one word, or none if it is not about delivery. Raises `Unsigned`, `Unreadable`.

    `signature` and `timestamp` are the headers Lob-Signature and Lob-Signature-Timestamp.
    """
    _verify(settings, body, signature, timestamp, now)
    event = parsed(body)
    try:
        kind = identifier(event["event_type"]["id"], "event_type.id")
        event_id, letter = identifier(event["id"], "id"), identifier(event["reference_id"], "reference_id")
    except (TypeError, KeyError):
        raise Unreadable("the body is no event") from None
    fate = taxonomy.LOB_EVENTS.get(kind)
    if not fate:
        return ()
    return (Word(VENDOR, event_id, our_id(_remembered(event)), letter, fate, kind, _moment(event)),)


def _verify(settings: Settings, body: bytes, signature: str | None, timestamp: str | None, now: datetime) -> None:
    secret = settings.lob_webhook_secret.get_secret_value()
    if not secret:
        raise Unsigned("KEYTURN_LOB_WEBHOOK_SECRET is not set")
    if not signature or not timestamp:
        raise Unsigned("no signature of Lob's")
    right = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hexdigest()
    # As bytes: text that is not ASCII cannot be compared in constant time.
    if not hmac.compare_digest(right.encode(), signature.encode()):
        raise Unsigned("a wrong signature for Lob; compare KEYTURN_LOB_WEBHOOK_SECRET")
    if abs(now - _signed_at(timestamp)) > _FRESH:
        raise Unsigned("a signature of Lob's that is not of the last five minutes; compare the clock")


def _signed_at(timestamp: str) -> datetime:
    """The moment of the signature, which Lob gives in milliseconds or in seconds."""
    if _MILLISECONDS.fullmatch(timestamp):
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    if _SECONDS.fullmatch(timestamp):
        return datetime.fromtimestamp(int(timestamp), UTC)
    raise Unsigned("a signature of Lob's without a time")


def _remembered(event: Any) -> object:
    """What Lob was given to remember with the letter; None where it does not come back."""
    try:
        remembered: object = event["body"]["metadata"]["message_id"]
    except (TypeError, KeyError):
        return None
    return remembered


def _moment(event: Any) -> datetime | None:
    """`date_created`, by ISO 8601; None where it is none."""
    try:
        return in_utc(datetime.fromisoformat(event["date_created"]))
    except (KeyError, TypeError, ValueError):
        return None
