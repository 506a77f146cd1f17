"""`keyturn inbox show`, `open-case`, `dismiss` and `page`: what a person does with held mail."""

import getpass
from uuid import UUID

import click

from cli.output import Output, prints
from foundation import clock
from tasks.ringing import ring
from tasks.showing import ShownMail
from tasks.showing import show as shown
from workflows import held, installation
from workflows.entering import link_for

MAIL = click.argument("mail", type=click.UUID, metavar="MAIL")
BY = click.option(
    "--by", default=getpass.getuser, show_default="your login", help="Who decides; kept with the decision."
)


@click.command()
@MAIL
@prints
def show(mail: UUID) -> Output:
    """Show the MAIL with its verdict; codes, numbers and what may be a passphrase are hidden."""
    found = shown(installation.load(), mail)
    return Output(found, _told(found))


@click.command("open-case")
@MAIL
@click.option("--account", required=True, metavar="REF", help="The account that the mail is about.")
@BY
@prints
def open_case(mail: UUID, account: str, by: str) -> Output:
    """Open a reset for the held MAIL, or join the one that is open."""
    opened = held.open_case_for(installation.load(), mail, account, by=by, now=clock.now())
    ring(opened.owed)
    return Output(opened, f"{opened.reference} {'was open already' if opened.joined else 'opened'}")


@click.command()
@MAIL
@BY
@prints
def dismiss(mail: UUID, by: str) -> Output:
    """Put the held MAIL aside: it opens nothing."""
    held.dismiss(installation.load(), mail, by=by, now=clock.now())
    return Output({"dismissed": mail}, "Dismissed.")


@click.command()
@BY
@prints
def page(by: str) -> Output:
    """Print a link to the page of held mail. It lets in whoever has it, under this name, for 10 minutes."""
    link = link_for(installation.load(), by, clock.now())
    return Output({"link": link}, f"{link}\nOpen it within 10 minutes; the page stays open for 8 hours.")


def _told(mail: ShownMail) -> str:
    about = mail.about
    facts = [
        ("received", f"{about.received_at:%Y-%m-%d %H:%M} UTC"),
        ("from", mail.sender),
        ("accounts", ", ".join(mail.accounts)),
        ("sender", about.authenticity),
        ("verdict", about.verdict),
        ("why", about.reasons),
        ("reset", about.reference),
        ("decided by", about.decided_by),
        ("subject", mail.subject),
    ]
    head = "\n".join(f"{name:<11}{value}" for name, value in facts if value)
    return f"{head}\n\n{mail.text if mail.text is not None else '(Its text cannot be shown.)'}"
