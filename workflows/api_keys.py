"""Keys of the REST API: shown once, kept as digests, revoked by name."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, or_, select, update

from models.access import ApiKey
from models.base import new_id
from workflows.installation import Installation

PREFIX = "keyturn_"
"""What every key begins with, so that a scanner of secrets knows one."""

_KEY_BYTES = 32
# A write a request would be a high price for knowing the second.
_USE_NOTED_EVERY = timedelta(minutes=1)

_KEYS = select(ApiKey.name, ApiKey.created_at, ApiKey.last_used_at, ApiKey.revoked_at).order_by(ApiKey.created_at)
_FIND = select(ApiKey.id, ApiKey.name, ApiKey.last_used_at).where(
    ApiKey.digest == bindparam("digest"), ApiKey.revoked_at.is_(None)
)
_NOTE_USE = (
    update(ApiKey)
    .where(ApiKey.id == bindparam("of"), or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < bindparam("now")))
    .values(last_used_at=bindparam("now"))
)
_BY_NAME = select(ApiKey.id).where(ApiKey.name == bindparam("name"), ApiKey.revoked_at.is_(None))
_REVOKE = (
    update(ApiKey)
    .where(ApiKey.name == bindparam("of"), ApiKey.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


class NameTaken(Exception):
    """A key with this name works already. Take another name, or revoke that one first."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a key named {name} works already")


class UnknownKey(Exception):
    """No key with this name works. `keyturn api-key list` names them."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no key named {name} works")


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key in a list, by what its operator calls it."""

    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def add(installation: Installation, name: str, now: datetime) -> str:
    """A new key, which nothing can show again. Raises `NameTaken`."""
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    with installation.database.begin() as connection:
        if connection.execute(_BY_NAME, {"name": name}).first() is not None:
            raise NameTaken(name)
        row = {"id": new_id(), "name": name, "digest": _digest(key), "created_at": now}
        connection.execute(insert(ApiKey), row)
    return key


def keys(installation: Installation) -> Sequence[KeyLine]:
    """All keys, the oldest first, revoked ones too."""
    with installation.database.read() as connection:
        return [KeyLine(*row) for row in connection.execute(_KEYS)]


def revoke(installation: Installation, name: str, now: datetime) -> None:
    """The key works no longer. Raises `UnknownKey`."""
    with installation.database.begin() as connection:
        if connection.execute(_REVOKE, {"of": name, "now": now}).rowcount == 0:
            raise UnknownKey(name)


def name_of(installation: Installation, shown: str, now: datetime) -> str | None:
    """The name of the key that was shown; None where it does not work."""
    with installation.database.read() as connection:
        row = connection.execute(_FIND, {"digest": _digest(shown)}).one_or_none()
    if row is None:
        return None
    if row.last_used_at is None or now - row.last_used_at > _USE_NOTED_EVERY:
        with installation.database.begin() as connection:
            connection.execute(_NOTE_USE, {"of": row.id, "now": now})
    return str(row.name)


def _digest(key: str) -> bytes:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(key.encode()).digest()
