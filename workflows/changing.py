"""Who may change an account from the settings pages, and when: the one gate before every change."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from models.access import SessionKind
from models.accounts import AccountStatus
from workflows import granting, portal
from workflows.accounts import LockedAccount, lock_account
from workflows.installation import Installation
from workflows.opening import has_open_case
from workflows.portal import Visit
from workflows.sign_in import has_factor


class Obstacle(StrEnum):
    """Why nothing can be changed now."""

    FACTOR_NEEDED = "factor_needed"
    FROZEN = "frozen"
    ENROLMENT_REQUIRED = "enrolment_required"
    ENROLMENT_OVER = "enrolment_over"
    ENROLMENT_ONLY = "enrolment_only"


class NotNow(Exception):
    """The change is not allowed now. `obstacle` says what to do first."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(f"not now: {obstacle}")
        self.obstacle = obstacle


def check_settings(installation: Installation, visit: Visit, now: datetime) -> None:
    """Before a form is shown: whether contact points, preference and passphrase may be changed. Raises `NotNow`."""
    with installation.database.begin() as connection:
        lock_for_settings(installation, connection, visit, now)


def check_factors(installation: Installation, visit: Visit, now: datetime) -> None:
    """The same, for adding a factor."""
    with installation.database.begin() as connection:
        lock_for_factors(installation, connection, visit, now)


def lock_for_settings(installation: Installation, connection: Connection, visit: Visit, now: datetime) -> LockedAccount:
    """The account, locked, if contact points, preference and passphrase may be changed. Raises `NotNow`."""
    account = lock_for_factors(installation, connection, visit, now)
    if visit.kind is SessionKind.ENROLMENT:
        raise NotNow(Obstacle.ENROLMENT_ONLY)
    if has_open_case(connection, account.id):
        raise NotNow(Obstacle.FROZEN)
    return account


def lock_for_factors(installation: Installation, connection: Connection, visit: Visit, now: datetime) -> LockedAccount:
    """The account, locked, if a factor may be added. Raises `NotNow`.

    After a reset the first one takes what the reset grants. Otherwise, if there is a factor, one was shown a short
    while ago, or enrolled.
    """
    account = lock_account(connection, visit.account_id)
    if account.status is AccountStatus.ENROLMENT_PENDING:
        _require_grant(connection, visit, now)
        return account
    # Read again now: the factor may have been reported as stolen since the visit was looked up.
    fresh = is_fresh(installation, portal.factor_at(connection, visit.id), now)
    if visit.kind is SessionKind.ENROLMENT and not fresh:
        raise NotNow(Obstacle.ENROLMENT_OVER)
    if has_factor(connection, account.id) and not fresh:
        raise NotNow(Obstacle.FACTOR_NEEDED)
    return account


def is_fresh(installation: Installation, factor_at: datetime | None, now: datetime) -> bool:
    """Whether a second factor was shown a short while ago."""
    return factor_at is not None and now - factor_at < installation.policy.sign_in.factor_fresh_for


def _require_grant(connection: Connection, visit: Visit, now: datetime) -> None:
    if visit.kind is not SessionKind.ENROLMENT or visit.case_id is None:
        raise NotNow(Obstacle.ENROLMENT_REQUIRED)
    grant = granting.of_case(connection, visit.case_id)
    if grant is None or grant.used_at is not None or now >= grant.ends_at:
        raise NotNow(Obstacle.ENROLMENT_OVER)
