"""The one place for time. Everything below the processes takes `now` as an argument; only their edges ask here.

In demo mode the clock can be moved ahead, for all processes that share the data folder: every move is a line of a
file, a number of seconds, and a process that starts in live mode never looks for it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from foundation.settings import Settings


def _real_time() -> datetime:
    return datetime.now(UTC)


# Longer than any case lives; and the calendar of every database reaches beyond it.
_FARTHEST = timedelta(days=3653)

_read: Callable[[], datetime] = _real_time


def now() -> datetime:
    """The present moment, in UTC."""
    return _read()


def set_up(settings: Settings) -> None:
    """Lets the clock follow the data folder's shift in demo mode, and real time otherwise."""
    global _read  # noqa: PLW0603 - the one clock of a process
    _read = partial(_shifted_time, _shift_file(settings)) if settings.is_demo else _real_time


def _shifted_time(file: Path) -> datetime:
    return _real_time() + _shift_in(file)


class ClockStandsStill(Exception):
    """The clock can be moved in demo mode only, and only ahead. Use it on a demo's data folder."""


def advance(settings: Settings, by: timedelta) -> datetime:
    """Moves a demo's clock ahead and answers with the new time. Raises `ClockStandsStill`."""
    if not settings.is_demo:
        raise ClockStandsStill("the clock can be moved in demo mode only")
    if by <= timedelta():
        raise ClockStandsStill("the clock only moves ahead")
    file = _shift_file(settings)
    if _shift_in(file) + by > _FARTHEST:
        raise ClockStandsStill("the clock can be moved ahead by ten years at the most")
    with file.open("a") as moves:  # appending, so that two moves at once both count
        moves.write(f"{by.total_seconds()}\n")
    return _shifted_time(file)


def _shift_file(settings: Settings) -> Path:
    return settings.data_dir / "clock-shift"


def _shift_in(file: Path) -> timedelta:
    try:
        moves = file.read_text().split()
    except FileNotFoundError:
        return timedelta()
    return timedelta(seconds=sum(map(float, moves)))
