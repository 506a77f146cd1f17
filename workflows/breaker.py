"""The breaker of a channel: stops it when it cannot work, lets one message try now and then, starts it by itself.

While a channel is stopped its messages wait; none is spent on a vendor that refuses everybody.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from models.base import AnyRow
from models.messages import ChannelBreaker, Message, MessageStatus, Outcome
from policy.vocabulary import Channel
from workflows.installation import Installation

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=5)
_FAILURES = frozenset({Outcome.NOT_SENT, Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.MISCONFIGURED})

COLUMNS = (
    ChannelBreaker.failures.label("channel_failures"),
    ChannelBreaker.stopped_at.label("channel_stopped_at"),
    ChannelBreaker.probe_at.label("channel_probe_at"),
    ChannelBreaker.probes.label("channel_probes"),
)
"""What is read here of a message's row."""

_OF_CHANNEL = update(ChannelBreaker).where(ChannelBreaker.channel == bindparam("of"))
_COUNT = _OF_CHANNEL.values(failures=ChannelBreaker.failures + 1).returning(
    ChannelBreaker.failures, ChannelBreaker.stopped_at
)
_STOP = _OF_CHANNEL.values(stopped_at=bindparam("now"), reason=bindparam("why"), probe_at=bindparam("at"), probes=0)
_START = _OF_CHANNEL.values(failures=0, stopped_at=None, reason=None, probe_at=None, probes=0)
# The probe that another worker has taken meanwhile is not there any more.
_TAKE_PROBE = _OF_CHANNEL.where(ChannelBreaker.probe_at == bindparam("before")).values(
    probe_at=bindparam("at"), probes=ChannelBreaker.probes + 1
)
_FRESH = select(Message.id).where(
    Message.channel == bindparam("of"),
    Message.status == MessageStatus.QUEUED,
    Message.in_doubt_since.is_(None),
    Message.due_at <= bindparam("soon"),
)
_STOPPED: Select[*tuple[Any, ...]] = (
    select(ChannelBreaker.channel, ChannelBreaker.stopped_at, ChannelBreaker.reason, ChannelBreaker.probe_at)
    .where(ChannelBreaker.stopped_at.is_not(None))
    .order_by(ChannelBreaker.channel)
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A channel that is stopped; `reason` is the failure's short word, `probe_at` when it is tried again."""

    channel: Channel
    stopped_at: datetime
    reason: str
    probe_at: datetime


def wait_for(row: AnyRow, now: datetime) -> datetime | None:
    """Until when the message of `row` waits for its channel; None where it may go, perhaps as the one that tries."""
    if row.channel_stopped_at is None or row.channel_probe_at <= now:
        return None
    probe_at: datetime = row.channel_probe_at
    return probe_at


def take_probe(connection: Connection, row: AnyRow, now: datetime, *, in_doubt: bool) -> datetime | None:
    """Makes the message of `row` the one that tries; until when it waits where another one is, else None.

    To be asked when the message is ready to go: one that does not go would leave the channel untried. One that is
    `in_doubt` may be lost by a second failure, so it tries only where no other message waits.
    """
    if row.channel_stopped_at is None:
        return None
    if in_doubt and connection.execute(_FRESH, {"of": row.channel, "soon": now + _FIRST_WAIT}).first() is not None:
        return now + _FIRST_WAIT
    next_at = now + _wait(row.channel_probes + 1)
    taken = {"of": row.channel, "before": row.channel_probe_at, "at": next_at}
    return None if connection.execute(_TAKE_PROBE, taken).rowcount else next_at


def was_in_trouble(row: AnyRow) -> bool:
    """Whether the channel had failures behind it when the message was claimed."""
    return bool(row.channel_failures or row.channel_stopped_at)


def note(connection: Connection, channel: Channel, outcome: Outcome, code: str, now: datetime) -> None:
    """Counts a failure of the channel, and stops it after some in a row, or at once where the fault is ours."""
    if outcome not in _FAILURES:
        return
    counted = connection.execute(_COUNT, {"of": channel}).one()
    ours = outcome is Outcome.MISCONFIGURED
    if counted.stopped_at is None and (ours or counted.failures >= _FAILURES_IN_A_ROW):
        _stop(connection, channel, code, now)


def trip(connection: Connection, channel: Channel, code: str, now: datetime) -> None:
    """Stops the channel for what the vendor said later."""
    note(connection, channel, Outcome.MISCONFIGURED, code, now)


def start(connection: Connection, channel: Channel) -> None:
    """The vendor does as asked: the channel works."""
    connection.execute(_START, {"of": channel})
    log.warning("channel %s works again", channel)


def stopped(installation: Installation) -> list[Stopped]:
    """The channels that are stopped now."""
    with installation.database.read() as connection:
        return [Stopped(*row) for row in connection.execute(_STOPPED)]


def _stop(connection: Connection, channel: Channel, code: str, now: datetime) -> None:
    connection.execute(_STOP, {"of": channel, "now": now, "why": code[:100], "at": now + _wait(0)})
    log.error("channel %s is stopped: %s. Its messages wait; it is tried again by itself", channel, code)


def _wait(probes: int) -> timedelta:
    return min(_FIRST_WAIT * 2.0 ** min(probes, 10), _LONGEST_WAIT)
