"""A folder of an IMAP mailbox (RFC 3501): what lies in it, one mail whole, and the way out of it once it is taken.

Nothing is ever deleted: a mail is moved to the folder for handled mail (MOVE, RFC 6851), or copied there before its
original goes (UIDPLUS, RFC 4315), or, on a server that has neither, stays where it is with a keyword on it.

Faults come in two kinds. `Unavailable` ends the connection, and another one may do better. Any other exception is
about one mail. No text of the server's is passed on: it may name the user.
"""

import hashlib
import logging
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

from imapclient import DELETED, IMAPClient, SocketTimeout

from foundation.settings import ImapTls, Settings
from inbox.limits import MAX_BYTES

_log = logging.getLogger(__name__)

_TIMEOUT = SocketTimeout(connect=15, read=60)
"""Seconds: to connect, and between two pieces of an answer."""
_POLL_SECONDS = 15.0
"""Between two looks on a server without IDLE."""
_NOTICE_STOP_SECONDS = 0.5
_TAKEN = "KeyturnTaken"
"""The keyword on a mail that has been taken and cannot be moved."""

_BROKEN = (OSError, IMAPClient.AbortError)
_FAULTS = (OSError, IMAPClient.Error)


class Unavailable(Exception):
    """The mailbox cannot be used now. The text says where it failed and what to look at; it is tried again later."""


class Mailbox:
    """The watched folder, over one connection that is logged in."""

    def __init__(self, client: IMAPClient, settings: Settings) -> None:
        self._client = client
        self._place = _place(settings)
        self._folder = settings.imap_folder
        self._handled = settings.imap_handled_folder
        self._moves = client.has_capability("MOVE") or client.has_capability("UIDPLUS")
        self._idles = client.has_capability("IDLE")
        self._select()
        if self._moves:
            with _unavailable("the folder of KEYTURN_IMAP_HANDLED_FOLDER cannot be made"):
                self._make_handled_folder()
        elif not {_TAKEN.encode(), rb"\*"}.intersection(self._selected.get(b"PERMANENTFLAGS", ())):
            raise Unavailable("the server can neither move a mail nor mark it: it has no MOVE, UIDPLUS or keywords")

    def uids(self) -> list[int]:
        """The numbers of the mails that have not been taken, oldest first. Raises `Unavailable`."""
        # A new look at the folder each time: where it was removed and made again, Dovecot shows the old one for ever.
        self._select()
        with _unavailable("the folder cannot be searched"):
            return sorted(self._client.search("ALL" if self._moves else ["UNKEYWORD", _TAKEN]))

    def id_of(self, uid: int) -> str:
        """An id of the mail that stays: of the mailbox, its folder, the folder's UIDVALIDITY and the mail's UID."""
        return f"{self._place}.{self._selected[b'UIDVALIDITY']}.{uid}"

    def fetch(self, uid: int) -> bytes | None:
        """The mail as it came, unread as before; None if it is gone. Of a larger mail the first `MAX_BYTES` + 1 bytes.

        That is what a judge needs to see that it is too large, and a person to see whose it is; the whole of it stays
        in the mailbox. RFC822.SIZE is not asked for: servers are known to guess it.
        """
        with _unavailable("the connection broke while a mail was fetched", _BROKEN):
            found = self._client.fetch([uid], [f"BODY.PEEK[]<0.{MAX_BYTES + 1}>"])
        if uid not in found:
            return None
        raw = found[uid][b"BODY[]<0>"]
        if not isinstance(raw, bytes):
            raise TypeError("the server gave no mail")
        if len(raw) > MAX_BYTES:
            _log.warning("mail %s is larger than %d bytes: what comes after is left out", self.id_of(uid), MAX_BYTES)
        return raw

    def put_away(self, uid: int) -> None:
        """Move the mail to the folder for handled mail, or mark it; nothing is to do if somebody has moved it."""
        with _unavailable("the connection broke while a mail was moved", _BROKEN):
            try:
                self._put_away(uid)
            except IMAPClient.AbortError:
                raise
            except IMAPClient.Error:
                self._make_handled_folder()  # somebody may have removed it; the mail is tried again
                raise

    def wait(self, seconds: float, stop: Event) -> None:
        """Return when the server has news, `seconds` are over or `stop` is set. Raises `Unavailable`."""
        if not self._idles:
            stop.wait(min(seconds, _POLL_SECONDS))
            return
        with _unavailable("the connection broke while waiting for mail"):
            self._client.idle()
            end = time.monotonic() + seconds
            while not stop.is_set() and (left := end - time.monotonic()) > 0 and not self._has_news(left):
                pass
            self._client.idle_done()

    def _select(self) -> None:
        with _unavailable("the folder of KEYTURN_IMAP_FOLDER cannot be opened"):
            self._selected: dict[bytes, Any] = self._client.select_folder(self._folder)

    def _has_news(self, seconds: float) -> bool:
        return bool(select.select([self._client.socket()], [], [], min(seconds, _NOTICE_STOP_SECONDS))[0])

    def _put_away(self, uid: int) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move([uid], self._handled)
        elif self._moves:
            self._client.copy([uid], self._handled)
            self._client.add_flags([uid], [DELETED], silent=True)
            self._client.uid_expunge([uid])
        else:
            self._client.add_flags([uid], [_TAKEN], silent=True)

    def _make_handled_folder(self) -> None:
        try:
            self._client.folder_status(self._handled, ["UIDVALIDITY"])
        except IMAPClient.AbortError:
            raise
        except IMAPClient.Error:
            self._client.create_folder(self._handled)
            self._client.subscribe_folder(self._handled)  # most programs show people only these


