"""The watch over an IMAP mailbox: each mail is handed over, then moved away; a lost connection is made again.

IDLE (RFC 2177) tells of a new mail at once. It is not relied on for that: what a server says together with its go-ahead
has been read by the library before we wait, and wakes nobody. So the first wait after a mail is short, and each
further one twice as long.
"""

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event

from foundation.settings import Settings
from inbox import imap
from inbox.delivery import Delivery
from inbox.imap import Mailbox, Unavailable
from inbox.watching import Postponed, postpone

_log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
"""Before a lost connection is made again, a mail is tried again, and for news after a mail; each then doubles."""
IDLE_SECONDS = 300.0
"""The longest wait for news. RFC 2177 wants less than 29 minutes; a connection that died silently is noticed then."""


def watch(settings: Settings, take: Callable[[Delivery], None], stop: Event) -> None:
    """Hand each mail in the mailbox of the settings to `take` until `stop` is set, through whatever is lost between.

    `take` must have stored the mail when it returns, and must make nothing of an id that it has stored before. If it
    raises, that mail is handed over again later, and the others meanwhile.
    """
    postponed: dict[str, Postponed] = {}
    trouble: Postponed | None = None
    while not stop.is_set():
        try:
            with imap.opened(settings) as mailbox:
                _log.info("the IMAP mailbox is open")
                for _ in _steps(mailbox, take, stop, postponed):
                    trouble = None
        except Unavailable as reason:
            trouble = postpone(trouble, time.monotonic(), FIRST_WAIT_SECONDS)
            _log.warning("IMAP: %s. It is tried again in %d s", reason, trouble.wait)
            stop.wait(trouble.wait)


def _steps(
    mailbox: Mailbox, take: Callable[[Delivery], None], stop: Event, postponed: dict[str, Postponed]
) -> Iterator[None]:
    """Take mails and wait for more, until `stop` is set; yields after each step that went well."""
    quiet = FIRST_WAIT_SECONDS
    while not stop.is_set():
        due = _due(mailbox, postponed)
        yield
        for uid in due:
            if stop.is_set():
                return
            _take(mailbox, take, uid, postponed)
            yield
        quiet = FIRST_WAIT_SECONDS if due else min(2 * quiet, IDLE_SECONDS)
        mailbox.wait(min(quiet, _next_try(postponed)), stop)


def _due(mailbox: Mailbox, postponed: dict[str, Postponed]) -> list[int]:
    ids = {mailbox.id_of(uid): uid for uid in mailbox.uids()}
    for gone in postponed.keys() - ids.keys():
        del postponed[gone]
    now = time.monotonic()
    return [uid for id_, uid in ids.items() if id_ not in postponed or postponed[id_].until <= now]


def _next_try(postponed: dict[str, Postponed]) -> float:
    now = time.monotonic()
    return max(0.0, min((mail.until - now for mail in postponed.values()), default=IDLE_SECONDS))


def _take(mailbox: Mailbox, take: Callable[[Delivery], None], uid: int, postponed: dict[str, Postponed]) -> None:
    id_ = mailbox.id_of(uid)
    try:
        raw = mailbox.fetch(uid)
        if raw is not None:
            take(Delivery(id_, raw))
            mailbox.put_away(uid)
        postponed.pop(id_, None)
    except Exception as error:
        # Whatever is wrong with one mail, the others go on, also if it is what breaks the connection. The kind of
        # error only: its text and its traceback may quote the mail.
        postponed[id_] = postpone(postponed.get(id_), time.monotonic(), FIRST_WAIT_SECONDS)
        _log.warning("mail %s could not be taken (%s); it is tried again later", id_, type(error).__name__)
        if isinstance(error, Unavailable):
            raise
