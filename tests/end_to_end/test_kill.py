"""A worker that is killed with -9 in the middle of a backlog loses nothing, on each of the three stacks."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.database import Database
from models.messages import Message, MessageStatus
from tests.end_to_end.processes import BEAT, ROOT, keyturn, running, worker
from tests.servers.sendgrid import SendGrid
from tests.servers.stack import Stack
from tests.servers.waiting import until

CASES = 200
_CODE = re.compile(r"^\s*(\d{4}) (\d{4})\s*$", re.MULTILINE)


@pytest.mark.parametrize("time", range(5))
def test_every_code_is_sent_although_the_worker_is_killed(stack: Stack, tmp_path: Path, time: int) -> None:
    with SendGrid(delay=0.05) as sendgrid:
        env = {**stack.env, **sendgrid.env, "KEYTURN_LEASE_SECONDS": "3", "KEYTURN_RELAY_SECONDS": "0.5"}
        keyturn(env, "migrate")
        open_cases(env)
        database = Database(database_url(stack))
        with running(BEAT, env, tmp_path / "beat.log"):
            with worker(env, tmp_path / "first.log") as doomed:
                # Another moment each time, and always in the middle.
                until(lambda: len(sendgrid.sent) >= 40 + 20 * time, "enough codes to be sent")
                doomed.kill()
            sent, claimed = len(sendgrid.sent), count(database, MessageStatus.CLAIMED)
            assert 20 < sent < 180
            assert claimed > 0
            with worker(env, tmp_path / "second.log"):
                until(lambda: count(database, MessageStatus.SENT) == CASES, "all codes to be sent", seconds=120)
        assert count(database, MessageStatus.QUEUED) == count(database, MessageStatus.CLAIMED) == 0
        database.dispose()
        each_customer_has_one_code(sendgrid)


def open_cases(env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "tests.end_to_end.open_cases", str(CASES)]
    subprocess.run(command, cwd=ROOT, env=os.environ | env, check=True, timeout=120)


def database_url(stack: Stack) -> str:
    return stack.env["KEYTURN_DATABASE_URL"] or f"sqlite:///{stack.env['KEYTURN_DATA_DIR']}/keyturn.db"


def count(database: Database, status: MessageStatus) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).where(Message.status == status)).scalar_one()


def each_customer_has_one_code(sendgrid: SendGrid) -> None:
    codes = defaultdict(set)
    for mail in sendgrid.sent:
        found = _CODE.search(mail.text)
        assert found, "a mail without a code on a line of its own"
        codes[mail.to].add(found[0])
    assert len(codes) == CASES
    assert all(len(different) == 1 for different in codes.values()), "what was sent twice must be the same code"
    assert not sendgrid.refused
