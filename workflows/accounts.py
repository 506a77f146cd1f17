"""Accounts as the rules see them: locked against their cases and settings, their contacts read, their values masked."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from foundation.redaction import mask_email, mask_phone, mask_postal
from models.accounts import Account, AccountStatus, ContactPoint
from models.base import AnyRow
from policy.permits import Destination, PostalAddress
from policy.routing import Contact, Profile
from policy.vocabulary import Channel, ContactKind

# What a locked account is made of, besides its id; `LockedAccount.of` reads these from a row.
ACCOUNT_COLUMNS = (
    Account.ref,
    Account.country,
    Account.state.label("account_state"),
    Account.preference,
    Account.backup,
    Account.passphrase_hash,
    Account.status.label("account_status"),
    Account.wrong_in_a_row,
    Account.resets_disabled_at,
    Account.refused_in_a_row,
    Account.sign_in_waits_until,
    Account.quarantine_until,
    Account.changed_by_billing_at,
    Account.chosen_at,
)

_LOCK = select(Account.id.label("account_id"), *ACCOUNT_COLUMNS).where(Account.id == bindparam("id")).with_for_update()
_SAVE = update(Account).where(Account.id == bindparam("account_id"))
_CONTACTS = (
    select(
        ContactPoint.id,
        ContactPoint.kind,
        ContactPoint.version,
        ContactPoint.value,
        ContactPoint.verified_at,
        ContactPoint.finding,
    )
    .where(ContactPoint.account_id == bindparam("account_id"), ContactPoint.replaced_at.is_(None))
    .order_by(ContactPoint.kind)
)
_BY_REF = select(Account.id).where(Account.ref == bindparam("ref"))
_BY_ADDRESS = (
    select(ContactPoint.account_id)
    .distinct()
    .where(
        ContactPoint.value == bindparam("address"),
        ContactPoint.replaced_at.is_(None),
        ContactPoint.kind.in_([ContactKind.PRIMARY_EMAIL, ContactKind.TWO_FACTOR_EMAIL]),
    )
)


class UnknownAccount(Exception):
    """No account has this ref. Import it first: `keyturn account import`."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"no account has the ref {ref}")


@dataclass(slots=True)
class LockedAccount:
    """An account's row, locked until the transaction ends."""

    id: UUID
    ref: str
    country: str
    state: str | None
    preference: Channel | None
    backup: Channel | None
    passphrase_hash: str | None
    status: AccountStatus
    wrong_in_a_row: int
    resets_disabled_at: datetime | None
    refused_in_a_row: int
    sign_in_waits_until: datetime | None
    quarantine_until: datetime | None
    changed_by_billing_at: datetime | None
    chosen_at: datetime | None
    _profile: Profile | None = None

    @classmethod
    def of(cls, row: AnyRow) -> "LockedAccount":
        """From a row with `account_id` and `ACCOUNT_COLUMNS`."""
        return cls(
            row.account_id,
            row.ref,
            row.country,
            row.account_state,
            row.preference,
            row.backup,
            row.passphrase_hash,
            row.account_status,
            row.wrong_in_a_row,
            row.resets_disabled_at,
            row.refused_in_a_row,
            row.sign_in_waits_until,
            row.quarantine_until,
            row.changed_by_billing_at,
            row.chosen_at,
        )

    def save(self, connection: Connection) -> None:
        """Writes what resets and sign-ins may change of an account."""
        connection.execute(_SAVE, self.changeable() | {"account_id": self.id})

    def changeable(self) -> dict[str, object]:
        """The columns that `save` writes."""
        return {
            "status": self.status,
            "wrong_in_a_row": self.wrong_in_a_row,
            "resets_disabled_at": self.resets_disabled_at,
            "refused_in_a_row": self.refused_in_a_row,
            "sign_in_waits_until": self.sign_in_waits_until,
            "quarantine_until": self.quarantine_until,
        }

    def profile(self, connection: Connection) -> Profile:
        """The account with its current contacts, for the policy; read once, because the lock keeps them as they are."""
        if self._profile is None:
            contacts = contacts_of(connection, self.id)
            self._profile = Profile(self.country, contacts, self.preference, self.backup, self.state)
        return self._profile


def lock_account(connection: Connection, account_id: UUID) -> LockedAccount:
    """Locks the account's row: no case of it opens, and no setting of it changes, until the transaction ends."""
    return LockedAccount.of(connection.execute(_LOCK, {"id": account_id}).one())


def account_id_of(connection: Connection, ref: str) -> UUID:
    """The id of the account with this ref. Raises `UnknownAccount`."""
    found = connection.execute(_BY_REF, {"ref": ref}).scalar_one_or_none()
    if found is None:
        raise UnknownAccount(ref)
    return found


def accounts_with_address(connection: Connection, address: str) -> list[UUID]:
    """The accounts that have this normalised e-mail address as a current contact point."""
    return list(connection.execute(_BY_ADDRESS, {"address": address}).scalars())


def contacts_of(connection: Connection, account_id: UUID) -> tuple[Contact, ...]:
    """The account's current contact points."""
    return tuple(read_contacts(connection.execute(_CONTACTS, {"account_id": account_id})))


def read_contacts(rows: Iterable[AnyRow]) -> Iterable[Contact]:
    """Contacts from rows with id, kind, version, value and verified_at."""
    for row in rows:
        yield Contact(row.id, row.kind, row.version, destination_of(row.kind, row.value), row.verified_at, row.finding)


def destination_of(kind: ContactKind, value: str) -> Destination:
    """A contact point's stored value as a destination."""
    return PostalAddress(**json.loads(value)) if kind is ContactKind.POSTAL_ADDRESS else value


def value_of(destination: Destination) -> str:
    """A destination as it is stored in a contact point: the same for the same place."""
    return destination if isinstance(destination, str) else json.dumps(asdict(destination), ensure_ascii=False)


def masked(destination: Destination) -> str:
    """Enough of a destination for its owner to recognise it."""
    if isinstance(destination, PostalAddress):
        return mask_postal(destination.city, destination.state)
    return mask_email(destination) if "@" in destination else mask_phone(destination)
