"""An IMAP mailbox loses nothing and deletes nothing: with servers that can do more or less, and over lost connections.

The server is a real Dovecot, looked at through another client; where no real server misbehaves as a test needs it, one
that answers from a list stands in.
"""

import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest
from pydantic import SecretStr

from foundation.settings import ImapTls, Settings
from inbox import imap, imap_watching, limits
from inbox.delivery import Delivery
from inbox.imap import Unavailable
from tests.inbox.takers import Store, Stubborn, Watching
from tests.servers.dovecot import PASSWORD, Dovecot, User
from tests.servers.dovecot import dovecot as running_dovecot
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.proxy import Proxy
from tests.servers.waiting import until

HANDLED = "Taken mails"


@pytest.fixture
def user(dovecot: Dovecot) -> User:
    return dovecot.new_user()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


def mail(number: int) -> bytes:
    return f"From: customer{number}@primary.example\r\nSubject: mail {number}\r\n\r\nI lost my phone.\r\n".encode()


def mails(*numbers: int) -> list[bytes]:
    return [mail(number) for number in numbers]


def settings(user: User, **changed: Any) -> Settings:
    fields: dict[str, Any] = {
        "imap_host": LOOPBACK,
        "imap_port": user.port,
        "imap_tls": ImapTls.NONE,
        "imap_user": user.name,
        "imap_password": SecretStr(PASSWORD),
        "imap_handled_folder": HANDLED,
    }
    return Settings(**fields | changed)


def watching(user: User, take: Callable[[Delivery], None], **changed: Any) -> Watching:
    return Watching(partial(imap_watching.watch, settings(user, **changed), take))


def all_are_moved(user: User, *numbers: int) -> None:
    until(lambda: sorted(user.mails(HANDLED)) == sorted(mails(*numbers)), f"{numbers} in the other folder")
    assert user.mails() == []


def refusal(user: User, **changed: Any) -> str:
    with pytest.raises(Unavailable) as refused, imap.opened(settings(user, **changed)):
        pass
    return str(refused.value)


# --- Taking


def test_what_lies_there_and_what_arrives_is_taken_byte_for_byte_and_moved_unread(user: User, store: Store) -> None:
    user.append(mail(1), mail(2))
    with Proxy(user.port) as proxy, watching(user, store, imap_port=proxy.port):
        all_are_moved(user, 1, 2)
        until(lambda: b" IDLE\r\n" in proxy.said, "the watch to wait for news")
        user.append(mail(3))
        all_are_moved(user, 1, 2, 3)
    assert store.stored() == mails(1, 2, 3)
    assert store.handed == 3
    assert user.flags(HANDLED) == [set()] * 3


def test_news_and_being_told_to_stop_end_a_wait_of_any_length(user: User) -> None:
    stop = Event()
    ends: list[Callable[[], None]] = [lambda: user.append(mail(1)), stop.set]
    with Proxy(user.port) as proxy, imap.opened(settings(user, imap_port=proxy.port)) as mailbox:
        for end in ends:
            waiting = Thread(target=mailbox.wait, args=(3600.0, stop), daemon=True)
            waiting.start()
            until(lambda: proxy.said.endswith(b" IDLE\r\n"), "the wait for news")
            end()
            waiting.join(30)
            assert not waiting.is_alive()


def test_a_server_that_cannot_idle_is_asked_again_and_again(store: Store) -> None:
    with running_dovecot("IMAP4rev1 UIDPLUS MOVE") as server, Proxy(server.port) as proxy:
        user = server.new_user()
        with watching(user, store, imap_port=proxy.port):
            until(lambda: proxy.said.count(b"SEARCH") > 1, "a second look")
            user.append(mail(1))
            all_are_moved(user, 1)
        assert b"IDLE" not in proxy.said
    assert store.stored() == mails(1)


def test_without_move_a_mail_is_copied_first_and_no_other_is_expunged() -> None:
    with running_dovecot("IMAP4rev1 IDLE UIDPLUS") as server, Proxy(server.port) as proxy:
        user = server.new_user()
        user.append(b"bad", mail(1))
        with user.client() as client:
            client.store("1", "+FLAGS", r"\Deleted")
        take = Stubborn()
        with watching(user, take, imap_port=proxy.port):
            until(lambda: user.mails(HANDLED) == mails(1) and user.mails() == [b"bad"], "one moved, the other not")
        assert b" MOVE " not in proxy.said
        commands = re.findall(rb"UID (COPY|STORE|EXPUNGE) 2\b", proxy.said)
        assert commands == [b"COPY", b"STORE", b"EXPUNGE"]
        assert proxy.said.count(b"EXPUNGE") == 1


