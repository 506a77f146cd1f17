"""`keyturn demo --auto` plays one reset through and leaves nothing behind, whether it succeeds or not."""

import re
import socket
from pathlib import Path

import pytest

from tests.cli.commands import KEYTURN, Done, run
from tests.servers.ports import LOOPBACK, free_port, is_served

STATE = re.compile(r"^R-[0-9A-Z]{4}-[0-9A-Z]{4} is (\w+), by sms to (\S+)", re.MULTILINE)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_a_reset_is_played_from_the_mail_to_completed_and_leaves_nothing(temporary: Path) -> None:
    port = free_port()
    # Its processes write where it writes, and `run` reads until the last of them has ended.
    done = play(temporary, port)
    assert done.status == 0, done.out + done.err
    assert [state for state, _ in STATE.findall(done.out)] == ["requested", "contact_verified", "completed"]
    assert any(line.endswith("Done.") for line in done.out.splitlines())
    assert "Traceback" not in done.err
    assert not is_served(port)
    assert list(temporary.iterdir()) == []


def test_it_shows_neither_the_code_nor_where_it_went(temporary: Path) -> None:
    done = play(temporary, free_port())
    destinations = {destination for _, destination in STATE.findall(done.out)}
    assert len(destinations) == 1
    written = done.out + done.err
    assert not re.search(r"\d{4} ?\d{4}", written)
    assert [secret for secret in ("2025550142", "555-0142", "violet harbour lamp") if secret in written] == []


def test_a_port_that_is_taken_is_named_before_anything_starts(temporary: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = play(temporary, port).one_line
    assert f"{LOOPBACK}:{port}" in line
    assert "KEYTURN_WEB_PORT" in line
    assert list(temporary.iterdir()) == []


def play(temporary: Path, port: int) -> Done:
    return run((*KEYTURN, "demo", "--auto"), {"TMPDIR": str(temporary), "KEYTURN_WEB_PORT": str(port)})
