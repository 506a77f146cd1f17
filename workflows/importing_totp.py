"""Authenticator apps from another system, for accounts that are here already: every line is added, or none.

An account whose app was removed here is refused: an old file must not bring back what a reset or its customer removed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from authenticators import otpauth, totp
from authenticators.totp import App
from models.accounts import AccountStatus
from models.cases import Actor
from models.factors import Authenticator, AuthenticatorKind
from policy.vocabulary import Change
from workflows import account_history
from workflows.accounts import LockedAccount, UnknownAccount, account_id_of, lock_account
from workflows.importing import APP_LABEL, NothingImported, frozen
from workflows.installation import Installation
from workflows.sign_in import has_factor
from workflows.telling import tell_change

_REVOKED = select(Authenticator.id).where(
    Authenticator.account_id == bindparam("account_id"),
    Authenticator.kind == AuthenticatorKind.TOTP,
    Authenticator.revoked_at.is_not(None),
)

Fault: TypeAlias = tuple[int, str]
"""The number of a row, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ImportedTotp:
    """How many apps an import added, how many the accounts had, and how many of them all have a weak secret.

    Ring for `owed` after.
    """

    added: int
    known: int
    weak: int
    owed: tuple[UUID, ...]


def import_totp(installation: Installation, lines: Sequence[tuple[str, str]], now: datetime) -> ImportedTotp:
    """Adds these apps, each a `ref` and an otpauth line, to their accounts. Raises `NothingImported`."""
    apps, faults = _read(lines)
    with installation.database.begin() as connection:
        accounts = _locked(connection, {ref for ref, _ in lines})
        faults += _refused(connection, lines, accounts)
        if faults:
            raise NothingImported([f"row {number}: {fault}" for number, fault in sorted(faults)])
        done = [
            _add(installation, connection, accounts[ref], app, now) for (ref, _), app in zip(lines, apps, strict=True)
        ]
    added = [owed for owed in done if owed is not None]
    weak = sum(app.is_weak for app in apps)
    return ImportedTotp(len(added), len(apps) - len(added), weak, tuple(id_ for owed in added for id_ in owed))


def _read(lines: Iterable[tuple[str, str]]) -> tuple[list[App], list[Fault]]:
    apps: list[App] = []
    faults: list[Fault] = []
    for number, (_, uri) in enumerate(lines, 1):
        try:
            apps.append(otpauth.read_uri(uri))
        except otpauth.BadTotp as fault:
            faults.append((number, f"uri: {fault}"))
    return apps, faults


def _locked(connection: Connection, refs: Iterable[str]) -> dict[str, LockedAccount]:
    accounts: dict[str, LockedAccount] = {}
    # In one order, so that an import and a case do not wait for each other's rows.
    for ref in sorted(filter(str.isprintable, refs)):  # PostgreSQL takes no NUL, and no ref holds one
        try:
            accounts[ref] = lock_account(connection, account_id_of(connection, ref))
        except UnknownAccount:
            continue
    return accounts


def _refused(
    connection: Connection, lines: Sequence[tuple[str, str]], accounts: Mapping[str, LockedAccount]
) -> list[Fault]:
    why = {ref: _why_not(connection, account) for ref, account in accounts.items()}
    # A ref that nobody has is not repeated: where the columns are in the wrong order, it is a secret.
    refused = ((number, why.get(ref, "ref: no account has it")) for number, (ref, _) in enumerate(lines, 1))
    return [(number, fault) for number, fault in refused if fault]


def _why_not(connection: Connection, account: LockedAccount) -> str | None:
    removed = connection.execute(_REVOKED, {"account_id": account.id}).first() is not None
    if removed or account.status is AccountStatus.ENROLMENT_PENDING:
        return f"{account.ref} had an app or all factors removed here; its customer enrols a new one"
    return frozen(connection, account.ref, account.id)


def _add(
    installation: Installation, connection: Connection, account: LockedAccount, app: App, now: datetime
) -> tuple[UUID, ...] | None:
    """What tells the customer of the app; None where the account has it.

    Moving the first factor here changes nothing for its customer. A further one could be a stranger's.
    """
    known = totp.enrolled(connection, installation.keyring, account.id)
    if any(each.app.secret == app.secret for each in known):
        return None
    is_first = not has_factor(connection, account.id)
    totp.add(connection, installation.keyring, account.id, app, label=APP_LABEL, now=now)
    account_history.record(connection, account.id, "factor_added", actor=Actor.BILLING, now=now, how="import")
    return () if is_first else tell_change(installation, connection, account, Change.FACTOR_ADDED, now)
