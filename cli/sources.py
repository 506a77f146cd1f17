"""`keyturn inbox pipe` and `keyturn inbox watch`: how mails come in by themselves, handed over or lying somewhere."""

import hashlib
import signal
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Thread

import click

from inbox import watching
from inbox.delivery import Delivery
from inbox.limits import MAX_BYTES
from inbox.maildir import DeliveredFile, Maildir
from inbox.packages import Source
from workflows import installation
from workflows.installation import Installation

_GRACE_SECONDS = 5.0
"""From being told to stop to the end, at most; a supervisor waits for 15."""
_EX_DATAERR = 65
_EX_TEMPFAIL = 75


@click.command()
def pipe() -> None:
    """Take in the mail on standard input, for a mail server's pipe; it keeps the mail where the exit status is 75."""
    sys.exit(_piped())


def _piped() -> int:
    """An exit status of sysexits.h. All but 0 and 75 have a mail server send the mail back to whoever wrote it.

    So a fault of ours, wrong settings included, is a reason to keep the mail and come again.
    """
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            click.echo(f"5.3.4 The mail is larger than {MAX_BYTES:,} bytes.", err=True)
            return _EX_DATAERR
        # A mail server that comes again brings the same bytes; another delivery has another Received line.
        _take(installation.load(), Source.PIPE, _digest(raw), raw)
    except Exception as error:  # noqa: BLE001 - whatever it is, the mail must not be lost for it
        # What is written here may end in a mail to whoever wrote.
        click.echo(f"4.3.0 The mail cannot be stored now ({type(error).__name__}).", err=True)
        return _EX_TEMPFAIL
    return 0


@click.command()
def watch() -> None:
    """Watch the Maildir, and the IMAP mailbox where one is set, until told to stop."""
    loaded = installation.load()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: stop.set())
    watches = [_watch_maildir, _watch_imap] if loaded.settings.imap_host else [_watch_maildir]
    _side_by_side([partial(each, loaded, stop) for each in watches], stop)


def _watch_maildir(loaded: Installation, stop: Event) -> None:
    watching.watch(Maildir(loaded.settings.maildir_path), lambda delivery: _take_file(loaded, delivery), stop)


def _watch_imap(loaded: Installation, stop: Event) -> None:
    from inbox import imap_watching

    imap_watching.watch(loaded.settings, lambda delivery: _take_from_imap(loaded, delivery), stop)


def _side_by_side(watches: Iterable[Callable[[], None]], stop: Event) -> None:
    """Runs each watch in a thread until `stop` is set or one of them fails, and raises what that one did.

    A watch that does not end in time, as one that waits for a server that is silent, is left: it may end at any moment.
    """
    failures: list[Exception] = []

    def run(one: Callable[[], None]) -> None:
        try:
            one()
        except Exception as error:  # noqa: BLE001 - the process ends with it, and its supervisor starts another
            failures.append(error)
        stop.set()

    threads = [Thread(target=run, args=(each,), daemon=True) for each in watches]
    for thread in threads:
        thread.start()
    stop.wait()
    end = time.monotonic() + _GRACE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if failures:
        raise failures[0]


def _take_file(loaded: Installation, delivery: DeliveredFile) -> None:
    # A name alone may come twice, from a person who copies a file there; the same file after a crash has the same time.
    arrived = delivery.path.stat().st_mtime_ns
    _take(loaded, Source.MAILDIR, f"{delivery.id}:{arrived}:{_digest(delivery.raw)[:12]}", delivery.raw)


def _take_from_imap(loaded: Installation, delivery: Delivery) -> None:
    # A mailbox that was restored from a backup may count its mails from the same number again.
    _take(loaded, Source.IMAP, f"{delivery.id}:{_digest(delivery.raw)[:12]}", delivery.raw)


def _take(loaded: Installation, source: Source, delivery_id: str, raw: bytes) -> None:
    # Imported here, because it refuses wrong settings; a mail server must be told so in its own way.
    from tasks.taking import take

    take(loaded, source, delivery_id, raw)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