def test_where_nothing_can_be_moved_a_mail_stays_with_a_keyword_and_is_taken_once(store: Store) -> None:
    with running_dovecot("IMAP4rev1 IDLE") as server, Proxy(server.port) as proxy:
        user = server.new_user()
        user.append(mail(1))
        with watching(user, store, imap_port=proxy.port):
            until(lambda: user.flags() == [{"KeyturnTaken"}], "the keyword on the mail")
        user.append(mail(2))
        with watching(user, store, imap_port=proxy.port):
            until(lambda: user.flags() == [{"KeyturnTaken"}] * 2, "the keyword on both mails")
        assert user.mails() == mails(1, 2)
        assert user.mails(HANDLED) == []
        assert not re.search(rb"COPY|MOVE|EXPUNGE|Deleted", proxy.said)
    assert (store.handed, store.stored()) == (2, mails(1, 2))


def test_of_a_mail_that_is_too_large_so_much_is_taken_that_a_judge_sees_it(
    user: User, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    whole = mail(1) + b"0123456789abcdef 0123456789abcdef\r\n" * (limits.MAX_BYTES // 35)
    user.append(whole, mail(2))
    with watching(user, store):
        until(lambda: len(user.mails(HANDLED)) == 2, "both mails in the other folder")
    assert store.stored() == [whole[: limits.MAX_BYTES + 1], mail(2)]
    assert limits.excess(store.stored()[0]) == "more than 20,971,520 bytes"
    assert user.mails(HANDLED)[0] == whole
    assert "is larger than 20971520 bytes" in caplog.text


# --- Once, and no mail for another


def test_a_mail_stored_before_a_crash_comes_again_under_the_same_id(user: User, store: Store) -> None:
    user.append(mail(1))
    with imap.opened(settings(user)) as mailbox:
        (uid,) = mailbox.uids()
        raw = mailbox.fetch(uid)
        assert raw == mail(1)
        store(Delivery(mailbox.id_of(uid), raw))  # and here the process dies
    with watching(user, store):
        all_are_moved(user, 1)
    assert (store.handed, store.stored()) == (2, mails(1))


def test_an_id_is_short_and_plain_and_of_one_mailbox_alone(dovecot: Dovecot, user: User) -> None:
    other = dovecot.new_user()
    ids = set()
    for who in (user, other):
        who.append(mail(1))
        with imap.opened(settings(who)) as mailbox:
            ids |= {mailbox.id_of(uid) for uid in mailbox.uids()}
    assert len({id_.split(".")[0] for id_ in ids}) == 2
    for id_ in ids:
        assert re.fullmatch(r"imap-[0-9a-f]{16}\.[0-9]{1,10}\.1", id_)


def test_a_folder_that_is_replaced_begins_anew(user: User, store: Store) -> None:
    with user.client() as client:
        client.create("Support")
        client.append("Support", "", "", mail(1))
    with watching(user, store, imap_folder="Support"):
        until(lambda: user.mails(HANDLED) == mails(1), "the first mail in the other folder")
        with user.client() as client:
            client.delete("Support")
            client.create("Support")
            client.append("Support", "", "", mail(2))
        until(lambda: user.mails(HANDLED) == mails(1, 2), "the first mail of the new folder")
    assert store.stored() == mails(1, 2)


def test_two_watches_over_one_mailbox_store_each_mail_once(user: User, store: Store) -> None:
    with watching(user, store), watching(user, store):
        user.append(*mails(*range(50)))
        until(lambda: not user.mails(), "an empty inbox")
    assert store.stored() == sorted(mails(*range(50)))
    assert set(user.mails(HANDLED)) == set(mails(*range(50)))


# --- Whatever goes wrong


def test_a_mail_that_cannot_be_taken_holds_up_no_other_and_is_tried_again(
    user: User, caplog: pytest.LogCaptureFixture
) -> None:
    take = Stubborn()
    user.append(b"bad", mail(1))
    with watching(user, take):
        until(lambda: take.taken == mails(1) and take.tries > 1, "the good mail and two tries of the bad one")
        assert user.mails() == [b"bad"]
        take.refuses = False
        until(lambda: not user.mails(), "the bad mail taken")
    assert take.taken == [mail(1), b"bad"]
    assert re.search(r"mail imap-[0-9a-f.]+\.1 could not be taken \(RuntimeError\)", caplog.text)
    assert "secret" not in caplog.text


def test_a_connection_that_is_lost_is_made_again(user: User, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with Proxy(user.port) as proxy, watching(user, store, imap_port=proxy.port):
        for numbers in ((1,), (1, 2)):
            until(lambda: proxy.said.endswith(b" IDLE\r\n"), "the watch to wait for news")
            until(proxy.cut, "a connection to cut")
            user.append(mail(numbers[-1]))
            all_are_moved(user, *numbers)
    assert store.stored() == mails(1, 2)
    assert re.search(r"IMAP: the connection broke .+ It is tried again in 1 s", caplog.text)


def test_a_folder_of_handled_mail_that_somebody_removes_is_made_again(user: User, store: Store) -> None:
    with watching(user, store):
        user.append(mail(1))
        all_are_moved(user, 1)
        with user.client() as client:
            client.delete(f'"{HANDLED}"')
        user.append(mail(2))
        all_are_moved(user, 2)
    assert store.stored() == mails(1, 2)


def test_a_refused_login_is_named_without_the_password(
    user: User, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    text = "the server refuses the login: look at KEYTURN_IMAP_USER and KEYTURN_IMAP_PASSWORD"
    with watching(user, store, imap_password=SecretStr("wrong-ápple-7")):
        until(lambda: "It is tried again in 2 s" in caplog.text, "a second try")
    assert refusal(user, imap_password=SecretStr("wrong-ápple-7")) == text
    assert f"IMAP: {text}. It is tried again in 1 s" in caplog.messages
    assert not re.search(f"ápple|{user.name}", "".join(caplog.messages))


def test_what_else_is_wrong_is_named_by_the_setting_to_look_at(user: User) -> None:
    refused = refusal(user, imap_port=free_port())
    assert refused == "no connection to KEYTURN_IMAP_HOST (ConnectionRefusedError)"
    refused = refusal(user, imap_folder="Support")
    assert refused == "the folder of KEYTURN_IMAP_FOLDER cannot be opened (the server refused)"
    refused = refusal(user, imap_handled_folder="a//b")
    assert refused == "the folder of KEYTURN_IMAP_HANDLED_FOLDER cannot be made (the server refused)"


# --- Encryption


@pytest.mark.parametrize("tls", [ImapTls.TLS, ImapTls.STARTTLS])
def test_a_certificate_is_verified(
    dovecot: Dovecot, user: User, store: Store, monkeypatch: pytest.MonkeyPatch, tls: ImapTls
) -> None:
    encrypted = {"imap_tls": tls, "imap_port": dovecot.tls_port if tls is ImapTls.TLS else dovecot.port}
    assert refusal(user, **encrypted).endswith("connection to KEYTURN_IMAP_HOST (SSLCertVerificationError)")
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    refused = refusal(user, imap_host="localhost", **encrypted)  # another name than the certificate's
    assert refused.endswith("connection to KEYTURN_IMAP_HOST (SSLCertVerificationError)")
    with watching(user, store, **encrypted):
        user.append(mail(1))
        all_are_moved(user, 1)
    assert store.stored() == mails(1)


# --- Servers that no real one stands for


class Listed:
    """A server that answers from a list: the first pattern that a command matches names the lines before its OK.

    None breaks the connection off instead.
    """

    def __init__(self, answers: dict[str, list[bytes] | None]) -> None:
        self._answers = answers | {each: _ORDINARY[each] for each in _ORDINARY if each not in answers}
        self.said: list[str] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.user = User("support", self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                with self._listener.accept()[0] as connection:
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                self.said.append(command)
                answer = next(answer for pattern, answer in self._answers.items() if re.match(pattern, command))
                if answer is None:
                    return
                connection.sendall(b"".join(answer) + f"{tag} OK done\r\n".encode())


_ORDINARY: dict[str, list[bytes] | None] = {
    "CAPABILITY": [b"* CAPABILITY IMAP4rev1 MOVE\r\n"],
    "SELECT": [b"* OK [UIDVALIDITY 7] here\r\n* OK [PERMANENTFLAGS (\\Seen)] these\r\n"],
    "UID SEARCH": [b"* SEARCH 1 2\r\n"],
    "STATUS": [b'* STATUS "Taken mails" (UIDVALIDITY 8)\r\n'],
    "LOGOUT": [b"* BYE\r\n"],
    "": [],
}


def fetched(uid: int, body: bytes) -> list[bytes]:
    return [b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (uid, uid, len(body), body)]


def test_no_password_is_sent_to_a_server_that_cannot_encrypt() -> None:
    with Listed({}) as server:
        refused = refusal(server.user, imap_tls=ImapTls.STARTTLS)
    assert refused == "no encrypted connection to KEYTURN_IMAP_HOST (the server refused)"
    assert not [said for said in server.said if "LOGIN" in said or "AUTHENTICATE" in said]


def test_a_server_on_which_a_taken_mail_could_not_be_told_from_a_new_one_is_not_used() -> None:
    with Listed({"CAPABILITY": [b"* CAPABILITY IMAP4rev1\r\n"]}) as server:
        refused = refusal(server.user, imap_password=SecretStr("plain"))
    assert refused == "the server can neither move a mail nor mark it: it has no MOVE, UIDPLUS or keywords"


def test_a_mail_that_breaks_every_connection_holds_up_no_other(store: Store) -> None:
    with Listed({"UID FETCH 1 ": None, "UID FETCH 2 ": fetched(2, b"fine")}) as server:
        with watching(server.user, store, imap_password=SecretStr("plain")):
            until(lambda: store.stored() == [b"fine"], "the other mail taken")
        assert 'UID MOVE 2 "Taken mails"' in server.said


def test_a_mail_without_a_body_holds_up_no_other(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    nothing = [b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\n"]
    with (
        Listed({"UID FETCH 1 ": nothing, "UID FETCH 2 ": fetched(2, b"fine")}) as server,
        watching(server.user, store, imap_password=SecretStr("plain")),
    ):
        until(lambda: store.stored() == [b"fine"], "the other mail taken")
    assert ".7.1 could not be taken (TypeError)" in caplog.text


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "inbox"):
        yield
