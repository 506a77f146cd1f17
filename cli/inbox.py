"""`keyturn inbox`: take in a mail by hand, watch the Maildir, and list what came."""

import hashlib
import signal
import sys
from pathlib import Path
from threading import Event
from uuid import uuid4

import click

from cli import held
from cli.output import Output, Refusal, prints, table
from foundation import clock
from inbox.maildir import Delivery, Maildir
from inbox.watching import watch
from models.inbound import Verdict
from tasks.ringing import ring_for_mails
from workflows import installation, intake, views
from workflows.installation import Installation


@click.group()
def inbox() -> None:
    """Take in mails, watch the inbox, decide on held mail."""


for command in (held.show, held.open_case, held.dismiss, held.page):
    inbox.add_command(command)


@inbox.command()
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
@prints
def add(file: Path) -> Output:
    """Take in the mail in FILE, or on standard input if FILE is `-`."""
    raw = _raw(file)
    mail_id = intake.store(installation.load(), "file", str(uuid4()), raw, clock.now())
    if mail_id is not None:
        ring_for_mails([mail_id])
    return Output({"mail_id": mail_id}, f"Stored as {mail_id}; a worker judges it.")


@inbox.command("list")
@click.option("--held", "only_held", is_flag=True, help="Only mails that wait for a person.")
@prints
def list_(only_held: bool) -> Output:  # noqa: FBT001 - click's call
    """List the newest mails and what became of them."""
    mails = views.list_mails(installation.load(), Verdict.HELD if only_held else None)
    rows = [(each.id, each.received_at, each.sender, each.verdict, each.reference, each.reasons) for each in mails]
    return Output(mails, table(("mail", "received", "from", "verdict", "reset", "why"), rows))


@inbox.command("watch")
def watch_() -> None:
    """Watch the Maildir until told to stop."""
    loaded = installation.load()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: stop.set())
    watch(Maildir(loaded.settings.maildir_path), lambda delivery: take(loaded, delivery), stop)


def take(loaded: Installation, delivery: Delivery) -> None:
    """Stores a delivery from the Maildir, once, and rings for its judge."""
    mail_id = intake.store(loaded, "maildir", _unique(delivery), delivery.raw, clock.now())
    if mail_id is not None:
        ring_for_mails([mail_id])


def _unique(delivery: Delivery) -> str:
    # A name alone may come twice, from a person who copies a file there; the same file after a crash has the same time.
    digest = hashlib.sha256(delivery.raw).hexdigest()[:12]
    return f"{delivery.id}:{delivery.path.stat().st_mtime_ns}:{digest}"


def _raw(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Refusal(f"{file}: cannot be read ({error.strerror})") from None
