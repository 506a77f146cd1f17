"""What every status and code of the vendors means for us, a table a vendor; what is not listed goes by its status.

Twilio's codes: https://www.twilio.com/docs/api/errors. SendGrid's statuses:
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses, its events:
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event. Lob's errors and events: https://docs.lob.com.
"""

from collections.abc import Container, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from notifiers.contract import DeliveryFailed, Misconfigured, Rejected, Unavailable, Unknown
from policy.vocabulary import Fate


class Meaning(StrEnum):
    """What an answer that is no receipt means."""

    RECIPIENT = "recipient"  # never to this recipient
    LATER = "later"  # refused for now
    OURS = "ours"  # key, sender or request
    PERHAPS = "perhaps"  # it may have gone


# The first row that holds the status counts.
_STATUSES: Final[tuple[tuple[Container[int], Meaning], ...]] = (
    ({408, 429, 503}, Meaning.LATER),
    (range(300, 500), Meaning.OURS),  # 401 the key, 403 the sender, 413 the size, a redirect: the wrong base URL
    (range(1000), Meaning.PERHAPS),  # other 5xx, and a 2xx that is no receipt
)

TWILIO: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                21211,  # `To` is no phone number
                21214,  # `To` cannot be reached by a call
                21216,  # `To` is blocked for calls from this account
                21217,  # `To` is no phone number (calls)
                21610,  # the recipient has answered STOP
                21612,  # no way from this sender to `To`
                21614,  # `To` is no mobile number
            ),
            Meaning.RECIPIENT,
        ),
        **dict.fromkeys(
            (
                20429,  # too many requests
                21611,  # the sender's queue is full
            ),
            Meaning.LATER,
        ),
        **dict.fromkeys(
            (
                20003,  # wrong key
                20403,  # not allowed to this account
                21212,  # `From` is no phone number
                21215,  # the country is not enabled (calls)
                21408,  # the country is not enabled (SMS)
                21603,  # no `From`
                21606,  # `From` cannot send SMS
            ),
            Meaning.OURS,
        ),
    }
)
"""By `code` in the answer's body."""

SENDGRID_RECIPIENT: Final = "personalizations.0.to"
"""A 400 about this field, and no other, is about the recipient."""

LOB: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "mail_use_type_can_not_be_null": Meaning.OURS,
        "invalid_api_key": Meaning.OURS,
        "billing_address_required": Meaning.OURS,
        "email_required": Meaning.OURS,
        "feature_limit_reached": Meaning.OURS,
        "failed_deliverability_strictness": Meaning.RECIPIENT,
        "address_length_exceeds_limit": Meaning.RECIPIENT,
        "unrecognized_endpoint": Meaning.OURS,
        "conflict": Meaning.PERHAPS,  # the same key is at work already, or came with another letter
        "rate_limit_exceeded": Meaning.LATER,
        "request_timeout": Meaning.LATER,
        "service_unavailable": Meaning.LATER,
    }
)
"""By `error.code` in the body of a 4xx. What a 422 says of a field `to.…` is about the recipient, whatever its code."""

LOB_PERHAPS: Final = frozenset({408, 503})
"""Statuses that are no proof that no letter was made: a letter is printed for good, so each goes on as in doubt."""

LOB_NO_SUCH_LETTER: Final = "not_found"
"""`error.code` of a 404 about the letter itself. Any other 404 is of no letter: the base URL is wrong."""

# --- What they say later

TWILIO_MESSAGE_STATUSES: Final[Mapping[str, Fate]] = MappingProxyType(
    {
        **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Fate.UNDER_WAY),
        **dict.fromkeys(("delivered", "read"), Fate.DELIVERED),
        **dict.fromkeys(("undelivered", "failed", "canceled"), Fate.UNREACHABLE),
    }
)
"""By `MessageStatus`. Where a failed one has an `ErrorCode` of the next table, that counts."""

TWILIO_MESSAGE_ERRORS: Final[Mapping[int, Fate]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                30001,  # the queue was full
                30003,  # the phone is off or out of reach
                30008,  # no reason is known
                30017,  # the carrier's network is congested
                30022,  # too many at once for a registered sender
                30410,  # the carrier did not answer Twilio in time
            ),
            Fate.AGAIN,
        ),
        **dict.fromkeys(
            (
                30002,  # the account is suspended
                30007,  # filtered as unwanted
                30010,  # it costs more than the account allows
                30018,  # the carrier wants the sender registered
                30023,  # the sender's messages of the day are used up
                30024,  # the carrier takes no numbers as senders
                30032,  # the toll-free sender is not verified
                30033,  # the sender's campaign is suspended
                30034,  # the sender is not registered
                30035,  # the sender's registration is under way
            ),
            Fate.OURS,
        ),
        30036: Fate.EXPIRED,  # ValidityPeriod ran out
    }
)
"""By `ErrorCode`; 30004 (blocked), 30005 (no such number), 30006 (landline) and all others are unreachable."""

TWILIO_CALL_STATUSES: Final[Mapping[str, Fate]] = MappingProxyType(
    {
        **dict.fromkeys(("queued", "initiated", "ringing", "in-progress"), Fate.UNDER_WAY),
        "completed": Fate.DELIVERED,
        **dict.fromkeys(("busy", "no-answer"), Fate.UNANSWERED),
        **dict.fromkeys(("failed", "canceled"), Fate.UNREACHABLE),
    }
)
"""By `CallStatus`."""

SENDGRID_EVENTS: Final[Mapping[str, Fate]] = MappingProxyType(
    {
        **dict.fromkeys(("processed", "deferred", "blocked"), Fate.UNDER_WAY),
        "delivered": Fate.DELIVERED,
        **dict.fromkeys(("bounce", "dropped"), Fate.UNREACHABLE),
    }
)
"""By `event`; a bounce of the type `blocked` counts as that: SendGrid may still get through."""

SENDGRID_DROPS_OF_OURS: Final = ("Invalid SMTPAPI header", "Spam Content", "Recipient List over Package Quota")
"""What the `reason` of `dropped` begins with where the recipient has nothing to do with it."""

LOB_EVENTS: Final[Mapping[str, Fate]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "letter.created",
                "letter.rendered_pdf",
                "letter.rendered_thumbnails",
                "letter.mailed",
                "letter.in_transit",
                "letter.in_local_area",
                "letter.processed_for_delivery",
                "letter.re-routed",
            ),
            Fate.UNDER_WAY,
        ),
        "letter.delivered": Fate.DELIVERED,
        **dict.fromkeys(("letter.returned_to_sender", "letter.failed"), Fate.UNREACHABLE),
        "letter.rejected": Fate.OURS,  # it was never made
    }
)
"""By `event_type.id`. A letter that was deleted was recalled by us."""


def of_status(status: int) -> Meaning:
    """What a status means by itself."""
    return next(meaning for statuses, meaning in _STATUSES if status in statuses)


def failure(meaning: Meaning, code: str, retry_after: timedelta | None = None) -> DeliveryFailed:
    """The exception for a meaning; `code` is a word for the attempt's record."""
    match meaning:
        case Meaning.RECIPIENT:
            return Rejected(code)
        case Meaning.LATER:
            return Unavailable(code, retry_after)
        case Meaning.OURS:
            return Misconfigured(code)
        case Meaning.PERHAPS:
            return Unknown(code)
