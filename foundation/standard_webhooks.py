"""Signatures of webhooks as Standard Webhooks has them: HMAC-SHA-256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(minutes=5)
"""Between the time in the header and ours."""

_ID = re.compile(r"[!-~]{1,200}")
_SECRET = re.compile(r"(?:whsec_)?([A-Za-z0-9+/]{32,}={0,2})")


class BadSignature(Exception):
    """A request that its sender has not signed, or not lately. Its text says what to compare."""


def is_secret(text: str) -> bool:
    """Whether this is a secret that can sign: 24 bytes or more in base 64, with or without `whsec_` in front."""
    return _SECRET.fullmatch(text) is not None


def verified_id(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str:
    """The id of the request, the same for each time it is sent. Raises `BadSignature`."""
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(id_) or not re.fullmatch(r"[0-9]{10}", timestamp):
        raise BadSignature("webhook-id or webhook-timestamp is missing or malformed")
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        raise BadSignature("webhook-timestamp is more than five minutes away")
    right = signature(id_, int(timestamp), body, secret)
    shown = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(each.encode(), right.encode()) for each in shown):
        raise BadSignature("webhook-signature is wrong; compare the secret")
    return id_


def signature(id_: str, timestamp: int, body: bytes, secret: str) -> str:
    """One signature as `webhook-signature` holds them, which are separated by blanks; `timestamp` in seconds."""
    found = _SECRET.fullmatch(secret)
    if not found:
        raise BadSignature("the secret is none")
    key = base64.b64decode(found[1].rstrip("=") + "==")
    digest = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
