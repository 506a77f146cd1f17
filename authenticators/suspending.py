"""Suspending a factor that its customer says was stolen, and restoring what a case suspended."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, update

from models.factors import Authenticator

_SUSPEND = (
    update(Authenticator)
    .where(
        Authenticator.id == bindparam("of"),
        Authenticator.account_id == bindparam("of_account"),
        Authenticator.revoked_at.is_(None),
        Authenticator.suspended_at.is_(None),
    )
    .values(suspended_at=bindparam("now"), suspended_in=bindparam("in_case"))
)
_RESTORE = (
    update(Authenticator)
    .where(Authenticator.suspended_in == bindparam("in_case"))
    .values(suspended_at=None, suspended_in=None)
)


def suspend(connection: Connection, account_id: UUID, authenticator_id: UUID, case_id: UUID, now: datetime) -> bool:
    """From now on it does not sign in; False where the account has no such factor that still counts."""
    key = {"of": authenticator_id, "of_account": account_id, "in_case": case_id, "now": now}
    return connection.execute(_SUSPEND, key).rowcount == 1


def restore_suspended(connection: Connection, case_id: UUID) -> None:
    """Lets all that was suspended in this case sign in again."""
    connection.execute(_RESTORE, {"in_case": case_id})
