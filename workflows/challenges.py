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
from sqlalchemy import Connection, bindparam, insert, select, update

from foundation.keyring import Keyring
from models.base import AnyRow, new_id
from models.cases import Challenge, CodeFor
from policy.routing import Contact
from policy.vocabulary import Channel
from workflows.cases import Case
from workflows.installation import Installation

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
).where(Challenge.used_at.is_(None), Challenge.replaced_at.is_(None))
_CURRENT_OF_CASE = _CURRENT.where(Challenge.case_id == bindparam("case_id"))
_CURRENT_OF_CONTACT = _CURRENT.where(
    Challenge.contact_id == bindparam("contact_id"), Challenge.code_for == bindparam("code_for")
)
_COUNT_TRY = update(Challenge).where(Challenge.id == bindparam("challenge_id")).values(tries=Challenge.tries + 1)
_REPLACE = (
    update(Challenge)
    .where(
        Challenge.contact_id == bindparam("of_contact"),
        Challenge.code_for == bindparam("for"),
        Challenge.used_at.is_(None),
        Challenge.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("now"))
)
_WITHDRAW = (
    update(Challenge)
    .where(Challenge.id == bindparam("challenge_id"), Challenge.used_at.is_(None), Challenge.replaced_at.is_(None))
    .values(replaced_at=bindparam("now"))
)
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
    """A current challenge."""

    id: UUID
    secret: Secret
    tries: int
    created_at: datetime
    taken_at: datetime | None
    expires_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether its code counts now: a worker took it to be sent, and its life is not over."""
        return self.expires_at is not None and now < self.expires_at

    def can_be_repeated(self, most_tries: int, now: datetime) -> bool:
        """Whether another send brings this code: it has tries left, and was not taken yet or is still valid.

        What was never taken has no expiry that counts.
        """
        return self.tries < most_tries and (self.taken_at is None or self.is_valid(now))


def issue(case: Case, now: datetime) -> UUID:
    """Puts a new challenge on what the case will save, and answers with its id."""
    assert case.channel is not None  # noqa: S101 - a case without a channel is held and sends nothing
    row = _new_row(case.installation, case.channel, now) | {"case_id": case.id}
    case.challenges.append(row)
    return UUID(str(row["id"]))


def issue_for_contact(
    installation: Installation, connection: Connection, contact: Contact, channel: Channel, use: CodeFor, now: datetime
) -> UUID:
    """Writes a new challenge for a contact point in the place of the current one, and answers with its id."""
    connection.execute(_REPLACE, {"of_contact": contact.id, "for": use, "now": now})
    row = _new_row(installation, channel, now) | {"contact_id": contact.id, "code_for": use}
    connection.execute(insert(Challenge), row)
    return UUID(str(row["id"]))


def _new_row(installation: Installation, channel: Channel, now: datetime) -> dict[str, object]:
    challenge_id = new_id()
    secret = secrets.token_bytes(_SECRET_BYTES)
    return {
        "id": challenge_id,
        "sealed_secret": installation.keyring.seal(secret, purpose=_PURPOSE, row=challenge_id),
        "digits": installation.policy.channels[channel].digits,
        "tries": 0,
        "created_at": now,
    }


def current(case: Case) -> Issued | None:
    """The case's challenge that is neither used nor replaced, read after the case was locked."""
    row = case.connection.execute(_CURRENT_OF_CASE, {"case_id": case.id}).one_or_none()
    return None if row is None else _issued(case.installation, row)


def current_of_contact(
    installation: Installation, connection: Connection, contact_id: UUID, use: CodeFor
) -> Issued | None:
    """The contact point's challenge that is neither used nor replaced, read after its account was locked."""
    row = connection.execute(_CURRENT_OF_CONTACT, {"contact_id": contact_id, "code_for": use}).one_or_none()
    return None if row is None else _issued(installation, row)


def _issued(installation: Installation, row: AnyRow) -> Issued:
    secret = unseal(installation.keyring, row.id, row.sealed_secret, row.digits)
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


def withdraw(connection: Connection, challenge_id: UUID, now: datetime) -> bool:
    """Ends the code; False where it was used or replaced before."""
    return connection.execute(_WITHDRAW, {"challenge_id": challenge_id, "now": now}).rowcount == 1
