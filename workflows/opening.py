"""Opening a case: one open case an account, the contact point pinned, the code and the notices queued."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from models.base import new_id
from models.cases import IS_OPEN, Actor, AskedThrough, CaseState, HeldFor, ResetCase
from policy.routing import NotAllowed, route
from policy.vocabulary import Channel, MessageKind
from workflows import codes
from workflows.accounts import LockedAccount, account_id_of, lock_account
from workflows.cases import Case, insert_case, locked
from workflows.history import NO_LINE
from workflows.installation import Installation
from workflows.machine import expire_if_due
from workflows.references import new_reference

_OPEN_CASE = select(ResetCase.id).where(ResetCase.account_id == bindparam("account_id"), IS_OPEN)


class ResetsDisabled(Exception):
    """Too many wrong tries in a row have disabled resets for this account. A supervisor has to lift that."""

    def __init__(self) -> None:
        super().__init__("resets are disabled for this account until a supervisor lifts that")


def has_open_case(connection: Connection, account_id: UUID) -> bool:
    """Whether a case of the account is open."""
    return open_case_of(connection, account_id) is not None


def open_case_of(connection: Connection, account_id: UUID) -> UUID | None:
    """The account's open case."""
    return connection.execute(_OPEN_CASE, {"account_id": account_id}).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Opened:
    """The account's open case; `joined` where it was open already. Ring for `owed` after the commit."""

    case_id: UUID
    reference: str
    joined: bool
    held_for: HeldFor | None
    owed: tuple[UUID, ...]


def open_case(installation: Installation, ref: str, *, actor: Actor, now: datetime) -> Opened:
    """Opens a case for the account `ref`, or joins the open one. Raises `UnknownAccount` or `ResetsDisabled`."""
    with installation.database.begin() as connection:
        account_id = account_id_of(connection, ref)
        return open_within(installation, connection, account_id, AskedThrough.SUPPORT, actor=actor, now=now)


def open_within(
    installation: Installation,
    connection: Connection,
    account_id: UUID,
    through: AskedThrough,
    *,
    actor: Actor,
    now: datetime,
) -> Opened:
    """The same, within the transaction of whoever asks."""
    account = lock_account(connection, account_id)
    if account.resets_disabled_at is not None:
        raise ResetsDisabled
    found = open_case_of(connection, account_id)
    joined = found and _join(installation, connection, found, through, actor, now)
    return joined or _open(installation, connection, account, through, actor, now)


def _join(
    installation: Installation,
    connection: Connection,
    case_id: UUID,
    through: AskedThrough,
    actor: Actor,
    now: datetime,
) -> Opened | None:
    """The open case; None where its time was over, which closes it and makes room for another."""
    with locked(installation, connection, case_id) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return None
        case.record("asked_again", actor=actor, now=now, through=through)
    return Opened(case.id, case.reference, joined=True, held_for=case.held_for, owed=case.owed)


def _open(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    through: AskedThrough,
    actor: Actor,
    now: datetime,
) -> Opened:
    case = _new_case(installation, connection, account, through, now)
    try:
        way = route(installation.policy, account.profile(connection))
    except NotAllowed as reason:
        case.held_for = HeldFor.NO_USABLE_CONTACT
        case.record("open", actor=actor, now=now, held_for=case.held_for, why=str(reason), through=through)
    else:
        least_hold = max(way.least_hold, _hold_after_change(installation, account, now))
        case.least_hold_seconds = int(least_hold.total_seconds())
        codes.send_first(case, way.channel, way.contact, now)
        case.record("open", actor=actor, now=now, channel=way.channel, why=way.why, through=through)
    case.owe_notices(MessageKind.NOTICE_OPENED, now)
    insert_case(case)
    return Opened(case.id, case.reference, joined=False, held_for=case.held_for, owed=case.owed)


def _hold_after_change(installation: Installation, account: LockedAccount, now: datetime) -> timedelta:
    """Whoever got into the billing system could have pointed the code at an address of their own."""
    changed_at, hold = account.changed_by_billing_at, installation.policy.holds.changed_by_billing
    return hold if changed_at is not None and now - changed_at < hold else timedelta()


def _new_case(
    installation: Installation, connection: Connection, account: LockedAccount, through: AskedThrough, now: datetime
) -> Case:
    return Case(
        installation,
        connection,
        account,
        id=new_id(),
        reference=new_reference(),
        asked_through=through,
        state=CaseState.REQUESTED,
        channel=None,
        contact_id=None,
        contact_version=None,
        contact_digest=None,
        least_hold_seconds=0,
        held_for=None,
        proof_set=None,
        remark=None,
        hold_until=None,
        wrong_tries=0,
        opened_at=now,
        expires_at=installation.policy.channels[Channel.EMAIL].open_until(now, None),
        closed_at=None,
        seq=0,
        head=NO_LINE,
        proofs={},
    )
