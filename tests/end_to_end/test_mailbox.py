"""A watcher of an IMAP mailbox takes each mail once, whatever becomes of its connections and of itself."""

import base64
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.end_to_end.processes import KEYTURN, Running, keyturn, running
from tests.servers.dovecot import PASSWORD, Dovecot, User
from tests.servers.dovecot import dovecot as running_dovecot
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.proxy import Proxy
from tests.servers.stack import StackName, stack
from tests.servers.waiting import until

MAILS = 500
CUTS = range(30, MAILS, 50)
KILLS = (155, 355)
TOGETHER = 25
"""So many mails arrive in a row, the first of them while the watcher is waiting for news."""
_WATCH = (*KEYTURN, "inbox", "watch")


@pytest.fixture
def user(dovecot: Dovecot) -> User:
    return dovecot.new_user()


@pytest.fixture
def proxy(user: User) -> Iterator[Proxy]:
    with Proxy(user.port) as passing_on:
        yield passing_on


@pytest.fixture
def env(user: User, proxy: Proxy, tmp_path: Path) -> Mapping[str, str]:
    """An installation whose mailbox is behind the proxy; its tables are made."""
    variables = {**stack(StackName.EMBEDDED, tmp_path / "data").env, **mailbox_of(user, proxy.port)}
    keyturn(variables, "migrate")
    return variables


def mailbox_of(user: User, port: int) -> Mapping[str, str]:
    server = {"KEYTURN_IMAP_HOST": LOOPBACK, "KEYTURN_IMAP_PORT": str(port), "KEYTURN_IMAP_TLS": "none"}
    return {**server, "KEYTURN_IMAP_USER": user.name, "KEYTURN_IMAP_PASSWORD": PASSWORD}


def mail(number: int) -> bytes:
    lines = f"From: customer{number}@primary.example\r\nSubject: mail {number}\r\n\r\nI lost my phone, again.\r\n"
    return lines.encode() + bytes(range(0x80, 0x100)) + b"\r\n" * (number % 7)


def stored(env: Mapping[str, str]) -> Counter[bytes]:
    with closing(sqlite3.connect(Path(env["KEYTURN_DATA_DIR"]) / "keyturn.db", timeout=30)) as connection:
        return Counter(raw for (raw,) in connection.execute("SELECT raw FROM inbound_mail WHERE source = 'imap'"))


def test_each_mail_is_taken_once_though_connections_are_cut_and_the_watcher_is_killed(
    user: User, proxy: Proxy, env: Mapping[str, str], tmp_path: Path
) -> None:
    with ExitStack() as watchers, user.client() as sender:

        def watch() -> Running:
            return watchers.enter_context(running(_WATCH, env, tmp_path / "watcher.log"))

        def waits_for_news(taken: int) -> bool:
            return stored(env).total() == taken and proxy.said.endswith(b" IDLE\r\n")

        watcher = watch()
        for number in range(MAILS):
            if number % TOGETHER == 0:
                until(lambda: waits_for_news(number), "all mails taken, and a wait for news")  # noqa: B023 - at once
            assert sender.append("INBOX", "", "", mail(number))[0] == "OK"
            if number in CUTS:
                until(proxy.cut, "a connection to cut")
            if number in KILLS:
                watcher.kill()
                watcher = watch()
        until(lambda: len(user.mails("Keyturn")) >= MAILS, "all mails in the folder of handled mail")

    sent = Counter(mail(number) for number in range(MAILS))
    assert stored(env) == sent
    assert Counter(user.mails("Keyturn")) == sent
    assert user.mails() == []
    assert proxy.said.count(b" IDLE\r\n") >= MAILS // TOGETHER


def test_a_mail_that_comes_again_after_all_is_stored_once(env: Mapping[str, str], tmp_path: Path) -> None:
    with running_dovecot("IMAP4rev1 IDLE") as server:
        user = server.new_user()
        user.append(mail(1))
        for _ in range(2):
            with running(_WATCH, {**env, **mailbox_of(user, user.port)}, tmp_path / "watcher.log"):
                until(lambda: user.flags() == [{"KeyturnTaken"}], "the mail to be marked as taken")
            with user.client() as client:
                client.store("1", "-FLAGS", "KeyturnTaken")
    assert stored(env) == Counter([mail(1)])


def test_no_log_tells_the_login_or_what_is_said_on_the_connection(
    user: User, proxy: Proxy, env: Mapping[str, str], tmp_path: Path
) -> None:
    with running(_WATCH, env, tmp_path / "watcher.log") as watcher:
        until(lambda: proxy.said.endswith(b" IDLE\r\n"), "the watcher to wait for news")
        assert watcher.says("the IMAP mailbox is open")
    login = base64.b64encode(f"\0{user.name}\0{PASSWORD}".encode())
    assert login in proxy.said
    for secret in (login.decode(), PASSWORD, user.name, "imapclient"):
        assert secret not in (tmp_path / "watcher.log").read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_watcher_that_waits_for_news_ends_when_told_to(
    proxy: Proxy, env: Mapping[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    with running(_WATCH, env, tmp_path / "watcher.log") as watcher:
        until(lambda: proxy.said.endswith(b" IDLE\r\n"), "the watcher to wait for news")
        watcher.process.send_signal(how)
        assert watcher.process.wait(30) == 0
    assert proxy.said.endswith(b" LOGOUT\r\n")


def test_maildir_and_mailbox_are_watched_side_by_side(user: User, env: Mapping[str, str], tmp_path: Path) -> None:
    with running(_WATCH, {**env, "KEYTURN_IMAP_PORT": str(free_port())}, tmp_path / "watcher.log") as watcher:
        until(lambda: watcher.says("no connection to KEYTURN_IMAP_HOST"), "the watcher to find no mailbox")
        (tmp_path / "data" / "maildir" / "new" / "1.host").write_bytes(mail(1))
        until((tmp_path / "data" / "maildir" / "cur" / "1.host:2,S").exists, "the mail of the Maildir")
    with running(_WATCH, env, tmp_path / "watcher.log"):
        user.append(mail(2))
        until(lambda: user.mails("Keyturn") == [mail(2)], "the mail of the mailbox")
    assert stored(env) == Counter([mail(2)])


def test_a_watcher_ends_when_one_of_its_sources_is_broken(proxy: Proxy, env: Mapping[str, str], tmp_path: Path) -> None:
    new = tmp_path / "data" / "maildir" / "new"
    with running(_WATCH, env, tmp_path / "watcher.log") as watcher:
        until(lambda: proxy.said.endswith(b" IDLE\r\n") and new.exists(), "the watcher to wait for news")
        new.rmdir()
        assert watcher.process.wait(30) == 1
    assert "Something went wrong inside Keyturn (FileNotFoundError)" in (tmp_path / "watcher.log").read_text()
