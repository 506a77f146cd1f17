"""Revoking all of an account's authenticators: what a completed reset does."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, update

from models.factors import Authenticator

_REVOKE = (
    update(Authenticator)
    .where(Authenticator.account_id == bindparam("of_account"), Authenticator.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), sealed_secret=None)
)


def revoke_all(connection: Connection, account_id: UUID, now: datetime) -> None:
    """Revokes every authenticator and erases its secret; the rows stay, so that history can name them."""
    connection.execute(_REVOKE, {"of_account": account_id, "now": now})
