"""Issued codes: a random secret, sealed at rest, from which the code and the link's token are derived.

The code is HOTP (RFC 4226) over a secret of 160 bits, used once; the token is 128 bits of an HMAC of the same secret.
Both are derived only where they are sent and where they are compared.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import Connection, bindparam, select, update

from foundation.keyring import Keyring
from models.base import new_id
from models.cases import Challenge
from workflows.cases import Case

_PURPOSE = "challenge"
_SECRET_BYTES = 20
_TOKEN_BYTES = 16

_CURRENT = select(
    Challenge.id,
    Challenge.sealed_secret,
    Challenge.digits,
    Challenge.tries,
    Challenge.created_at,
    Challenge.taken_at,
    Challenge.expires_at,
).where(Challenge.case_id == bindparam("case_id"), Challenge.used_at.is_(None), Challenge.replaced_at.is_(None))
_COUNT_TRY = update(Challenge).where(Challenge.id == bindparam("challenge_id")).values(tries=Challenge.tries + 1)
_USE = update(Challenge).where(Challenge.id == bindparam("challenge_id")).values(used_at=bindparam("now"))


@dataclass(frozen=True, slots=True)
class Secret:
    """What a code and a token are derived from."""

    _bytes: bytes = field(repr=False)
    digits: int

    def code(self) -> str:
        """The code, `digits` decimal digits."""
        return pyotp.HOTP(base64.b32encode(self._bytes).decode(), digits=self.digits).at(0)

    def token(self) -> str:
        """The link's token, 22 characters of URL-safe base 64."""
        tag = hmac.digest(self._bytes, b"link token", "sha256")[:_TOKEN_BYTES]
        return base64.urlsafe_b64encode(tag).decode().rstrip("=")

    def is_code(self, typed: str) -> bool:
        """Whether this is the code; in constant time."""
        return hmac.compare_digest(typed.encode(), self.code().encode())

    def is_token(self, shown: str) -> bool:
        """Whether this is the token; in constant time."""
        return hmac.compare_digest(shown.encode(), self.token().encode())


@dataclass(frozen=True, slots=True)
class Issued:
    """A case's current challenge."""

    id: UUID
    secret: Secret
    tries: int
    created_at: datetime
    taken_at: datetime | None
    expires_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether its code counts now: a worker took it to be sent, and its life is not over."""
        return self.expires_at is not None and now < self.expires_at


def issue(case: Case, now: datetime) -> UUID:
    """Puts a new challenge on what the case will save, and answers with its id."""
    assert case.channel is not None  # noqa: S101 - a case without a channel is held and sends nothing
    challenge_id = new_id()
    secret = secrets.token_bytes(_SECRET_BYTES)
    case.challenges.append(
        {
            "id": challenge_id,
            "case_id": case.id,
            "sealed_secret": case.installation.keyring.seal(secret, purpose=_PURPOSE, row=challenge_id),
            "digits": case.installation.policy.channels[case.channel].digits,
            "tries": 0,
            "created_at": now,
        }
    )
    return challenge_id


def current(case: Case) -> Issued | None:
    """The case's challenge that is neither used nor replaced, read after the case was locked."""
    row = case.connection.execute(_CURRENT, {"case_id": case.id}).one_or_none()
    if row is None:
        return None
    secret = unseal(case.installation.keyring, row.id, row.sealed_secret, row.digits)
    return Issued(row.id, secret, row.tries, row.created_at, row.taken_at, row.expires_at)


def unseal(keyring: Keyring, challenge_id: UUID, sealed: str, digits: int) -> Secret:
    """The secret of a challenge's row. Raises `CannotOpen` or `WrongPlace`."""
    return Secret(keyring.open(sealed, purpose=_PURPOSE, row=challenge_id), digits)


def count_try(connection: Connection, challenge: Issued) -> None:
    """Counts one wrong try of this code."""
    connection.execute(_COUNT_TRY, {"challenge_id": challenge.id})


def use(connection: Connection, challenge: Issued, now: datetime) -> None:
    """Marks the code as used: it never counts again."""
    connection.execute(_USE, {"challenge_id": challenge.id, "now": now})
