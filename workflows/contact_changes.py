"""A new 2-Factor Auth Email, phone or postal address: entered, confirmed by a code that was sent there, then current.

Until the code comes back the old one counts, and nothing but that code goes to the new one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update

from authenticators import sms
from models.accounts import Account, ContactPoint
from models.base import AnyRow, new_id
from models.cases import Actor, CodeFor
from policy.permits import Destination
from policy.routing import CONTACT_FOR_PREFERENCE, Contact, NotAllowed, check_reachable
from policy.vocabulary import Change, Channel, ContactKind
from workflows import account_codes, account_history
from workflows.account_codes import Checked
from workflows.accounts import LockedAccount, destination_of, masked, value_of
from workflows.changing import lock_for_settings
from workflows.installation import Installation
from workflows.portal import Visit
from workflows.telling import tell_change

CHANGE = MappingProxyType(
    {
        ContactKind.TWO_FACTOR_EMAIL: Change.TWO_FACTOR_EMAIL,
        ContactKind.PHONE: Change.PHONE,
        ContactKind.POSTAL_ADDRESS: Change.POSTAL_ADDRESS,
    }
)
"""What a customer may change here. The primary address is the billing system's."""
CHANNELS = MappingProxyType(
    {
        ContactKind.TWO_FACTOR_EMAIL: (Channel.EMAIL,),
        ContactKind.PHONE: (Channel.SMS, Channel.VOICE),
        ContactKind.POSTAL_ADDRESS: (Channel.MAIL,),
    }
)
"""How each can be confirmed; the first one unless the customer says otherwise."""

_SLACK = timedelta(days=1)
"""Beyond the code's life: a letter starts it only when it leaves."""

_NEWEST = select(func.max(ContactPoint.version)).where(
    ContactPoint.account_id == bindparam("account_id"), ContactPoint.kind == bindparam("kind")
)
_PROPOSAL = select(
    ContactPoint.id,
    ContactPoint.kind,
    ContactPoint.version,
    ContactPoint.value,
    ContactPoint.verified_at,
    ContactPoint.finding,
).where(
    ContactPoint.account_id == bindparam("account_id"),
    ContactPoint.kind == bindparam("kind"),
    ContactPoint.proposed_until > bindparam("now"),
)
_WITHDRAW = (
    update(ContactPoint)
    .where(
        ContactPoint.account_id == bindparam("of_account"),
        ContactPoint.kind == bindparam("of_kind"),
        ContactPoint.proposed_until.is_not(None),
    )
    .values(proposed_until=None)
)
_REPLACE = (
    update(ContactPoint)
    .where(
        ContactPoint.account_id == bindparam("of_account"),
        ContactPoint.kind == bindparam("of_kind"),
        ContactPoint.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("now"))
)
_CONFIRM = (
    update(ContactPoint)
    .where(ContactPoint.id == bindparam("of"))
    .values(verified_at=bindparam("now"), confirmed_at=bindparam("now"), replaced_at=None, proposed_until=None)
)
_UNSET = (
    update(Account)
    .where(Account.id == bindparam("of"))
    .values(preference=bindparam("first"), backup=bindparam("second"))
)


