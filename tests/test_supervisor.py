"""Processes side by side: they come back when they die, and none is left behind, however the supervisor ends.

All processes of a run write to one pipe, which ends when the last of them has ended. So a run whose output has ended
has left nothing behind; that is how these tests know. `python -m tests.test_supervisor NAME` is one of the processes.
"""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from signal import SIG_IGN, SIGINT, SIGKILL, SIGTERM, Signals, alarm, pause, signal
from threading import Thread
from typing import NoReturn

import pytest

from cli.supervisor import ChildSpec, Patience
from tests.servers.waiting import until

MODULE = "tests.test_supervisor"
NEVER = 3600.0
HELD = Path("held")


def say(*words: object) -> None:
    # One write a line, so that the lines of several processes do not mix.
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def rest() -> NoReturn:
    while True:
        pause()


def polite() -> None:
    def stop(*_: object) -> None:
        say("told to stop")
        sys.exit()

    signal(SIGTERM, stop)
    subprocess.Popen([sys.executable, "-m", MODULE, "grandchild"])
    rest()


def deaf() -> None:
    signal(SIGTERM, lambda *_: say("will not stop"))
    say("child is", os.getpid())
    rest()


def parent_of_a_deaf_one() -> None:
    subprocess.Popen([sys.executable, "-m", MODULE, "deaf_grandchild"])
    rest()


def grandchild() -> None:
    with HELD.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        say("grandchild of", os.getppid())
        rest()


def deaf_grandchild() -> None:
    signal(SIGTERM, SIG_IGN)
    grandchild()


def mayfly() -> None:
    say("born at", time.monotonic())
    sys.exit(3)


def teller() -> None:
    say("told", sys.argv[2:], os.environ["GREETING"], repr(sys.stdin.read()))
    rest()


PROGRAMS: dict[str, Callable[[], None]] = {
    program.__name__: program
    for program in (polite, deaf, parent_of_a_deaf_one, grandchild, deaf_grandchild, mayfly, teller)
}


class Run:
    """A program that runs `code`, which sees a `supervisor` whose one child is `program`."""

    def __init__(self, folder: Path, program: str, patience: Patience, code: str) -> None:
        spec = ChildSpec(program, (MODULE, program, "an argument"), {"GREETING": "hello"})
        set_up = "from cli.supervisor import ChildSpec, Patience, Supervisor"
        self._lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"{set_up}\nsupervisor = Supervisor([{spec!r}], {patience!r})\n{code}"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)

    def saw(self, pattern: str, times: int = 1) -> list[str]:
        """Wait until `times` lines match; what the group of `pattern` matched in each of them."""

        def matches() -> list[str]:
            return [match[1] for line in list(self._lines) if (match := re.search(pattern, line))]

        until(lambda: len(matches()) >= times, f"{times} lines with {pattern!r} among {self._lines}")
        return matches()[:times]

    def leaves_nothing(self) -> int:
        """Wait until no process of this run lives; the exit status of the first of them."""
        until(lambda: not self._reader.is_alive(), f"the end of every process; the last lines were {self._lines[-3:]}")
        return self.process.wait()

    def end(self) -> None:
        self.process.kill()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait()


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Run] = []

    def started(
        program: str, patience: Patience | None = None, code: str = "raise SystemExit(supervisor.run())"
    ) -> Run:
        runs.append(Run(tmp_path, program, patience or Patience(grace=NEVER), code))
        return runs[-1]

    yield started
    for run in runs:
        run.end()


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_signal_has_the_children_stop_in_good_order_and_ends_what_they_started(start: Start, number: Signals) -> None:
    run = start("polite")
    run.saw("(grandchild)")
    run.process.send_signal(number)
    assert run.leaves_nothing() == 0
    run.saw("(told to stop)")


def test_a_child_that_will_not_stop_is_killed_after_the_grace(start: Start) -> None:
    run = start("deaf", Patience(grace=0.2))
    run.saw("(child)")
    run.process.send_signal(SIGINT)
    assert run.leaves_nothing() == 0
    run.saw("(will not stop)")


