"""`keyturn account`: import accounts from the billing system, and show one."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import click

from cli.output import Output, Refusal, prints, table
from foundation import clock
from tasks.ringing import ring
from workflows import importing, importing_totp, installation, portal, views
from workflows.views import AccountView


@click.group()
def account() -> None:
    """Import and show accounts."""


@account.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@prints
def import_(file: Path) -> Output:
    """Import accounts from FILE.csv or FILE.json; all rows or none. docs/accounts.md names the columns."""
    imported = importing.import_accounts(installation.load(), read_rows(file), clock.now())
    ring(imported.owed)
    return Output(
        {"created": imported.created, "updated": imported.updated},
        f"{imported.created} created, {imported.updated} updated",
    )


@account.command("import-totp")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@prints
def import_totp(file: Path) -> Output:
    """Add authenticator apps to accounts from FILE.csv: a ref and an otpauth:// line each; all rows or none."""
    done = importing_totp.import_totp(installation.load(), read_lines(file), clock.now())
    ring(done.owed)
    weak = f"{done.weak} weak (a secret under 112 bits)"
    counts = {"added": done.added, "known": done.known, "weak": done.weak}
    return Output(counts, f"{done.added} added, {done.known} known already, {weak}")


@account.command()
@click.argument("ref")
@prints
def show(ref: str) -> Output:
    """Show the account REF: contact points (masked), preference, factors and cases."""
    view = views.account_view(installation.load(), ref)
    return Output(view, _text(view))


@account.command("settings-link")
@click.argument("ref")
@prints
def settings_link(ref: str) -> Output:
    """Print a link to the settings of the account REF, in a demo: otherwise the billing system asks for one."""
    loaded = installation.load()
    if not loaded.settings.is_demo:
        raise Refusal("Only in a demo: who holds the link is taken for the customer. The billing system makes them.")
    link = portal.make_link(loaded, ref, clock.now())
    return Output(link, link.url)


def read_rows(file: Path) -> list[Mapping[str, object]]:
    """The rows of a CSV file, or of a JSON file with a list of objects. Raises `Refusal`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if file.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise Refusal(f"{file}: cannot be read as {file.suffix.lstrip('.') or 'CSV'} ({error})") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(f"{file}: must be a list of objects, one an account")
    if not rows:
        raise Refusal(f"{file}: holds no account")
    return rows


def read_lines(file: Path) -> list[tuple[str, str]]:
    """The refs and otpauth lines of a CSV file of two columns, with or without a line of names. Raises `Refusal`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{file}: cannot be read as CSV ({error})") from None
    if lines and lines[0] == ["ref", "uri"]:
        del lines[0]
    if not lines:
        raise Refusal(f"{file}: holds no authenticator app")
    # A name in the otpauth line may hold a comma.
    return [(ref, ",".join(uri)) for ref, *uri in lines]


def _text(view: AccountView) -> str:
    preference = view.preference or "not set"
    backup = f", backup {view.backup}" if view.backup else ""
    disabled = f"\nresets are disabled since {view.resets_disabled_at:%Y-%m-%d}" if view.resets_disabled_at else ""
    contacts = table(
        ("contact", "where", "version", "verified"),
        [(each.kind, each.destination, each.version, each.verified_at) for each in view.contacts],
    )
    factors = table(
        ("factor", "name", "enrolled", "revoked"),
        [(each.kind, each.label, each.created_at, each.revoked_at) for each in view.authenticators],
    )
    cases = table(
        ("reset", "state", "opened", "closed"),
        [(each.reference, each.state, each.opened_at, each.closed_at) for each in view.cases],
    )
    return (
        f"{view.ref}  {view.name}, {view.country}: {view.status}{disabled}\n"
        f"reset preference: {preference}{backup}; passphrase: {'set' if view.passphrase_set else 'not set'}\n\n"
        f"{contacts}\n\n{factors}\n\n{cases}"
    )