class NothingProposed(Exception):
    """No new contact point of this kind waits to be confirmed, or it waited too long. Enter it again."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new contact point that waits for its code. Where no code went out now, `next_at` says when one may."""

    kind: ContactKind
    sent_to: str
    next_at: datetime | None
    owed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Whether the code was right. Ring for `owed`."""

    checked: Checked
    owed: tuple[UUID, ...] = ()


def propose(
    installation: Installation,
    visit: Visit,
    kind: ContactKind,
    destination: Destination,
    channel: Channel,
    now: datetime,
) -> Proposal:
    """Keeps the new contact point aside and sends a code there. Raises `NotNow` or `NotAllowed`.

    `destination` is normalised: an address as `foundation.addresses` writes it, a number in E.164.
    """
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        profile = account.profile(connection)
        contact = Contact(new_id(), kind, _next_version(connection, account.id, kind), destination, None)
        _require_differs(account, connection, contact)
        check_reachable(installation.policy, profile, channel, contact)
        _insert(installation, connection, account.id, contact, channel, now)
        return _send(installation, connection, account, contact, channel, now)


def send_again(
    installation: Installation, visit: Visit, kind: ContactKind, channel: Channel, now: datetime
) -> Proposal:
    """Sends the code once more, or over another channel. Raises `NotNow`, `NotAllowed` or `NothingProposed`."""
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        contact = _proposed(connection, account.id, kind, now)
        check_reachable(installation.policy, account.profile(connection), channel, contact)
        return _send(installation, connection, account, contact, channel, now)


def proposal_of(connection: Connection, account_id: UUID, kind: ContactKind, now: datetime) -> Contact | None:
    """The contact point of this kind that waits for its code."""
    row: AnyRow | None = connection.execute(
        _PROPOSAL, {"account_id": account_id, "kind": kind, "now": now}
    ).one_or_none()
    if row is None:
        return None
    return Contact(row.id, row.kind, row.version, destination_of(row.kind, row.value), None, row.finding)


def confirm(installation: Installation, visit: Visit, kind: ContactKind, typed: str, now: datetime) -> Confirmed:
    """The code that was sent there: makes the new contact point the current one.

    Raises `NotNow`, `NothingProposed` or `NotAllowed`.
    """
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        contact = _proposed(connection, account.id, kind, now)
        if kind is ContactKind.PHONE and not _gets_texts(installation, connection, account, contact):
            _require_no_sign_in_codes(connection, account)
        checked = account_codes.check(
            installation, connection, contact.id, CHANNELS[kind][0], CodeFor.CONTACT, typed, now
        )
        if checked.fault:
            return Confirmed(checked)
        return Confirmed(checked, _make_current(installation, connection, account, contact, now))


def remove(installation: Installation, visit: Visit, kind: ContactKind, now: datetime) -> tuple[UUID, ...]:
    """Takes the contact point away, and with it a preference that needs it. Raises `NotNow` or `NotAllowed`."""
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        if account.profile(connection).contact(kind) is None:
            return ()
        if kind is ContactKind.PHONE:
            _require_no_sign_in_codes(connection, account)
        # Told before it is gone, so that it is told too.
        owed = tell_change(installation, connection, account, CHANGE[kind], now)
        key = {"of_account": account.id, "of_kind": kind, "now": now}
        connection.execute(_WITHDRAW, key)
        connection.execute(_REPLACE, key)
        _unset_preferences(connection, account, kind)
        _record(connection, account, "contact_removed", kind, now)
        return owed


def _send(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    contact: Contact,
    channel: Channel,
    now: datetime,
) -> Proposal:
    queued = account_codes.send(installation, connection, account.id, contact, channel, CodeFor.CONTACT, now)
    return Proposal(contact.kind, masked(contact.destination), queued.next_at, queued.owed)


def _insert(
    installation: Installation,
    connection: Connection,
    account_id: UUID,
    contact: Contact,
    channel: Channel,
    now: datetime,
) -> None:
    connection.execute(_WITHDRAW, {"of_account": account_id, "of_kind": contact.kind})
    rules = installation.policy.channels[channel]
    row = {
        "id": contact.id,
        "account_id": account_id,
        "kind": contact.kind,
        "value": value_of(contact.destination),
        "version": contact.version,
        "created_at": now,
        "replaced_at": now,
        "proposed_until": now + rules.leaves_after + rules.validity(contact.state) + _SLACK,
    }
    connection.execute(insert(ContactPoint), row)


def _make_current(
    installation: Installation, connection: Connection, account: LockedAccount, contact: Contact, now: datetime
) -> tuple[UUID, ...]:
    # Told before the old one is replaced: its owner is who has to know.
    owed = tell_change(installation, connection, account, CHANGE[contact.kind], now)
    connection.execute(_REPLACE, {"of_account": account.id, "of_kind": contact.kind, "now": now})
    connection.execute(_CONFIRM, {"of": contact.id, "now": now})
    if contact.kind is ContactKind.PHONE:
        sms.move(connection, account.id, contact.id)
    _record(connection, account, "contact_confirmed", contact.kind, now)
    return owed


def _require_differs(account: LockedAccount, connection: Connection, contact: Contact) -> None:
    current = account.profile(connection).contact(contact.kind)
    primary = account.profile(connection).contact(ContactKind.PRIMARY_EMAIL)
    if contact.kind is ContactKind.TWO_FACTOR_EMAIL and primary and primary.destination == contact.destination:
        raise NotAllowed("The 2-Factor Auth Email must differ from the primary address.")
    if current and current.verified_at and current.destination == contact.destination:
        raise NotAllowed("This is what is set already.")


def _require_no_sign_in_codes(connection: Connection, account: LockedAccount) -> None:
    if sms.enrolled(connection, account.id) is not None:
        raise NotAllowed("Turn off codes by text message first: they go to this phone.")


def _gets_texts(installation: Installation, connection: Connection, account: LockedAccount, contact: Contact) -> bool:
    try:
        check_reachable(installation.policy, account.profile(connection), Channel.SMS, contact)
    except NotAllowed:
        return False
    return True


def _proposed(connection: Connection, account_id: UUID, kind: ContactKind, now: datetime) -> Contact:
    contact = proposal_of(connection, account_id, kind, now)
    if contact is None:
        raise NothingProposed
    return contact


def _next_version(connection: Connection, account_id: UUID, kind: ContactKind) -> int:
    newest: int | None = connection.execute(_NEWEST, {"account_id": account_id, "kind": kind}).scalar_one()
    return (newest or 0) + 1


def _unset_preferences(connection: Connection, account: LockedAccount, kind: ContactKind) -> None:
    first, second = (
        channel if channel and CONTACT_FOR_PREFERENCE[channel] is not kind else None
        for channel in (account.preference, account.backup)
    )
    connection.execute(_UNSET, {"of": account.id, "first": first, "second": second})


def _record(connection: Connection, account: LockedAccount, event: str, kind: ContactKind, now: datetime) -> None:
    account_history.record(connection, account.id, event, actor=Actor.CUSTOMER, now=now, kind=kind)
