"""An installation of the tests' own: its database migrated, its accounts imported, its messages sent without a vendor.

Nothing stands in for the product here: accounts come through the import, and `deliver_all` does what a worker does
before and after it calls a vendor. Time is an argument everywhere, and a story begins at `START`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import Executable, Select, event

from foundation.keyring import load as load_keyring
from foundation.keyring import new_key
from foundation.settings import Settings
from migrations import migrate
from models.base import AnyRow
from models.cases import Actor
from models.database import Database, url_of
from policy import rules
from policy.vocabulary import Channel, MessageKind
from workflows.delivery import claim, record_sent
from workflows.importing import import_accounts
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.parcels import Parcel

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

PASSPHRASE = "violet harbour lamp"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PHONE = "+12025550142"
VERIFIED = "2024-03-02"


def make_installation(database_url: str, tmp_path: Path, **settings: Any) -> Installation:
    """An installation on this database, with all migrations, the shipped policy and a key of its own.

    `settings` are fields of `Settings`. Dispose of its database when you are done.
    """
    made = _unmigrated(database_url, tmp_path, **settings)
    migrate(made.database)
    return made


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """A fresh installation, on each of the two engines."""
    made = _unmigrated(database_url, tmp_path)
    _make_tables(made.database)
    yield made
    made.database.dispose()


def _unmigrated(database_url: str, tmp_path: Path, **settings: Any) -> Installation:
    fields: dict[str, Any] = {"data_dir": tmp_path, "keys": (SecretStr(new_key()),)} | settings
    chosen = Settings(database_url=database_url, **fields)
    policy = rules.load(chosen.policy_file or rules.SHIPPED)
    return Installation(chosen, Database(url_of(chosen)), policy, load_keyring(chosen))


_statements: dict[str, list[str]] = {}


def _make_tables(database: Database) -> None:
    """Has an empty database migrated, once for each engine; then says the same statements to the others.

    Alembic takes longer than most tests that want a fresh database.
    """
    engine = database.engine.dialect.name
    if engine not in _statements:
        _statements[engine] = _statements_of_migrating(database)
        return
    with database.begin() as connection:
        for statement in _statements[engine]:
            connection.exec_driver_sql(statement)


def _statements_of_migrating(database: Database) -> list[str]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("CREATE", "ALTER", "INSERT", "PRAGMA", "UPDATE")):
            said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    migrate(database)
    event.remove(database.engine, "before_cursor_execute", note)
    return said


def with_limits(installation: Installation, **limits: object) -> Installation:
    """The same installation under a policy with other limits."""
    policy = installation.policy
    return replace(installation, policy=policy.model_copy(update={"limits": policy.limits.model_copy(update=limits)}))


def with_inbox(installation: Installation, **inbox: object) -> Installation:
    """The same installation with other rules for its inbox."""
    policy = installation.policy.model_copy(update={"inbox": installation.policy.inbox.model_copy(update=inbox)})
    return replace(installation, policy=policy)


def with_rules(installation: Installation, channel: Channel, **rules: object) -> Installation:
    """The same installation under a policy with other rules for a channel."""
    policy = installation.policy
    changed = {channel: policy.channels[channel].model_copy(update=rules)}
    return replace(installation, policy=policy.model_copy(update={"channels": {**policy.channels, **changed}}))


def email_account(installation: Installation, ref: str = "JONAS", **columns: object) -> str:
    """Imports a customer in Germany whose codes go to the 2-Factor Auth Email; `columns` change the imported row."""
    return _imported(installation, ref, _emails(ref) | {"country": "DE", "preference": "email"} | columns)


def sms_account(installation: Installation, ref: str = "DANA", **columns: object) -> str:
    """Imports a customer in the US with two addresses and a phone that gets the codes by SMS; no backup channel."""
    phone = {"phone": PHONE, "phone_verified": VERIFIED}
    return _imported(installation, ref, _emails(ref) | {"country": "US", "preference": "sms"} | phone | columns)


def letter_account(installation: Installation, ref: str = "RUTH", **columns: object) -> str:
    """Imports a customer in the US with one address of e-mail, whose codes come as letters to Vermont."""
    row = {
        "country": "US",
        "primary_email": address_of(ref),
        "primary_email_verified": VERIFIED,
        "postal_line1": "48 Orchard Lane",
        "postal_city": "Millbrook",
        "postal_state": "VT",
        "postal_zip": "05450",
        "postal_verified": VERIFIED,
        "preference": "mail",
    }
    return _imported(installation, ref, row | columns)


def address_of(ref: str) -> str:
    """The primary address of an account made here."""
    return f"{ref.lower()}@primary.example"


def factor_address_of(ref: str) -> str:
    """Its 2-Factor Auth Email, if it has one."""
    return f"{ref.lower()}@factor.example"


def _emails(ref: str) -> dict[str, object]:
    return {
        "primary_email": address_of(ref),
        "primary_email_verified": VERIFIED,
        "two_factor_email": factor_address_of(ref),
        "two_factor_email_verified": VERIFIED,
    }


def _imported(installation: Installation, ref: str, row: dict[str, object]) -> str:
    import_accounts(installation, [{"ref": ref, "name": f"Customer {ref}"} | row], START)
    return ref


def deliver_all(installation: Installation, ids: Iterable[UUID], now: datetime) -> list[Parcel]:
    """Sends these messages, as far as they can be sent now, and answers with what was in the parcels."""
    parcels = [parcel for message_id in ids if (parcel := claim(installation, message_id, now))]
    for parcel in parcels:
        record_sent(installation, parcel, "sandbox", str(parcel.message_id), now)
    return parcels


def code_parcel(parcels: Iterable[Parcel]) -> Parcel:
    """The one parcel among these that carries a code."""
    (parcel,) = (each for each in parcels if each.kind is MessageKind.RESET_CODE)
    return parcel


@dataclass(frozen=True, slots=True)
class Started:
    """A case whose messages have been sent, and what its customer found in the one with the code."""

    id: UUID
    reference: str
    code: str
    token: str


def start_case(installation: Installation, ref: str, now: datetime = START) -> Started:
    """Opens a case for the account and sends its messages at once."""
    opened = open_case(installation, ref, actor=Actor.AGENT, now=now)
    parcel = code_parcel(deliver_all(installation, opened.owed, now))
    assert parcel.code is not None
    assert parcel.token is not None
    return Started(opened.case_id, opened.reference, parcel.code, parcel.token)


def wrong(code: str) -> str:
    """A code of the same length that is not this one."""
    return f"{code[:-1]}{(int(code[-1]) + 1) % 10}"


def rows(installation: Installation, statement: Select[*tuple[Any, ...]]) -> list[AnyRow]:
    """What stands in the database."""
    with installation.database.read() as connection:
        return list(connection.execute(statement))


def by_hand(installation: Installation, *statements: Executable) -> None:
    """Changes the database past the product, as somebody with a client of its own would."""
    with installation.database.begin() as connection:
        for statement in statements:
            connection.execute(statement)
