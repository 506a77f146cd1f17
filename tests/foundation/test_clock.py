"""The clock: always UTC, and moved only in a demo, only ahead, for all processes of the data folder at once."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foundation import clock
from foundation.clock import ClockStandsStill
from foundation.settings import Mode, Settings

DAY = timedelta(days=1)
MONTH = timedelta(days=30)

TELL_THE_TIME = """
import sys
from pathlib import Path
from foundation import clock
from foundation.settings import Mode, Settings
clock.set_up(Settings(mode=Mode(sys.argv[1]), data_dir=Path(sys.argv[2])))
for _ in sys.stdin:
    print(clock.now().isoformat(), flush=True)
"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Settings]:
    """A demo's settings; this process follows its clock until the test is over."""
    settings = Settings(mode=Mode.DEMO, data_dir=tmp_path)
    clock.set_up(settings)
    yield settings
    clock.set_up(Settings())


def is_ahead(by: timedelta, tell: Callable[[], datetime] = clock.now) -> bool:
    """Whether a clock is ahead of real time by just this much, however long it takes to tell."""
    before = datetime.now(UTC)
    told = tell()
    return before + by <= told <= datetime.now(UTC) + by


@pytest.fixture
def another_process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["AnotherProcess"]:
    """A process that follows the clock of the data folder, in the mode that the test gives."""
    command = [sys.executable, "-c", TELL_THE_TIME, request.param, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield AnotherProcess(process)


class AnotherProcess:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def now(self) -> datetime:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return datetime.fromisoformat(self._process.stdout.readline().strip())


def test_it_is_the_present_moment_in_utc() -> None:
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_demo_that_was_never_moved_has_the_real_time(demo: Settings) -> None:
    assert is_ahead(timedelta())
    assert list(demo.data_dir.iterdir()) == []


def test_a_move_is_seen_at_once_and_answers_with_the_new_time(demo: Settings) -> None:
    before = datetime.now(UTC)
    told = clock.advance(demo, MONTH)
    assert before + MONTH <= told <= clock.now()
    assert is_ahead(MONTH)
    assert clock.now().tzinfo is UTC


def test_moves_add_up(demo: Settings) -> None:
    clock.advance(demo, MONTH)
    clock.advance(demo, timedelta(hours=25))
    assert is_ahead(MONTH + timedelta(hours=25))


def test_a_move_is_seen_even_where_the_file_looks_as_old_as_before(demo: Settings) -> None:
    clock.advance(demo, MONTH)
    assert is_ahead(MONTH)
    (file,) = demo.data_dir.iterdir()
    age = file.stat().st_mtime_ns
    clock.advance(demo, MONTH)
    os.utime(file, ns=(age, age))
    assert is_ahead(2 * MONTH)


def test_of_moves_made_at_once_each_counts(demo: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: clock.advance(demo, DAY), range(200)))
    assert is_ahead(200 * DAY)


def test_a_move_too_far_is_refused_and_leaves_the_clock_as_it_was(demo: Settings) -> None:
    clock.advance(demo, DAY)
    with pytest.raises(ClockStandsStill):
        clock.advance(demo, 5000 * DAY)
    assert is_ahead(DAY)


@pytest.mark.parametrize("another_process", ["demo"], indirect=True)
def test_a_move_is_seen_by_a_process_that_runs_already(demo: Settings, another_process: AnotherProcess) -> None:
    assert is_ahead(timedelta(), another_process.now)
    clock.advance(demo, MONTH)
    assert is_ahead(MONTH, another_process.now)
    clock.advance(demo, MONTH)
    assert is_ahead(2 * MONTH, another_process.now)


@pytest.mark.parametrize("another_process", ["live"], indirect=True)
def test_live_has_the_real_time_even_in_the_data_folder_of_a_demo(
    demo: Settings, another_process: AnotherProcess
) -> None:
    clock.advance(demo, MONTH)
    assert is_ahead(timedelta(), another_process.now)
    clock.set_up(Settings(mode=Mode.LIVE, data_dir=demo.data_dir))
    assert is_ahead(timedelta())


def test_live_cannot_be_moved(tmp_path: Path) -> None:
    with pytest.raises(ClockStandsStill, match="demo mode only"):
        clock.advance(Settings(mode=Mode.LIVE, data_dir=tmp_path), MONTH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by", [timedelta(), timedelta(microseconds=-1), -MONTH])
def test_the_clock_is_not_moved_back(demo: Settings, by: timedelta) -> None:
    clock.advance(demo, MONTH)
    with pytest.raises(ClockStandsStill, match="only moves ahead"):
        clock.advance(demo, by)
    assert is_ahead(MONTH)
