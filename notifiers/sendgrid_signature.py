"""SendGrid's signature on what it posts: ECDSA over the time in a header and the raw body.

The event webhook and the security policy of Inbound Parse sign alike, each with a key of its own:
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/securing-your-parse-webhooks.
"""

import base64

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from notifiers.receipts import Unsigned

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"


def verify(key: str, setting: str, body: bytes, signature: str | None, timestamp: str | None) -> None:
    """Raises `Unsigned` unless the owner of `key`, which the variable `setting` holds, has signed the body."""
    public = _public(key, setting)
    if not signature or not timestamp:
        raise Unsigned("no signature of SendGrid's")
    try:
        public.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise Unsigned(f"a wrong signature for SendGrid; compare {setting}") from None


def _public(key: str, setting: str) -> EllipticCurvePublicKey:
    if not key:
        raise Unsigned(f"{setting} is not set")
    try:
        public = load_der_public_key(base64.b64decode(key))
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, EllipticCurvePublicKey):
        raise Unsigned(f"{setting} is no verification key")
    return public
