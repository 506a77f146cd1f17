"""`keyturn api-key`: keys with which the billing system calls the REST API."""

import click

from cli.output import Output, Refusal, prints, table
from foundation import clock
from workflows import api_keys, installation
from workflows.api_keys import NameTaken, UnknownKey

_LONGEST_NAME = 100


@click.group("api-key")
def api_key() -> None:
    """Make, list and revoke keys of the REST API."""


@api_key.command()
@click.argument("name")
@prints
def add(name: str) -> Output:
    """Make a key called NAME, and print it: nothing can show it again."""
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Refusal(f"A name has 1 to {_LONGEST_NAME} printable characters.")
    try:
        key = api_keys.add(installation.load(), name, clock.now())
    except NameTaken as taken:
        raise Refusal(f"{taken}. Take another name, or revoke it first.") from None
    click.echo("Store it now: it is not shown again.", err=True)
    return Output({"name": name, "key": key}, key)


@api_key.command("list")
@prints
def list_() -> Output:
    """List all keys, revoked ones too."""
    keys = api_keys.keys(installation.load())
    rows = [(each.name, each.created_at, each.last_used_at, each.revoked_at) for each in keys]
    return Output(keys, table(("name", "made", "last used", "revoked"), rows) if rows else "no keys")


@api_key.command()
@click.argument("name")
@prints
def revoke(name: str) -> Output:
    """The key called NAME works no longer."""
    try:
        api_keys.revoke(installation.load(), name, clock.now())
    except UnknownKey as unknown:
        raise Refusal(f"{unknown}. `keyturn api-key list` names them.") from None
    return Output({"revoked": name}, f"{name} is revoked")
