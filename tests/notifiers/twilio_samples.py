"""What the tests of SMS, calls and Lookup share: settings for the stand-in, and what each fault of Twilio's means."""

from typing import Any

from pydantic import SecretStr

from foundation.settings import Settings
from notifiers.contract import DeliveryFailed, Misconfigured, Rejected, Unavailable, Unknown
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, Truncated
from tests.servers.twilio import ACCOUNT_SID, AUTH_TOKEN, FROM, NONSENSE, WITHOUT_SID, status

LONG = 60  # seconds: longer than any test waits
ELSEWHERE = "http://192.0.2.1/"  # leads nowhere, by RFC 5737

FAULTS: dict[str, tuple[Fault, type[DeliveryFailed], str]] = {
    "400": (status(400), Misconfigured, "http_400 20400"),
    "400 about the number": (status(400, error=21211), Rejected, "http_400 21211"),
    "400 after STOP": (status(400, error=21610), Rejected, "http_400 21610"),
    "400 about the sender": (status(400, error=21606), Misconfigured, "http_400 21606"),
    "400 with a full queue": (status(400, error=21611), Unavailable, "http_400 21611"),
    "401": (status(401), Misconfigured, "http_401 20003"),
    "403": (status(403), Misconfigured, "http_403 20403"),
    "403 about the number": (status(403, error=21610), Misconfigured, "http_403 21610"),
    "404": (status(404), Misconfigured, "http_404 20404"),
    "404 of another server": (Instead(Reply(404, b"<h1>Not Found</h1>")), Misconfigured, "http_404"),
    "408": (status(408), Unavailable, "http_408 20408"),
    "422": (status(422), Misconfigured, "http_422 20422"),
    "429": (status(429), Unavailable, "http_429 20429"),
    "429 with Retry-After": (status(429, retry_after=17), Unavailable, "http_429 20429"),
    "429 in other words": (Instead(Reply(429, b'{"code": "+12025550142"}')), Unavailable, "http_429"),
    "500": (status(500), Unknown, "http_500 20500"),
    "500 after it was taken": (Instead(Reply(500, b"[]"), taken=True), Unknown, "http_500"),
    "502": (Instead(Reply(502, b"\xff")), Unknown, "http_502"),
    "503": (status(503), Unavailable, "http_503 20503"),
    "503 with Retry-After": (status(503, retry_after=17), Unavailable, "http_503 20503"),
    "307 to another host": (Instead(Reply(307, headers={"Location": ELSEWHERE})), Misconfigured, "http_307"),
    "hang": (Hang(LONG), Unknown, "ReadTimeoutError"),
    "hang after it was taken": (Hang(LONG, taken=True), Unknown, "ReadTimeoutError"),
    "reset before it was taken": (CloseUnread(), Unknown, "ProtocolError"),
    "reset after it was taken": (CloseTaken(), Unknown, "ProtocolError"),
    "truncated answer": (Truncated(), Unknown, "ProtocolError"),
    "empty 201": (WITHOUT_SID, Unknown, "no_sid"),
    "201 without a sid": (Instead(Reply(201, b'{"status": "queued"}'), taken=True), Unknown, "no_sid"),
    "201 with another sid": (Instead(Reply(201, b'{"sid": 17}'), taken=True), Unknown, "no_sid"),
    "201 with a list": (Instead(Reply(201, b"[]"), taken=True), Unknown, "no_sid"),
    "201 that is no text": (Instead(Reply(201, b"\xff"), taken=True), Unknown, "no_sid"),
    "202 without a sid": (Instead(Reply(202, b"{}"), taken=True), Unknown, "no_sid"),
    "200 with a page": (NONSENSE, Unknown, "no_sid"),
}
"""What a message or a call fails with when Twilio answers like this: the exception, and the attempt's code."""

IN_DOUBT = [name for name, (_, meaning, _) in FAULTS.items() if meaning is Unknown]


def settings(base_url: str, **changes: Any) -> Settings:
    """An installation that sends to the stand-in at `base_url`."""
    chosen = {
        "twilio_base_url": base_url,
        "twilio_lookups_base_url": base_url,
        "twilio_account_sid": ACCOUNT_SID,
        "twilio_auth_token": SecretStr(AUTH_TOKEN),
        "twilio_from": FROM,
        "public_url": "https://reset.hosting.example",
    }
    return Settings(**{**chosen, **changes})


def is_taken(fault: Fault) -> bool:
    """Whether Twilio takes the request that meets this fault."""
    return bool(getattr(fault, "taken", False)) or isinstance(fault, CloseTaken | Truncated)
