"""Accounts from the billing system: every row is checked before any is written, so one bad row imports nothing.

A row creates the account or brings it up to date. While a case is open the account is frozen, and its row is refused.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, insert, select, update

from authenticators import totp
from models.accounts import Account, AccountStatus, ContactPoint
from models.base import AnyRow, new_id
from models.cases import IS_OPEN, Actor, ResetCase
from models.database import wait_for_turn
from policy.routing import Contact, NotAllowed, Profile, check_preference
from policy.vocabulary import Change, ContactKind, Finding
from workflows import account_history
from workflows.accounts import LockedAccount, lock_account, value_of
from workflows.import_rows import AccountRow, GivenContact
from workflows.installation import Installation
from workflows.passphrases import hash_passphrase, passphrase_matches
from workflows.telling import tell_change

_FIND = select(Account.id).where(Account.ref == bindparam("ref")).with_for_update()
_OPEN_CASE = select(ResetCase.reference).where(ResetCase.account_id == bindparam("account_id"), IS_OPEN)
_UPDATE = update(Account).where(Account.id == bindparam("of"))
_CURRENT = select(
    ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.verified_at, ContactPoint.confirmed_at
).where(ContactPoint.account_id == bindparam("account_id"), ContactPoint.replaced_at.is_(None))
_REPLACE = update(ContactPoint).where(ContactPoint.id == bindparam("of")).values(replaced_at=bindparam("now"))
_VERIFY = update(ContactPoint).where(ContactPoint.id == bindparam("of")).values(verified_at=bindparam("at"))
_LAST_VERSION = (
    select(ContactPoint.version)
    .where(ContactPoint.account_id == bindparam("account_id"), ContactPoint.kind == bindparam("kind"))
    .order_by(ContactPoint.version.desc())
    .limit(1)
)


_FOUND = (
    select(Account.ref, ContactPoint.kind, ContactPoint.value, ContactPoint.finding)
    .join(Account, Account.id == ContactPoint.account_id)
    .where(ContactPoint.replaced_at.is_(None), ContactPoint.finding.is_not(None))
)

APP_LABEL = "Authenticator app"
"""What an imported app is called until its customer names it."""

Findings: TypeAlias = Mapping[tuple[str, ContactKind, str], Finding]
"""What a vendor has found out about a current contact point, by its account's ref, kind and stored value."""


class NothingImported(Exception):
    """The import was refused. `faults` names every bad row; mend them and import the file again."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("nothing was imported; mend these rows:\n" + "\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many accounts an import made, and how many it brought up to date. Ring for `owed` after."""

    created: int
    updated: int
    owed: tuple[UUID, ...]


def import_accounts(installation: Installation, rows: Iterable[Mapping[str, object]], now: datetime) -> Imported:
    """Writes all rows, or none. Raises `NothingImported`."""
    accounts = _checked(installation, list(rows), _findings(installation))
    with installation.database.begin() as connection:
        wait_for_turn(connection, "keyturn account import")
        # In one order, so that an import and a case do not wait for each other's rows.
        in_order = sorted(accounts, key=lambda account: account.ref)
        known = {
            account.ref: connection.execute(_FIND, {"ref": account.ref}).scalar_one_or_none() for account in in_order
        }
        if faults := list(_frozen(connection, accounts, known)):
            raise NothingImported(faults)
        owed = tuple(
            message_id
            for account in in_order
            for message_id in _write(installation, connection, account, known[account.ref], now)
        )
    created = sum(id_ is None for id_ in known.values())
    return Imported(created, len(known) - created, owed)


def _findings(installation: Installation) -> Findings:
    with installation.database.read() as connection:
        return {(row.ref, row.kind, row.value): row.finding for row in connection.execute(_FOUND)}


def _checked(installation: Installation, rows: Sequence[Mapping[str, object]], findings: Findings) -> list[AccountRow]:
    accounts: dict[str, AccountRow] = {}
    faults: list[str] = []
    for number, row in enumerate(rows, 1):
        try:
            account = _account(installation, row, accounts, findings)
            accounts[account.ref] = account
        except ValidationError as error:
            faults.extend(f"row {number}: {fault}" for fault in _faults(error))
        except ValueError as fault:
            faults.append(f"row {number}: {fault}")
    if faults:
        raise NothingImported(faults)
    return list(accounts.values())


def _account(
    installation: Installation, row: Mapping[str, object], earlier: Container[str], findings: Findings
) -> AccountRow:
    account = AccountRow.model_validate(
        {str(name): value for name, value in row.items() if value is not None and value != ""}
    )
    if account.ref in earlier:
        raise ValueError("ref: stands in an earlier row too")
    contacts = tuple(_as_contact(account.ref, given, findings) for given in account.contacts())
    profile = Profile(account.country, contacts, account.preference, account.backup, account.postal_state)
    for name, channel in (("preference", account.preference), ("backup", account.backup)):
        try:
            if channel:
                check_preference(installation.policy, profile, channel)
        except NotAllowed as reason:
            raise ValueError(f"{name}: {channel} is not possible. {reason}") from None
    return account


def _as_contact(ref: str, given: GivenContact, findings: Findings) -> Contact:
    finding = findings.get((ref, given.kind, value_of(given.destination)))
    return Contact(new_id(), given.kind, 1, given.destination, given.verified_at, finding)


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in fault["loc"][:1])
        yield f"{where + ': ' if where else ''}{fault['msg'].removeprefix('Value error, ')}"


