"""What SendGrid's signed event webhook says of mails: whether it is SendGrid's, and each event that is about delivery.

The signature and the events: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events. The SDK's helper is
not used: it wants the body as text, and a server's answer that is quoted in an event may be in any encoding.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from foundation.settings import Settings
from notifiers import sendgrid_signature, taxonomy
from notifiers.receipts import Unreadable, Word, identifier, our_id, parsed
from policy.vocabulary import Fate

VENDOR = "sendgrid"

log = logging.getLogger(__name__)


def words(settings: Settings, body: bytes, signature: str | None, timestamp: str | None) -> tuple[Word, ...]:
    """What the events in a body say. Raises `Unsigned`, and `Unreadable` where there are none to read.

    `signature` and `timestamp` are the headers X-Twilio-Email-Event-Webhook-Signature and …-Timestamp. An event that
    cannot be read is counted in the log and left out; so is, uncounted, one that is not about delivery.
    """
    key = settings.sendgrid_webhook_key
    sendgrid_signature.verify(key, "KEYTURN_SENDGRID_WEBHOOK_KEY", body, signature, timestamp)
    events = parsed(body)
    if not isinstance(events, list):
        raise Unreadable("the body is no list of events")
    found: list[Word] = []
    unreadable = 0
    for event in events:
        try:
            found += _words(event)
        except Unreadable:
            unreadable += 1
    if unreadable:
        log.warning("%d of %d events in a request of SendGrid's cannot be read", unreadable, len(events))
    return tuple(found)


def _words(event: Any) -> tuple[Word, ...]:
    if not isinstance(event, dict):
        raise Unreadable("an event is no object")
    kind = identifier(event.get("event"), "event")
    word = "blocked" if kind == "bounce" and event.get("type") == "blocked" else kind
    fate = taxonomy.SENDGRID_EVENTS.get(word)
    if not fate:
        return ()
    if word == "dropped" and str(event.get("reason")).startswith(taxonomy.SENDGRID_DROPS_OF_OURS):
        fate = Fate.OURS
    event_id = identifier(event.get("sg_event_id"), "sg_event_id")
    provider_id, _, _ = identifier(event.get("sg_message_id"), "sg_message_id").partition(".")
    return (Word(VENDOR, event_id, our_id(event.get("message_id")), provider_id, fate, word, _moment(event)),)


def _moment(event: Mapping[str, Any]) -> datetime | None:
    """`timestamp`, in seconds; None where it is none."""
    try:
        return datetime.fromtimestamp(event["timestamp"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
