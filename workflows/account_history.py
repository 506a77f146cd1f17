"""The history of an account: what was set, enrolled, refused and told, by whom and when. Its facts name nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select

from models.accounts import AccountEvent
from models.base import new_id
from models.cases import Actor
from workflows.history import Fact

_INSERT = insert(AccountEvent)
_OF_ACCOUNT = (
    select(AccountEvent.event, AccountEvent.actor, AccountEvent.at, AccountEvent.facts)
    .where(AccountEvent.account_id == bindparam("account_id"))
    .order_by(AccountEvent.at, AccountEvent.id)
)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line of the history."""

    event: str
    actor: Actor
    at: datetime
    facts: dict[str, Fact]


def record(connection: Connection, account_id: UUID, event: str, *, actor: Actor, now: datetime, **facts: Fact) -> None:
    """Adds a line. A fact is a kind, a channel, a count or an id: never an address, a name or a secret."""
    row = {"id": new_id(), "account_id": account_id, "event": event, "actor": actor, "at": now}
    connection.execute(_INSERT, row | {"facts": json.dumps(facts, sort_keys=True)})


def lines(connection: Connection, account_id: UUID) -> Iterator[AccountLine]:
    """All lines, the oldest first."""
    for row in connection.execute(_OF_ACCOUNT, {"account_id": account_id}):
        yield AccountLine(row.event, row.actor, row.at, json.loads(row.facts))
