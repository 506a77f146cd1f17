"""The watch over a Maildir: each mail is handed over soon after it arrives, and put away once it has been taken.

It looks again and again instead of being told: an empty look costs a few microseconds, needs no library, and works on
NFS, where inotify sees nothing of what another machine delivers.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from inbox.maildir import DeliveredFile, Maildir

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks, and so the longest that a mail waits to be noticed."""
LONGEST_WAIT_SECONDS = 300.0
"""Between two tries to take a mail; the wait doubles with each try until then."""


def watch(maildir: Maildir, take: Callable[[DeliveredFile], None], stop: Event, *, every: float = POLL_SECONDS) -> None:
    """Hand each waiting mail to `take` until `stop` is set, looking every `every` seconds.

    `take` must have stored the mail when it returns, and must make nothing of an id that it has stored before. If it
    raises, that mail is handed over again later, and the others meanwhile. Raises OSError if the Maildir is gone.
    """
    postponed: dict[str, Postponed] = {}
    while not stop.is_set():
        now = time.monotonic()
        not_yet = {id_ for id_, mail in postponed.items() if mail.until > now}
        for delivery in maildir.waiting(passing_over=not_yet):
            if stop.is_set():
                return
            if _taken(maildir, take, delivery):
                postponed.pop(delivery.id, None)
            else:
                postponed[delivery.id] = postpone(postponed.get(delivery.id), time.monotonic(), every)
        stop.wait(every)


@dataclass(frozen=True, slots=True)
class Postponed:
    """A mail that could not be taken: not to be tried before `until`, which is `wait` seconds after the last try."""

    until: float
    wait: float


def postpone(last: Postponed | None, now: float, first_wait: float) -> Postponed:
    """Return until when a mail waits that failed at `now`: `first_wait` seconds, then twice as long each time."""
    wait = min(2 * last.wait, LONGEST_WAIT_SECONDS) if last else first_wait
    return Postponed(now + wait, wait)


def _taken(maildir: Maildir, take: Callable[[DeliveredFile], None], delivery: DeliveredFile) -> bool:
    try:
        take(delivery)
        maildir.done(delivery)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one mail, the others go on
        # The kind of error only: its text and its traceback may quote the mail, as a database's do.
        _log.warning("mail %s could not be taken (%s); it is tried again later", delivery.id, type(error).__name__)
        return False
    return True
