"""A security key in software (WebAuthn L3 §6): what its browser answers when it is asked to register or to sign in.

Every part of an answer that a check looks at can be set, so that a test can spoil one alone.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

RP_ID = "hosting.example"
ORIGIN = "https://reset.hosting.example"

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40

Answer = dict[str, Any]


@dataclass
class SoftwareKey:
    """One credential (ES256). `counter` is the value of its next answer; a key with `counts=False` leaves it."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    flags: int = PRESENT | VERIFIED
    counter: int = 1
    counts: bool = True
    client: dict[str, object] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def registration(self, options: str) -> Answer:
        """The answer to `navigator.credentials.create()`."""
        cose = self.public_key()
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        parts = {"attestationObject": bytes_to_base64url(cbor2.dumps(statement)), "transports": ["usb", "nfc"]}
        return self._answer("webauthn.create", options, parts)

    def assertion(self, options: str, *, user_handle: bytes | None = None) -> Answer:
        """The answer to `navigator.credentials.get()`."""
        data = self._data()
        client = self._client("webauthn.get", options)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"authenticatorData": bytes_to_base64url(data), "signature": bytes_to_base64url(signature)}
        if user_handle is not None:
            parts["userHandle"] = bytes_to_base64url(user_handle)
        return self._answer("webauthn.get", options, parts)

    def public_key(self) -> bytes:
        """As COSE has it (RFC 9053 §7.1.1)."""
        numbers = self.private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _data(self, more_flags: int = 0) -> bytes:
        counter = self.counter
        self.counter += self.counts
        rp_id_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_id_hash + bytes([self.flags | more_flags]) + counter.to_bytes(4, "big")

    def _client(self, ceremony: str, options: str) -> bytes:
        said = {"type": ceremony, "challenge": json.loads(options)["challenge"], "origin": self.origin}
        return json.dumps(said | {"crossOrigin": False} | self.client).encode()

    def _answer(self, ceremony: str, options: str, parts: Mapping[str, object]) -> Answer:
        name = bytes_to_base64url(self.credential_id)
        client = bytes_to_base64url(self._client(ceremony, options))
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": client, **parts},
        }


def challenge_of(options: str) -> bytes:
    """What the key is to sign."""
    return base64url_to_bytes(json.loads(options)["challenge"])
