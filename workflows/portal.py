"""Visits to the settings pages: the one-time link that leads there, and the cookie that it turns into.

The billing system makes the link after it has signed the customer in. Tokens are stored as digests only.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from models.access import PortalSession, SessionKind
from models.accounts import Account
from models.base import AnyRow, new_id
from models.cases import Actor
from workflows import account_history
from workflows.accounts import account_id_of
from workflows.installation import Installation

_TOKEN_BYTES = 32

_ENTER = (
    update(PortalSession)
    .where(
        PortalSession.link_digest == bindparam("digest"),
        PortalSession.entered_at.is_(None),
        PortalSession.link_until > bindparam("now"),
    )
    .values(entered_at=bindparam("now"), cookie_digest=bindparam("cookie"), ends_at=bindparam("end"))
    .returning(PortalSession.account_id)
)
_WORKS = select(PortalSession.id).where(
    PortalSession.link_digest == bindparam("digest"),
    PortalSession.entered_at.is_(None),
    PortalSession.link_until > bindparam("now"),
)
_VISIT = (
    select(
        PortalSession.id,
        PortalSession.account_id,
        Account.ref,
        PortalSession.kind,
        PortalSession.case_id,
        PortalSession.ends_at,
        PortalSession.factor_at,
    )
    .join(Account, Account.id == PortalSession.account_id)
    .where(PortalSession.cookie_digest == bindparam("digest"), PortalSession.ends_at > bindparam("now"))
)
_SHOW_FACTOR = update(PortalSession).where(PortalSession.id == bindparam("of")).values(factor_at=bindparam("now"))
_FACTOR_AT = select(PortalSession.factor_at).where(PortalSession.id == bindparam("id"))
_FORGET_FACTORS = (
    update(PortalSession).where(PortalSession.account_id == bindparam("of_account")).values(factor_at=None)
)
_LEAVE = update(PortalSession).where(PortalSession.id == bindparam("of")).values(ends_at=bindparam("now"))


@dataclass(frozen=True, slots=True)
class Link:
    """The address of a one-time link to the settings pages, and until when it works."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer who is at the settings pages. `factor_at` is when a second factor was last shown in this visit.

    In a visit of the kind `enrolment` nothing but new factors can be set up, which the reset `case_id` grants.
    """

    id: UUID
    account_id: UUID
    ref: str
    kind: SessionKind
    case_id: UUID | None
    ends_at: datetime
    factor_at: datetime | None


def make_link(installation: Installation, ref: str, now: datetime) -> Link:
    """A link for a customer whom the billing system has just signed in. Raises `UnknownAccount`."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    until = now + installation.policy.sign_in.link_valid
    with installation.database.begin() as connection:
        account_id = account_id_of(connection, ref)
        row = {"link_digest": _digest(token), "link_until": until}
        connection.execute(insert(PortalSession), _new(account_id, SessionKind.PORTAL, now) | row)
        account_history.record(connection, account_id, "portal_link_made", actor=Actor.BILLING, now=now)
    return Link(f"{installation.settings.public_url}/settings/enter/{token}", until)


def link_works(installation: Installation, token: str, now: datetime) -> bool:
    """Whether the link could still be used; looking at it uses nothing."""
    with installation.database.read() as connection:
        return connection.execute(_WORKS, {"digest": _digest(token), "now": now}).first() is not None


def enter(installation: Installation, token: str, now: datetime) -> str | None:
    """The cookie of the visit that the link begins; None where it was used, is too old, or none of ours."""
    cookie = secrets.token_urlsafe(_TOKEN_BYTES)
    key = {"digest": _digest(token), "cookie": _digest(cookie), "now": now}
    end = now + installation.policy.sign_in.session_valid
    with installation.database.begin() as connection:
        entered = connection.execute(_ENTER, key | {"end": end}).scalar_one_or_none()
        if entered is None:
            return None
        account_history.record(connection, entered, "portal_entered", actor=Actor.CUSTOMER, now=now)
    return cookie


def begin_enrolment(
    installation: Installation, connection: Connection, account_id: UUID, case_id: UUID, now: datetime
) -> str:
    """The cookie of a visit in which the reset's customer enrols a new factor."""
    cookie = secrets.token_urlsafe(_TOKEN_BYTES)
    end = now + installation.policy.sign_in.session_valid
    row = {"case_id": case_id, "cookie_digest": _digest(cookie), "entered_at": now, "ends_at": end}
    connection.execute(insert(PortalSession), _new(account_id, SessionKind.ENROLMENT, now) | row)
    return cookie


def visit_of(installation: Installation, cookie: str, now: datetime) -> Visit | None:
    """The visit whose cookie this is; None where it is over, or none of ours."""
    with installation.database.read() as connection:
        row: AnyRow | None = connection.execute(_VISIT, {"digest": _digest(cookie), "now": now}).one_or_none()
    return None if row is None else Visit(*row)


def note_factor(connection: Connection, visit_id: UUID, now: datetime) -> None:
    """A second factor was shown in this visit."""
    connection.execute(_SHOW_FACTOR, {"of": visit_id, "now": now})


def factor_at(connection: Connection, visit_id: UUID) -> datetime | None:
    """When a second factor was last shown in this visit, as it stands now that its account is locked."""
    return connection.execute(_FACTOR_AT, {"id": visit_id}).scalar_one_or_none()


def forget_factors(connection: Connection, account_id: UUID) -> None:
    """What was shown in visits of the account counts no longer: it may have been stolen."""
    connection.execute(_FORGET_FACTORS, {"of_account": account_id})


def leave(installation: Installation, visit: Visit, now: datetime) -> None:
    """Ends the visit."""
    with installation.database.begin() as connection:
        connection.execute(_LEAVE, {"of": visit.id, "now": now})


def _new(account_id: UUID, kind: SessionKind, now: datetime) -> dict[str, object]:
    return {"id": new_id(), "account_id": account_id, "kind": kind, "created_at": now}


def _digest(token: str) -> bytes:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(token.encode()).digest()
