"""SMS codes as a second factor: which phone they go to. The codes themselves are challenges of a contact point."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Uuid, bindparam, insert, select, type_coerce, update

from models.accounts import ContactPoint
from models.base import new_id
from models.factors import Authenticator, AuthenticatorKind

_OF_ACCOUNT = (
    select(
        Authenticator.id,
        Authenticator.label,
        type_coerce(Authenticator.contact_id, Uuid()).label("contact_id"),
        (Authenticator.suspended_at.is_(None) & ContactPoint.replaced_at.is_(None)).label("counts"),
    )
    .join(ContactPoint, ContactPoint.id == Authenticator.contact_id)
    .where(
        Authenticator.account_id == bindparam("account_id"),
        Authenticator.kind == AuthenticatorKind.SMS,
        Authenticator.revoked_at.is_(None),
    )
    .order_by(Authenticator.created_at)
)
_NOTE_USE = update(Authenticator).where(Authenticator.id == bindparam("of")).values(last_used_at=bindparam("now"))
_MOVE = (
    update(Authenticator)
    .where(
        Authenticator.account_id == bindparam("of_account"),
        Authenticator.kind == AuthenticatorKind.SMS,
        Authenticator.revoked_at.is_(None),
    )
    .values(contact_id=bindparam("to"))
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone whose codes sign in; `contact_id` is its contact point, as it was when it was enrolled or moved.

    `counts`: it is not suspended, and its contact point is still the account's.
    """

    id: UUID
    label: str
    contact_id: UUID
    counts: bool


def enrolled(connection: Connection, account_id: UUID) -> Phone | None:
    """The account's phone for sign-in codes."""
    row = connection.execute(_OF_ACCOUNT, {"account_id": account_id}).first()
    return None if row is None else Phone(*row)


def add(connection: Connection, account_id: UUID, contact_id: UUID, *, label: str, now: datetime) -> UUID:
    """Enrols the phone of this contact point."""
    authenticator_id = new_id()
    row = {
        "id": authenticator_id,
        "account_id": account_id,
        "kind": AuthenticatorKind.SMS,
        "label": label,
        "created_at": now,
        "contact_id": contact_id,
    }
    connection.execute(insert(Authenticator), row)
    return authenticator_id


def move(connection: Connection, account_id: UUID, contact_id: UUID) -> None:
    """The customer has confirmed a new phone with a second factor: codes for sign-in go there from now on."""
    connection.execute(_MOVE, {"of_account": account_id, "to": contact_id})


def note_use(connection: Connection, authenticator_id: UUID, now: datetime) -> None:
    """Notes when it signed in last."""
    connection.execute(_NOTE_USE, {"of": authenticator_id, "now": now})
