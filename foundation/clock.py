"""The one place for time. Everything below the processes takes `now` as an argument; only their edges ask here.

In demo mode the clock can be moved ahead, for all processes that share the data folder: the shift is a number of
seconds in a file, and a process that starts in live mode never looks for it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from foundation.settings import Settings


def _real_time() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _real_time


def now() -> datetime:
    """The present moment, in UTC."""
    return _read()


def set_up(settings: Settings) -> None:
    """Lets the clock follow the data folder's shift in demo mode, and real time otherwise."""
    global _read  # noqa: PLW0603 - the one clock of a process
    _read = _Shifted(_shift_file(settings)) if settings.is_demo else _real_time


class _Shifted:
    """Real time plus the shift in the file; the file is read again only when it changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0
        self._shift = timedelta()

    def __call__(self) -> datetime:
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return _real_time()
        if changed != self._seen:
            self._shift, self._seen = _shift_in(self._file), changed
        return _real_time() + self._shift


class ClockStandsStill(Exception):
    """The clock can be moved in demo mode only, and only ahead. Use it on a demo's data folder."""


def advance(settings: Settings, by: timedelta) -> datetime:
    """Moves a demo's clock ahead and answers with the new time. Raises `ClockStandsStill`."""
    if not settings.is_demo:
        raise ClockStandsStill("the clock can be moved in demo mode only")
    if by <= timedelta():
        raise ClockStandsStill("the clock only moves ahead")
    file = _shift_file(settings)
    shift = (_shift_in(file) if file.exists() else timedelta()) + by
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{shift.total_seconds()}\n")
    fresh.replace(file)
    return _real_time() + shift


def _shift_file(settings: Settings) -> Path:
    return settings.data_dir / "clock-shift"


def _shift_in(file: Path) -> timedelta:
    return timedelta(seconds=float(file.read_text()))