@contextmanager
def opened(settings: Settings) -> Iterator[Mailbox]:
    """The mailbox of the settings, logged in, its folder for handled mail made if missing. Raises `Unavailable`."""
    with _unavailable("no connection to KEYTURN_IMAP_HOST"):
        client = IMAPClient(
            settings.imap_host, settings.imap_port, ssl=settings.imap_tls is ImapTls.TLS, timeout=_TIMEOUT
        )
    try:
        if settings.imap_tls is ImapTls.STARTTLS:
            with _unavailable("no encrypted connection to KEYTURN_IMAP_HOST"):
                client.starttls()
        _log_in(client, settings.imap_user, settings.imap_password.get_secret_value())
        yield Mailbox(client, settings)
        with suppress(*_FAULTS):
            client.logout()
    finally:
        with suppress(*_FAULTS):
            client.shutdown()


def _log_in(client: IMAPClient, user: str, password: str) -> None:
    try:
        # LOGIN takes ASCII alone; PLAIN (RFC 4616) takes any password.
        log_in = client.plain_login if client.has_capability("AUTH=PLAIN") else client.login
        log_in(user, password)
    except (*_FAULTS, UnicodeError) as error:
        # The library says LoginError to a broken connection, too.
        if isinstance(error, OSError) or isinstance(error.__context__, _BROKEN):
            raise Unavailable("the connection broke during the login") from None
        raise Unavailable("the server refuses the login: look at KEYTURN_IMAP_USER and KEYTURN_IMAP_PASSWORD") from None


def _place(settings: Settings) -> str:
    # A digest, because the user's name is an address and the id is logged. Without the user, another mailbox whose
    # numbers began in the same second would seem to have been taken.
    place = f"{settings.imap_host}\n{settings.imap_user}\n{settings.imap_folder}"
    return f"imap-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


@contextmanager
def _unavailable(what: str, faults: tuple[type[Exception], ...] = _FAULTS) -> Iterator[None]:
    try:
        yield
    except faults as error:
        raise Unavailable(f"{what} ({_kind(error)})") from None


def _kind(error: Exception) -> str:
    # The standard library's names for these, `error` and `abort`, say nothing.
    if isinstance(error, IMAPClient.AbortError):
        return "connection lost"
    return "the server refused" if isinstance(error, IMAPClient.Error) else type(error).__name__
