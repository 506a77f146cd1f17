"""The history of an account: what was set, enrolled, refused and told, by whom and when. Its facts name nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select

from models.accounts import AccountEvent
from models.base import AnyRow, new_id
from models.cases import Actor
from workflows.history import Fact

_INSERT = insert(AccountEvent)
_OF_ACCOUNT = (
    select(AccountEvent.event, AccountEvent.actor, AccountEvent.at, AccountEvent.facts)
    .where(AccountEvent.account_id == bindparam("account_id"))
    .order_by(AccountEvent.at, AccountEvent.id)
)
_NEWEST = _OF_ACCOUNT.order_by(None).order_by(AccountEvent.at.desc(), AccountEvent.id.desc()).limit(bindparam("most"))


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
        yield _line(row)


def newest(connection: Connection, account_id: UUID, most: int) -> tuple[AccountLine, ...]:
    """The last lines, `most` of them, the newest first."""
    rows = connection.execute(_NEWEST, {"account_id": account_id, "most": most})
    return tuple(_line(row) for row in rows)


def _line(row: AnyRow) -> AccountLine:
    return AccountLine(row.event, row.actor, row.at, json.loads(row.facts))
