"""`keyturn demo --auto` plays one reset through and leaves nothing behind, whether it succeeds or not."""

import re
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.commands import KEYTURN, Done, run
from tests.servers.ports import LOOPBACK, free_port, is_served

STATE = re.compile(r"^R-[0-9A-Z]{4}-[0-9A-Z]{4} is (\w+), by sms to ([^:]+):", re.MULTILINE)
CODE = re.compile(r"\b\d{4} ?\d{4}\b")
SECRETS = ("violet harbour lamp", "202-555-0142", "2025550142", "dana@whitfield-pottery.example")


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has ended, and what it was given: the folder for temporary files, and the port of its pages."""

    done: Done
    temporary: Path
    port: int


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    # Its processes write where it writes, and `run` reads until the last of them has ended: none is left behind.
    temporary, port = tmp_path_factory.mktemp("temporary"), free_port()
    return Played(play(temporary, port), temporary, port)


def test_a_reset_is_played_from_the_mail_to_completed(played: Played) -> None:
    assert played.done.status == 0, played.done.out + played.done.err
    assert [state for state, _ in STATE.findall(played.done.out)] == ["requested", "contact_verified", "completed"]
    assert "the other contact points were told. Done." in played.done.out
    assert "Traceback" not in played.done.out + played.done.err


def test_nothing_is_left_behind(played: Played) -> None:
    assert not is_served(played.port)
    assert list(played.temporary.iterdir()) == []


def test_neither_the_code_nor_where_it_went_is_shown(played: Played) -> None:
    written = played.done.out + played.done.err
    assert not CODE.search(written)
    assert [secret for secret in SECRETS if secret in written] == []


@pytest.mark.parametrize("name", ["KEYTURN_DATABASE_URL", "KEYTURN_BROKER_URL", "KEYTURN_IMAP_HOST"])
def test_a_demo_beside_an_installation_is_refused(tmp_path: Path, name: str) -> None:
    refused = run((*KEYTURN, "demo", "--auto"), {name: "sqlite:///keyturn.db", "TMPDIR": str(tmp_path)})
    assert refused.one_line.startswith(f"{name} is set: a demo keeps to its own data folder")


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = play(tmp_path, port).one_line
    assert f"{LOOPBACK}:{port}" in line
    assert "KEYTURN_WEB_PORT" in line
    assert list(tmp_path.iterdir()) == []


def play(temporary: Path, port: int) -> Done:
    return run((*KEYTURN, "demo", "--auto"), {"TMPDIR": str(temporary), "KEYTURN_WEB_PORT": str(port)})
