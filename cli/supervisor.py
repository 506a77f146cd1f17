"""Runs Keyturn's processes side by side in one terminal: starts each, starts it again when it dies, and ends them all.

A child is a module in a process group of its own: so Ctrl-C reaches the supervisor only, which then stops the children,
and what a child has started ends with it. Where the supervisor itself is killed, `cli.child` sees to the ending.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Self

import click


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process: its name for people, module and arguments as for `python -m`, additions to the environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    grace: float = 15.0
    """From SIGTERM to SIGKILL."""
    first_delay: float = 0.5
    """Before a child that died is started again; twice as long each further time."""
    longest_delay: float = 30.0
    settled: float = 30.0
    """A child that ran this long begins with the first delay again when it dies."""


class Supervisor:
    """Runs `children` once, by `run()` or inside `with running():`."""

    def __init__(self, children: Sequence[ChildSpec], patience: Patience | None = None) -> None:
        self._children = children
        self._patience = patience or Patience()
        self._stopping = Event()
        self._groups: set[int] = set()
        self._lock = Lock()  # no child is started once stopping is set

    def run(self) -> int:
        """Run until SIGINT or SIGTERM, a second of which ends all at once; returns 0. For the main thread only."""
        stop = signal.default_int_handler
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with suppress(KeyboardInterrupt), self.running():
                self.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Have the children run from the beginning of the block to its end, whatever ends it."""
        lifeline, ours = os.pipe()
        keepers: list[Thread] = []
        with os.fdopen(lifeline, "rb"), os.fdopen(ours, "wb"):
            try:
                for spec in self._children:
                    keeper = Thread(target=self._keep, args=(spec, lifeline), name=spec.name, daemon=True)
                    keeper.start()
                    keepers.append(keeper)
                yield self
            finally:
                self._stop(keepers)

    def wait(self) -> None:
        """Block until Ctrl-C raises KeyboardInterrupt here, and say that it was heard."""
        try:
            self._stopping.wait()
        except KeyboardInterrupt:
            click.echo("Stopping. Ctrl-C again ends everything at once.", err=True)
            raise

    def _keep(self, spec: ChildSpec, lifeline: int) -> None:
        delay = self._patience.first_delay
        while child := self._start(spec, lifeline):
            started = time.monotonic()
            status = child.wait()
            self._clear_away(child.pid)
            if self._stopping.is_set():
                return
            if time.monotonic() - started >= self._patience.settled:
                delay = self._patience.first_delay
            click.echo(f"{spec.name} {_ending(status)}; starting it again in {delay:g} s", err=True)
            self._stopping.wait(delay)
            delay = min(2 * delay, self._patience.longest_delay)

    def _start(self, spec: ChildSpec, lifeline: int) -> subprocess.Popen[bytes] | None:
        # -P: what lies in the folder where Keyturn was started is not ours and may not be imported.
        command = [sys.executable, "-P", "-m", "cli.child", str(self._patience.grace), *spec.argv]
        with self._lock:
            if self._stopping.is_set():
                return None
            child = subprocess.Popen(command, stdin=lifeline, env={**os.environ, **spec.env}, start_new_session=True)
            self._groups.add(child.pid)
            return child

    def _clear_away(self, group: int) -> None:
        with self._lock:
            self._groups.remove(group)
        _signal(group, signal.SIGKILL)

    def _stop(self, keepers: Sequence[Thread]) -> None:
        with self._lock:
            self._stopping.set()
        try:
            self._signal_all(signal.SIGTERM)
            deadline = time.monotonic() + self._patience.grace
            for keeper in keepers:
                keeper.join(max(0.0, deadline - time.monotonic()))
        finally:
            self._signal_all(signal.SIGKILL)
            for keeper in keepers:
                keeper.join()

    def _signal_all(self, number: signal.Signals) -> None:
        with self._lock:
            for group in self._groups:
                _signal(group, number)


def _signal(group: int, number: signal.Signals) -> None:
    # macOS answers for a group of which only the dead are left with PermissionError.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _ending(status: int) -> str:
    return f"ended with exit status {status}" if status >= 0 else f"was ended by signal {-status}"
