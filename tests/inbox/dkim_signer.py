"""A domain that signs its mails (DKIM): with any tags it likes, by dkimpy."""

import base64
import hashlib
from dataclasses import dataclass

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import CanonicalizationPolicy
from dkim.crypto import parse_pem_private_key


@dataclass(frozen=True)
class Signer:
    """A key in PEM (PKCS #1)."""

    pem: bytes

    @classmethod
    def new(cls, bits: int = 2048) -> "Signer":
        key = rsa.generate_private_key(65537, bits)
        return cls(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))

    @property
    def record(self) -> bytes:
        """What stands in DNS."""
        key = load_pem_private_key(self.pem, None, unsafe_skip_rsa_key_validation=True).public_key()
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    def signed(self, raw: bytes, *, omit: bytes = b"", **tags: bytes) -> bytes:
        """Put a signature on top of `raw`; `tags` replace its own and come besides, and `omit` is left out of it."""
        mail = dkim.DKIM(raw)
        said = {"v": b"1", "a": b"rsa-sha256", "c": b"relaxed/relaxed", "d": b"bank.example", "s": b"key"} | tags
        policy = CanonicalizationPolicy.from_c_value(said["c"])
        body = policy.canonicalize_body(mail.body)[: int(said.get("l", b"-1")) + 1 or None]
        said.setdefault("h", b"From:To:Subject:Date")
        said.setdefault("bh", base64.b64encode(hashlib.sha256(body).digest()))
        fields = [(name.encode(), value) for name, value in said.items() if name.encode() != omit]
        headers = [name.strip().lower() for name in said["h"].split(b":")]
        mail.hasher = hashlib.sha256
        value = mail.gen_header(
            [*fields, (b"b", b"0" * 60)], headers, policy, b"DKIM-Signature", parse_pem_private_key(self.pem)
        )
        return b"DKIM-Signature: " + bytes(value) + raw
