"""Keyturn's own processes, started as an operator starts them, each with its output in a file."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.waiting import until

ROOT = Path(__file__).parents[2]
KEYTURN = (sys.executable, "-m", "cli.main")
WORKER = (sys.executable, "-m", "celery", "-A", "worker", "worker")
BEAT = (sys.executable, "-m", "celery", "-A", "worker", "beat")


@dataclass(frozen=True, slots=True)
class Running:
    """A process and what it has written so far."""

    process: subprocess.Popen[bytes]
    output: Path

    def says(self, text: str) -> bool:
        """Whether it has written this text; fails at once where it has ended."""
        written = self.output.read_text(errors="replace")
        if text in written:
            return True
        assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{written[-2000:]}"
        return False

    def kill(self) -> None:
        """Ends it as a crash does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(command: Sequence[str], env: Mapping[str, str], output: Path) -> Iterator[Running]:
    """The command in a process group of its own, ended with the block."""
    with output.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield Running(process, output)
    finally:
        _end(process)


@contextmanager
def worker(env: Mapping[str, str], output: Path) -> Iterator[Running]:
    """`celery -A worker worker`, ready."""
    with running(WORKER, env, output) as process:
        # What an earlier worker wrote to the same file does not count.
        until(lambda: process.says("ready."), "the worker to be ready")
        yield process


def keyturn(env: Mapping[str, str], *arguments: str, stdin: str = "") -> Any:
    """What a `keyturn` command answers with `--json`; it must succeed."""
    done = subprocess.run(
        [*KEYTURN, *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
