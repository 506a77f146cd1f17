"""What is missing or wrong: the settings, the policy, the database, the broker, each channel, and what is late."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

import migrations
from authenticators.relying_party import OtherRelyingParty
from cli.output import Output, Refusal, moment, prints, table
from foundation import clock, keyring
from foundation.settings import Settings
from notifiers.directory import available
from policy import rules
from policy.vocabulary import Channel
from workflows import breaker, installation, upkeep
from workflows.breaker import Stopped
from workflows.installation import Installation


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `problem` is None where it is well."""

    what: str
    problem: str | None


@click.command()
@prints
def doctor() -> Output:
    """Say what is missing or wrong. Exit status 1 if anything is."""
    findings = list(_findings(installation.load()))
    text = table(("what", "how it is"), [(each.what, each.problem or "well") for each in findings])
    if any(each.problem for each in findings):
        raise Refusal(text)
    return Output(findings, text)


@click.group()
def config() -> None:
    """Check the settings."""


@config.command("check")
@prints
def config_check() -> Output:
    """Check settings, policy and keys without starting anything."""
    loaded = installation.load()
    return Output({"mode": loaded.settings.mode, "data_dir": str(loaded.settings.data_dir)}, "The settings are right.")


@click.group()
def policy() -> None:
    """Check a policy file."""


@policy.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@prints
def policy_check(file: Path) -> Output:
    """Say whether the policy in FILE can be used, or name each wrong line."""
    rules.load(file)
    return Output({"file": str(file)}, f"{file}: can be used.")


@click.command("new-key")
@prints
def new_key_command() -> Output:
    """Make an encryption key for KEYTURN_KEYS."""
    key = keyring.new_key()
    return Output({"key": key}, key)


def _findings(loaded: Installation) -> Iterator[Finding]:
    yield Finding("settings and policy", None)
    tables = _problem(lambda: None if migrations.is_current(loaded.database) else "run `keyturn migrate`")
    yield Finding("database", tables)
    yield Finding("broker", _problem(_reach_broker))
    if loaded.settings.imap_host:
        yield Finding("IMAP mailbox", _problem(lambda: _open_mailbox(loaded)))
    stopped = {each.channel: each for each in breaker.stopped(loaded)} if tables is None else {}
    for channel, reason in available(loaded.settings).items():
        yield Finding(f"channel {channel}", reason or _stopped(stopped.get(channel)))
    yield from _deaf_to(loaded.settings)
    if tables is None:
        yield Finding("security keys", _problem_with_keys(loaded))
        yield Finding("messages", _late(loaded))


def _deaf_to(settings: Settings) -> Iterator[Finding]:
    """The vendors whose reports are refused for want of a secret: what bounces there is never heard of."""
    reports = (
        (Channel.EMAIL, "SendGrid", "SENDGRID_WEBHOOK_KEY", settings.sendgrid_webhook_key),
        (Channel.MAIL, "Lob", "LOB_WEBHOOK_SECRET", settings.lob_webhook_secret.get_secret_value()),
    )
    reasons = available(settings)
    for channel, vendor, name, secret in reports:
        if not settings.is_demo and reasons[channel] is None:
            problem = None if secret else f"refused: KEYTURN_{name} is not set, so nothing that bounces is heard of"
            yield Finding(f"reports of {vendor}", problem)


def _problem_with_keys(loaded: Installation) -> str | None:
    try:
        installation.require_usable_keys(loaded)
    except OtherRelyingParty as fault:
        return str(fault)
    if not loaded.settings.key_origins:
        return f"no browser uses them at {loaded.settings.public_url}: KEYTURN_PUBLIC_URL needs https:// and a name"
    return None


def _problem(look: Callable[[], str | None]) -> str | None:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor was asked for
        return f"cannot be reached ({type(error).__name__})"


def _reach_broker() -> None:
    from tasks.broker import app

    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=3)


def _open_mailbox(loaded: Installation) -> str | None:
    from inbox import imap

    try:
        with imap.opened(loaded.settings):
            return None
    except imap.Unavailable as reason:
        return str(reason)


def _stopped(stopped: Stopped | None) -> str | None:
    if stopped is None:
        return None
    return (
        f"stopped since {moment(stopped.stopped_at)}: {stopped.reason}. Its messages wait; it is tried again "
        f"at {moment(stopped.probe_at)}"
    )


def _late(loaded: Installation) -> str | None:
    late = upkeep.count_late(loaded, clock.now() - upkeep.LATE)
    return f"{late} are late by more than 2 minutes: is a worker running?" if late else None
