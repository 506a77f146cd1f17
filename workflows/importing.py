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
from models.base import new_id
from models.cases import IS_OPEN, ResetCase
from models.database import wait_for_turn
from policy.routing import Contact, NotAllowed, Profile, check_preference
from policy.vocabulary import ContactKind, Finding
from workflows.accounts import value_of
from workflows.import_rows import AccountRow, GivenContact
from workflows.installation import Installation
from workflows.passphrases import hash_passphrase

_FIND = select(Account.id).where(Account.ref == bindparam("ref")).with_for_update()
_OPEN_CASE = select(ResetCase.reference).where(ResetCase.account_id == bindparam("account_id"), IS_OPEN)
_UPDATE = update(Account).where(Account.id == bindparam("of"))
_CURRENT = select(ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.version).where(
    ContactPoint.account_id == bindparam("account_id"), ContactPoint.replaced_at.is_(None)
)
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
    """How many accounts an import made, and how many it brought up to date."""

    created: int
    updated: int


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
        for account in in_order:
            _write(installation, connection, account, known[account.ref], now)
    created = sum(id_ is None for id_ in known.values())
    return Imported(created, len(known) - created)


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
) -> None:
    account_id = known or new_id()
    columns = {"name": account.name, "country": account.country, "preference": account.preference}
    columns |= {"backup": account.backup, "state": account.postal_state}
    if account.passphrase:
        columns["passphrase_hash"] = hash_passphrase(account.passphrase.get_secret_value())
    if known:
        connection.execute(_UPDATE, columns | {"of": account_id})
    else:
        new = {"id": account_id, "ref": account.ref, "status": AccountStatus.ACTIVE, "created_at": now}
        connection.execute(insert(Account), columns | new)
    _write_contacts(connection, account, account_id, now)
    if account.totp_secret and not known:
        totp.add(connection, installation.keyring, account_id, account.totp_secret, label=APP_LABEL, now=now)


def _write_contacts(connection: Connection, account: AccountRow, account_id: UUID, now: datetime) -> None:
    current = {row.kind: row for row in connection.execute(_CURRENT, {"account_id": account_id})}
    given = {contact.kind: contact for contact in account.contacts()}
    for kind, row in current.items():
        if kind in given and value_of(given[kind].destination) == row.value:
            connection.execute(_VERIFY, {"of": row.id, "at": given.pop(kind).verified_at})
        else:
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
