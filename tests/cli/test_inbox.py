"""Mail from a mail server's pipe is stored or kept by the server; the doctor opens the mailbox."""

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from inbox.limits import MAX_BYTES
from models.inbound import InboundMail
from tests.cli.commands import KEYTURN, ROOT, Commands, run
from tests.installations import make_installation, rows
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.ports import LOOPBACK, free_port

MAIL = b"From: dana@whitfield-pottery.example\r\n\r\n\x00\xff bytes that are no text\n"


@pytest.fixture
def keyturn(tmp_path: Path) -> Commands:
    made = Commands(tmp_path / "data")
    assert made("migrate").status == 0
    return made


def pipe(keyturn: Commands, raw: bytes, **env: str) -> tuple[int, bytes]:
    """What a mail server sees: the exit status and all that is written."""
    done = subprocess.run(
        [*KEYTURN, "inbox", "pipe"],
        cwd=ROOT,
        env=os.environ | keyturn.variables | env,
        input=raw,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=180,
    )
    return done.returncode, done.stdout


def stored(keyturn: Commands) -> list[tuple[str, bytes]]:
    made = make_installation("", keyturn.data_dir, keys=())
    try:
        return [(source, raw) for source, raw in rows(made, select(InboundMail.source, InboundMail.raw))]
    finally:
        made.database.dispose()


def test_a_piped_mail_is_stored_byte_for_byte_and_once_if_it_comes_again(keyturn: Commands) -> None:
    assert [pipe(keyturn, MAIL), pipe(keyturn, MAIL), pipe(keyturn, MAIL + b"\n")] == [(0, b"")] * 3
    assert sorted(stored(keyturn)) == [("pipe", MAIL), ("pipe", MAIL + b"\n")]


def test_the_largest_mail_is_stored_and_a_larger_one_goes_back(keyturn: Commands) -> None:
    assert pipe(keyturn, b"m" * (MAX_BYTES + 1)) == (65, b"5.3.4 The mail is larger than 20,971,520 bytes.\n")
    assert pipe(keyturn, b"m" * MAX_BYTES) == (0, b"")
    assert [len(raw) for _, raw in stored(keyturn)] == [MAX_BYTES]


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"KEYTURN_DATABASE_URL": f"postgresql://{LOOPBACK}:1/keyturn", "KEYTURN_KEYS": "{key}"}, "OperationalError"),
        ({"KEYTURN_WEB_PORT": "none"}, "BadSettings"),
        ({"KEYTURN_POLICY_FILE": "/nowhere.toml"}, "BadPolicy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mail_server_keeps_a_mail_for_every_fault_of_ours(
    keyturn: Commands, variables: dict[str, str], why: str
) -> None:
    key = run((*KEYTURN, "new-key"), {}).out.strip()
    status, said = pipe(keyturn, MAIL, **{name: value.format(key=key) for name, value in variables.items()})
    assert (status, said.splitlines()[-1]) == (75, f"4.3.0 The mail cannot be stored now ({why}).".encode())
    assert b"Traceback" not in said


def test_a_mail_server_keeps_a_mail_while_there_are_no_tables(keyturn: Commands) -> None:
    with closing(sqlite3.connect(keyturn.data_dir / "keyturn.db")) as connection:
        connection.execute("DROP TABLE inbound_mail")
    assert pipe(keyturn, MAIL)[0] == 75


def test_the_doctor_opens_the_mailbox(keyturn: Commands, dovecot: Dovecot) -> None:
    server = {"KEYTURN_IMAP_HOST": LOOPBACK, "KEYTURN_IMAP_PORT": str(dovecot.port), "KEYTURN_IMAP_TLS": "none"}
    env = {**server, "KEYTURN_IMAP_USER": dovecot.new_user().name, "KEYTURN_IMAP_PASSWORD": PASSWORD}
    finding = {"what": "IMAP mailbox", "problem": None}
    assert finding in keyturn("doctor", "--json", **env).data
    assert "IMAP" not in keyturn("doctor", "--json").out

    refused = keyturn("doctor", **env | {"KEYTURN_IMAP_PASSWORD": "wrong-word-7"}).refusal
    why = "the server refuses the login: look at KEYTURN_IMAP_USER and KEYTURN_IMAP_PASSWORD"
    assert re.search(rf"^IMAP mailbox +{why}$", refused, re.MULTILINE)
    assert "wrong-word" not in refused
    away = keyturn("doctor", **env | {"KEYTURN_IMAP_PORT": str(free_port())}).refusal
    assert "no connection to KEYTURN_IMAP_HOST (ConnectionRefusedError)" in away
