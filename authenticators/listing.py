"""An account's authenticators as people may see them: kind, name and dates, never a secret."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from models.factors import Authenticator, AuthenticatorKind

_OF_ACCOUNT = (
    select(
        Authenticator.id,
        Authenticator.kind,
        Authenticator.label,
        Authenticator.created_at,
        Authenticator.last_used_at,
        Authenticator.suspended_at,
        Authenticator.revoked_at,
    )
    .where(Authenticator.account_id == bindparam("account_id"))
    .order_by(Authenticator.created_at, Authenticator.id)
)


@dataclass(frozen=True, slots=True)
class Listed:
    """An authenticator, also one that was revoked."""

    id: UUID
    kind: AuthenticatorKind
    label: str
    created_at: datetime
    last_used_at: datetime | None
    suspended_at: datetime | None
    revoked_at: datetime | None


def listed(connection: Connection, account_id: UUID) -> tuple[Listed, ...]:
    """All that the account has or had, the oldest first."""
    return tuple(Listed(*row) for row in connection.execute(_OF_ACCOUNT, {"account_id": account_id}))


def current(connection: Connection, account_id: UUID) -> tuple[Listed, ...]:
    """Those that count, and those that are suspended."""
    return tuple(each for each in listed(connection, account_id) if each.revoked_at is None)
