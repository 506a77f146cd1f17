"""`keyturn inbox`: take in a mail by hand, and list what came. What takes mails in by itself is in `cli.sources`."""

import sys
from pathlib import Path
from uuid import uuid4

import click

from cli.lazy import LazyGroup
from cli.output import Output, Refusal, prints, table
from inbox.packages import Source
from workflows import installation, views


@click.group(
    cls=LazyGroup,
    lazy={
        "add": ("cli.inbox:add", "Take in the mail in FILE, or on standard input if FILE is `-`."),
        # A mail server sends mail back for whatever may go wrong when the commands below are imported.
        "pipe": ("cli.sources:pipe", "Take in the mail on standard input, for a mail server's pipe."),
        "watch": ("cli.sources:watch", "Watch the Maildir, and the IMAP mailbox where one is set."),
        "list": ("cli.inbox:list_", "List the newest mails and what became of them."),
        "show": ("cli.held:show", "Show the MAIL with its verdict."),
        "open-case": ("cli.held:open_case", "Open a reset for the held MAIL, or join the one that is open."),
        "dismiss": ("cli.held:dismiss", "Put the held MAIL aside: it opens nothing."),
        "page": ("cli.held:page", "Print a link to the page of held mail."),
    },
)
def inbox() -> None:
    """Take in mails, watch the inbox, decide on held mail."""


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, path_type=Path))
@prints
def add(file: Path) -> Output:
    """Take in the mail in FILE, or on standard input if FILE is `-`."""
    # Imported here, because it refuses wrong settings, which `pipe` has to tell a mail server in its own way.
    from tasks.taking import take

    mail_id = take(installation.load(), Source.FILE, str(uuid4()), _raw(file))
    return Output({"mail_id": mail_id}, f"Stored as {mail_id}; a worker judges it.")


@click.command("list")
@click.option("--held", "only_held", is_flag=True, help="Only mails that wait for a person.")
@prints
def list_(only_held: bool) -> Output:  # noqa: FBT001 - click's call
    """List the newest mails and what became of them, or the oldest that wait for a person."""
    listed = views.waiting_mails if only_held else views.list_mails
    mails = listed(installation.load())
    rows = [(each.id, each.received_at, each.sender, each.verdict, each.reference, each.reasons) for each in mails]
    return Output(mails, table(("mail", "received", "from", "verdict", "reset", "why"), rows))


def _raw(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Refusal(f"{file}: cannot be read ({error.strerror})") from None
