"""Signs what vendors send to the web as each of them documents it, written out here independently of their SDKs.

Twilio: https://www.twilio.com/docs/usage/security#validating-requests. SendGrid:
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
Lob: https://help.lob.com/print-and-mail/getting-data-and-results/using-webhooks. Each function answers with headers.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def twilio(token: str, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """The header over the URL as Twilio was given it and the fields, sorted by name, with nothing in between."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


@dataclass(frozen=True, slots=True)
class SendGridKey:
    """The pair of keys of one signed event webhook."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def setting(self) -> str:
        """The verification key as SendGrid shows it."""
        public = self.private.public_key()
        return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def headers(self, body: bytes, at: datetime) -> dict[str, str]:
        """The headers over the time in seconds and the raw bytes."""
        timestamp = str(int(at.timestamp()))
        signature = self.private.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


def lob(secret: str, body: bytes, at: datetime, *, unit: int = 1000) -> dict[str, str]:
    """The headers over the time, in `unit` parts of a second, and the raw bytes, with a point in between."""
    timestamp = str(int(at.timestamp() * unit))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Lob-Signature": signature, "Lob-Signature-Timestamp": timestamp}
