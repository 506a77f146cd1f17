"""What Twilio sends to the web: whether it is Twilio's, and what it says of an SMS or a call.

The signature: https://www.twilio.com/docs/usage/security#validating-requests. The fields:
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and
https://www.twilio.com/docs/voice/api/call-resource#statuscallback.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import parse_qs
from uuid import UUID

from twilio.request_validator import RequestValidator

from foundation.settings import Settings
from notifiers import taxonomy
from notifiers.receipts import Unsigned, Word, identifier, in_utc

VENDOR = "twilio"

_MOST_FIELDS = 1000  # Twilio sends some thirty
_MOST_DIGITS = 9
_FAILED = {"failed", "undelivered"}  # only these come with an ErrorCode that counts


class Form(dict[str, list[str]]):
    """The fields of a form, each with all its values, blank ones too: the signature covers them."""

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The form in a body. Raises `Unsigned` where it has more fields than any of Twilio's."""
        try:
            return cls(parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise Unsigned("no form of Twilio's has so many fields") from None

    def getlist(self, name: str) -> list[str]:
        """All values of a field; Twilio's validator asks for them by this name."""
        return self[name]

    def first(self, name: str) -> str:
        """The first value of a field, empty where there is none."""
        return self.get(name, [""])[0]


def verify(settings: Settings, url: str, form: Form, signature: str | None) -> None:
    """Makes sure that Twilio sent the form to `url`, the public one with path and query. Raises `Unsigned`."""
    token = settings.twilio_auth_token.get_secret_value()
    if not token:
        raise Unsigned("KEYTURN_TWILIO_AUTH_TOKEN is not set")
    if not signature:
        raise Unsigned("no signature of Twilio's")
    if not RequestValidator(token).validate(url, form, signature):
        raise Unsigned("a wrong signature for Twilio; compare KEYTURN_TWILIO_AUTH_TOKEN and KEYTURN_PUBLIC_URL")


def message_words(form: Form, message_id: UUID) -> tuple[Word, ...]:
    """What a verified form says of an SMS: one word, or none by a status that is not listed. Raises `Unreadable`."""
    sid, status = (
        identifier(form.first("MessageSid"), "MessageSid"),
        identifier(form.first("MessageStatus"), "a status"),
    )
    fate = taxonomy.TWILIO_MESSAGE_STATUSES.get(status)
    if not fate:
        return ()
    code = _number(form.first("ErrorCode")) if status in _FAILED else None
    fate = taxonomy.TWILIO_MESSAGE_ERRORS.get(code, fate) if code else fate
    word = f"{status} {code}" if code else status
    return (Word(VENDOR, f"{sid}:{status}", message_id, sid, fate, word, None),)


def call_words(form: Form, message_id: UUID) -> tuple[Word, ...]:
    """What a verified form says of a call, in the same way."""
    sid, status = identifier(form.first("CallSid"), "CallSid"), identifier(form.first("CallStatus"), "a status")
    fate = taxonomy.TWILIO_CALL_STATUSES.get(status)
    if not fate:
        return ()
    order = _number(form.first("SequenceNumber")) or 0
    return (Word(VENDOR, f"{sid}:{status}:{order}", message_id, sid, fate, status, _moment(form)),)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _moment(form: Form) -> datetime | None:
    """`Timestamp`, by RFC 2822; None where there is none."""
    try:
        return in_utc(parsedate_to_datetime(form.first("Timestamp")))
    except ValueError:
        return None
