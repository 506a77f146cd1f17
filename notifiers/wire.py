"""What the vendors' answers have in common: kept connections with timeouts, no answer at all, when to come back."""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from foundation import clock, logs
from notifiers.contract import DeliveryFailed, NotSent, Unknown

# At DEBUG urllib3 writes the path of every request, and some of Twilio's hold the customer's number.
logs.redact_at_the_source("urllib3.connectionpool")

# Seconds. A little over 3, so that a lost SYN, which is sent again after 1 and after 3 seconds, does not fail the call.
TIMEOUT: Final = urllib3.Timeout(connect=3.05, read=10)

_LONGEST_WAIT = 604_800  # seconds, a week

# The first row that fits counts.
_NO_ANSWER: Final[tuple[tuple[type[HTTPError], type[NotSent | Unknown]], ...]] = (
    (NewConnectionError, NotSent),  # refused, unreachable, no such host
    (ConnectTimeoutError, NotSent),
    (HTTPError, Unknown),  # read timeout, reset, half an answer: it may have arrived
)


def kept_connections(
    base_url: str, most: int, timeout: urllib3.Timeout
) -> urllib3.HTTPConnectionPool | urllib3.HTTPSConnectionPool:
    """Connections to one host, as many as threads use them. Nothing is tried again, and no redirect is followed."""
    return urllib3.connection_from_url(base_url, maxsize=most, timeout=timeout, retries=False)


def without_answer(error: HTTPError) -> DeliveryFailed:
    """What it means that the vendor did not answer, or not to the end."""
    if isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError):
        return NotSent("certificate")  # refused at the handshake, before anything was sent
    meaning = next(meaning for kind, meaning in _NO_ANSWER if isinstance(error, kind))
    return meaning(type(error).__name__)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Retry-After (RFC 9110 §10.2.3): seconds, at most a week here, or a date; None where it says nothing readable."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), _LONGEST_WAIT))
    try:
        wait = parsedate_to_datetime(value) - clock.now()
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None
    return max(wait, timedelta())