def test_a_second_signal_kills_without_waiting(start: Start) -> None:
    run = start("deaf")
    run.saw("(child)")
    run.process.send_signal(SIGINT)
    run.saw("(will not stop)")
    run.process.send_signal(SIGINT)
    assert run.leaves_nothing() == 0


def test_children_stop_in_good_order_when_the_supervisor_is_killed(start: Start) -> None:
    run = start("polite")
    run.saw("(grandchild)")
    run.process.kill()
    assert run.leaves_nothing() == -SIGKILL
    run.saw("(told to stop)")


@pytest.mark.parametrize(("program", "sign"), [("deaf", "(child)"), ("parent_of_a_deaf_one", "(grandchild)")])
def test_the_deaf_are_killed_after_the_grace_when_the_supervisor_is_killed(
    start: Start, program: str, sign: str
) -> None:
    run = start(program, Patience(grace=0.2))
    run.saw(sign)
    run.process.kill()
    assert run.leaves_nothing() == -SIGKILL


def test_a_grandchild_ends_when_the_supervisor_and_its_parent_are_killed(start: Start) -> None:
    run = start("polite", Patience(first_delay=NEVER))
    (child,) = run.saw(r"grandchild of (\d+)")
    run.process.send_signal(SIGKILL)
    os.kill(int(child), SIGKILL)
    assert run.leaves_nothing() == -SIGKILL


def test_a_child_that_dies_comes_back_after_delays_that_double_up_to_a_limit(start: Start) -> None:
    run = start("mayfly", Patience(first_delay=0.1, longest_delay=0.4))
    announced = run.saw(r"^mayfly ended with exit status 3; starting it again in (.*) s$", times=4)
    assert announced == ["0.1", "0.2", "0.4", "0.4"]
    births = [float(moment) for moment in run.saw("born at (.*)", times=5)]
    waited = [later - sooner for sooner, later in pairwise(births)]
    assert all(took >= float(delay) for took, delay in zip(waited, announced, strict=True))


def test_a_child_that_ran_long_enough_begins_with_the_first_delay_again(start: Start) -> None:
    run = start("mayfly", Patience(first_delay=0.01, settled=0))
    assert run.saw(r"starting it again in (.*) s", times=3) == ["0.01"] * 3


def test_what_a_dead_child_had_started_is_ended_and_waiting_to_start_again_can_be_interrupted(
    start: Start, tmp_path: Path
) -> None:
    run = start("polite", Patience(first_delay=NEVER))
    (child,) = run.saw(r"grandchild of (\d+)")
    os.kill(int(child), SIGKILL)
    run.saw("^(polite was ended by signal 9; starting it again in 3600 s)$")
    with (tmp_path / HELD).open() as file:
        until(lambda: is_free(file.fileno()), "the lock that the grandchild held")
    run.process.send_signal(SIGINT)
    assert run.leaves_nothing() == 0


def is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize(("ending", "status"), [("pass", 0), ("raise SystemExit(7)", 7)])
def test_children_run_as_long_as_the_block(start: Start, ending: str, status: int) -> None:
    code = f"""
import os
try:
    with supervisor.running():
        child = int(input())
        os.kill(child, 0)
        {ending}
finally:
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        print("child is no more", flush=True)
"""
    run = start("deaf", Patience(grace=0.2), code)
    (child,) = run.saw(r"child is (\d+)")
    assert run.process.stdin is not None
    run.process.stdin.write(f"{child}\n")
    run.process.stdin.flush()
    assert run.leaves_nothing() == status
    run.saw("(child is no more)")


def test_a_child_has_its_arguments_its_environment_and_an_empty_standard_input(start: Start) -> None:
    run = start("teller")
    run.saw(re.escape("told ['an argument'] hello ''") + "()")


def test_what_lies_in_the_folder_is_not_imported(start: Start, tmp_path: Path) -> None:
    (tmp_path / "cli.py").write_text("raise SystemExit('the wrong cli')")
    run = start("teller")
    run.saw("(told)")


if __name__ == "__main__":
    alarm(120)  # what a broken supervisor leaves behind ends by itself
    PROGRAMS[sys.argv[1]]()
