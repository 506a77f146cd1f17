"""What an operator runs by hand: migrate, sweep, audit, and a demo's clock."""

import re
from datetime import timedelta

import click

import migrations
from cli.output import Output, Refusal, moment, prints
from foundation import clock
from tasks.ringing import ring
from workflows import history, installation, upkeep


@click.command()
@prints
def migrate() -> Output:
    """Bring the database up to date. Safe to run twice, and at once from two machines."""
    migrations.migrate(installation.load().database)
    return Output({"migrated": True}, "The database is up to date.")


@click.command()
@prints
def sweep() -> Output:
    """Expire what is too old, complete ended holds and erase old mails, now."""
    swept = upkeep.sweep(installation.load(), clock.now())
    ring(swept.owed)
    return Output(swept, f"{swept.expired} expired, {swept.completed} completed, {swept.erased} mails erased")


@click.group()
def audit() -> None:
    """Verify that no history was changed."""


@audit.command()
@prints
def verify() -> Output:
    """Walk all histories; name the first broken line of each that is broken, and refuse."""
    with installation.load().database.read() as connection:
        broken = list(history.broken_lines(connection))
    if broken:
        raise Refusal("\n".join(f"{each.reference} line {each.seq}: {each.fault}" for each in broken))
    return Output({"broken": []}, "Every history is whole.")


@click.group("clock")
def clock_group() -> None:
    """Move a demo's clock ahead."""


@clock_group.command()
@click.argument("by")
@prints
def advance(by: str) -> Output:
    """Move the clock ahead BY a time such as 90s, 10m, 25h or 30d."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", by)
    if not found:
        raise click.BadParameter("must be a time such as 90s, 10m, 25h or 30d")
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    now = clock.advance(installation.load().settings, timedelta(seconds=seconds))
    return Output({"now": now}, f"It is now {moment(now)}.")