def _frozen(connection: Connection, accounts: Sequence[AccountRow], known: Mapping[str, UUID | None]) -> Iterator[str]:
    for number, account in enumerate(accounts, 1):
        if fault := frozen(connection, account.ref, known[account.ref]):
            yield f"row {number}: {fault}"


def frozen(connection: Connection, ref: str, account_id: UUID | None) -> str | None:
    """Why nothing of this locked account can be imported now, if a case of it is open."""
    found = connection.execute(_OPEN_CASE, {"account_id": account_id}).scalar_one_or_none()
    return found and f"{ref} is frozen while its reset {found} is open"


def _write(
    installation: Installation, connection: Connection, account: AccountRow, known: UUID | None, now: datetime
) -> tuple[UUID, ...]:
    """Writes the row; answers with what tells the customer of it."""
    account_id = known or new_id()
    if known:
        account = _with_what_was_chosen(lock_account(connection, known), account)
    owed = _tell_changes(installation, connection, account, known, now) if known else ()
    columns: dict[str, object] = {"name": account.name, "country": account.country, "preference": account.preference}
    columns |= {"backup": account.backup, "state": account.postal_state}
    if account.passphrase:
        columns["passphrase_hash"] = hash_passphrase(account.passphrase.get_secret_value())
    if known:
        connection.execute(_UPDATE, columns | {"of": account_id})
    else:
        new = {"id": account_id, "ref": account.ref, "status": AccountStatus.ACTIVE, "created_at": now}
        connection.execute(insert(Account), columns | new)
    _write_contacts(connection, account, account_id, now)
    _add_app(installation, connection, account, account_id, known, now)
    return owed


def _with_what_was_chosen(account: LockedAccount, row: AccountRow) -> AccountRow:
    """What the customer chose in the settings stays where the row says nothing of it: billing does not know it."""
    if account.chosen_at is None:
        return row
    return row.model_copy(
        update={"preference": row.preference or account.preference, "backup": row.backup or account.backup}
    )


def _tell_changes(
    installation: Installation, connection: Connection, row: AccountRow, known: UUID, now: datetime
) -> tuple[UUID, ...]:
    """Tells the contact points as they are before anything changes, and keeps that something did."""
    account = lock_account(connection, known)
    changes = list(_changes(connection, account, row))
    if changes or account.country != row.country:
        connection.execute(_UPDATE, {"of": known, "changed_by_billing_at": now})
    owed: tuple[UUID, ...] = ()
    for change in changes:
        account_history.record(connection, known, f"{change}_changed", actor=Actor.BILLING, now=now)
        owed += tell_change(installation, connection, account, change, now)
    return owed


def _changes(connection: Connection, account: LockedAccount, row: AccountRow) -> Iterator[Change]:
    """What the row makes different, besides name and country."""
    current = {each.kind: each for each in connection.execute(_CURRENT, {"account_id": account.id})}
    given = {contact.kind: contact for contact in row.contacts()}
    yield from (Change(kind) for kind in ContactKind if _differs(given.get(kind), current.get(kind)))
    if account.preference is not row.preference:
        yield Change.PREFERENCE
    if account.backup is not row.backup:
        yield Change.BACKUP
    if row.passphrase and not _is_passphrase(row.passphrase.get_secret_value(), account.passphrase_hash):
        yield Change.PASSPHRASE


def _differs(given: GivenContact | None, row: AnyRow | None) -> bool:
    """Whether the row changes the contact point: where it is, whether it is verified, or that it is there."""
    if given is None or row is None:
        return (given is not None) if row is None else row.confirmed_at is None
    if value_of(given.destination) != row.value:
        return True
    return row.confirmed_at is None and (given.verified_at is None) != (row.verified_at is None)


def _is_passphrase(given: str, passphrase_hash: str | None) -> bool:
    return passphrase_hash is not None and passphrase_matches(given, passphrase_hash)


def _add_app(
    installation: Installation,
    connection: Connection,
    account: AccountRow,
    account_id: UUID,
    known: UUID | None,
    now: datetime,
) -> None:
    if account.totp_secret and not known:
        totp.add(connection, installation.keyring, account_id, account.totp_secret, label=APP_LABEL, now=now)


def _write_contacts(connection: Connection, account: AccountRow, account_id: UUID, now: datetime) -> None:
    current = {row.kind: row for row in connection.execute(_CURRENT, {"account_id": account_id})}
    given = {contact.kind: contact for contact in account.contacts()}
    for kind, row in current.items():
        if kind in given and value_of(given[kind].destination) == row.value:
            verified_at = given.pop(kind).verified_at
            # What a code has confirmed here is verified, whatever the billing system knows of it.
            if row.confirmed_at is None:
                connection.execute(_VERIFY, {"of": row.id, "at": verified_at})
        elif kind in given or row.confirmed_at is None:
            connection.execute(_REPLACE, {"of": row.id, "now": now})
    for contact in given.values():
        _add_contact(connection, account_id, contact, now)


def _add_contact(connection: Connection, account_id: UUID, contact: GivenContact, now: datetime) -> None:
    last = connection.execute(_LAST_VERSION, {"account_id": account_id, "kind": contact.kind}).scalar_one_or_none()
    row = {
        "id": new_id(),
        "account_id": account_id,
        "kind": contact.kind,
        "value": value_of(contact.destination),
        "version": (last or 0) + 1,
        "verified_at": contact.verified_at,
        "created_at": now,
    }
    connection.execute(insert(ContactPoint), row)
