"""Celery's own commands work as they are, on each of the three stacks."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.end_to_end.processes import BEAT, ROOT, keyturn, running, worker
from tests.servers.rabbitmq import remove_queues_of_worker
from tests.servers.stack import Stack, StackName
from tests.servers.waiting import until

PING = (sys.executable, "-m", "celery", "-A", "worker", "inspect", "ping", "--timeout", "10")


def test_worker_beat_and_ping_need_no_options(stack: Stack, tmp_path: Path) -> None:
    env = {**stack.env, "KEYTURN_SWEEP_SECONDS": "0.5"}
    keyturn(env, "migrate")
    with worker(env, tmp_path / "worker.log") as working, running(BEAT, env, tmp_path / "beat.log") as beat:
        ping = subprocess.run(PING, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False)
        assert "pong" in ping.stdout, ping.stdout + ping.stderr
        until(lambda: working.says("sweep: done"), "the worker to sweep")
        assert beat.process.poll() is None


def test_a_worker_does_not_start_on_old_tables(stack: Stack) -> None:
    command = (sys.executable, "-m", "celery", "-A", "worker", "worker")
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | stack.env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "keyturn migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_with_a_bad_setting_says_which(stack: Stack) -> None:
    env = {**stack.env, "KEYTURN_WORKER_THREADS": "many"}
    command = (sys.executable, "-m", "celery", "-A", "worker", "worker")
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "KEYTURN_WORKER_THREADS" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_worker_does_not_start_with_a_translation_that_cannot_be_read(stack: Stack, tmp_path: Path) -> None:
    env = {**stack.env, "KEYTURN_TEXTS_FILE": str(tmp_path / "de.mo")}
    command = (sys.executable, "-m", "celery", "-A", "worker", "worker")
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert f"KEYTURN_TEXTS_FILE: {tmp_path / 'de.mo'} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_of_one_name_start_beside_each_other(stack: Stack, tmp_path: Path) -> None:
    """As after a crash that the broker has not noticed, or with another installation on the same broker and machine."""
    another = {**stack.env, "KEYTURN_QUEUE_PREFIX": f"{stack.env['KEYTURN_QUEUE_PREFIX']}-2"}
    keyturn(stack.env, "migrate")
    with ExitStack() as running_now:
        for env, log in ((stack.env, "first.log"), (stack.env, "second.log"), (another, "another.log")):
            running_now.enter_context(worker(env, tmp_path / log))
    if stack.name is StackName.RABBITMQ:
        remove_queues_of_worker(another)
