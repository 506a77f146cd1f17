"""Revoking authenticators: one, or all of an account's, which is what a completed reset does."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select, update

from models.factors import Authenticator, RecoveryCode, SecurityKey

_REVOKE_ALL = (
    update(Authenticator)
    .where(Authenticator.account_id == bindparam("of_account"), Authenticator.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), sealed_secret=None)
)
_REVOKE = _REVOKE_ALL.where(Authenticator.id == bindparam("of"))
_REVOKED = select(Authenticator.id).where(
    Authenticator.account_id == bindparam("of_account"), Authenticator.revoked_at.is_not(None)
)
_ERASE = tuple(delete(kind).where(kind.authenticator_id.in_(_REVOKED)) for kind in (RecoveryCode, SecurityKey))


def revoke_all(connection: Connection, account_id: UUID, now: datetime) -> None:
    """Revokes every authenticator and erases its secret; the rows stay, so that history can name them."""
    connection.execute(_REVOKE_ALL, {"of_account": account_id, "now": now})
    _erase(connection, account_id)


def revoke(connection: Connection, account_id: UUID, authenticator_id: UUID, now: datetime) -> bool:
    """Revokes this one; False where the account has no such authenticator that still counts."""
    key = {"of": authenticator_id, "of_account": account_id, "now": now}
    revoked = connection.execute(_REVOKE, key).rowcount == 1
    _erase(connection, account_id)
    return revoked


def _erase(connection: Connection, account_id: UUID) -> None:
    # A security key's id is unique: without its row the same key can be registered again.
    for statement in _ERASE:
        connection.execute(statement, {"of_account": account_id})
