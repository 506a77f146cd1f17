"""The `keyturn` command: its sub-commands, imported only when they run, and what a person sees when one fails."""

import os
import sys
import traceback
from importlib.metadata import version

import click

from cli.lazy import LazyGroup
from cli.output import Refusal, refuse
from foundation.redaction import redact


@click.group(
    cls=LazyGroup,
    lazy={
        "demo": ("cli.processes:demo", "Try it: sample accounts, a moving clock, nothing leaves the machine."),
        "up": ("cli.processes:up", "Run web, worker, beat and inbox watcher in this terminal."),
        "web": ("cli.processes:web", "Run the web process alone."),
        "inbox": ("cli.inbox:inbox", "Take in mails, watch the inbox, decide on held mail."),
        "reset": ("cli.resets:reset", "Open, list, show, prove, resend and cancel reset cases."),
        "account": ("cli.accounts:account", "Import and show accounts."),
        "api-key": ("cli.api_keys:api_key", "Make, list and revoke keys of the REST API."),
        "sweep": ("cli.upkeep:sweep", "Expire what is too old and complete ended holds, now."),
        "audit": ("cli.upkeep:audit", "Verify that no history was changed."),
        "migrate": ("cli.upkeep:migrate", "Bring the database up to date."),
        "doctor": ("cli.doctor:doctor", "Say what is missing or wrong."),
        "config": ("cli.doctor:config", "Check the settings."),
        "policy": ("cli.doctor:policy", "Check a policy file."),
        "new-key": ("cli.doctor:new_key_command", "Make an encryption key."),
        "clock": ("cli.upkeep:clock_group", "Move a demo's clock ahead."),
        "letter": ("cli.letter:letter", "Look at the letters that customers get."),
        "docs": ("cli.docs:docs", "Print the state machine, the settings and the catalogue of texts."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(version("keyturn"), "--version", message="Keyturn %(version)s")
def keyturn() -> None:
    """Keyturn resets lost second factors."""


def main() -> None:
    """Runs the command line. Exit status 0 done, 1 refused, 2 wrong usage; no traceback reaches a person."""
    try:
        keyturn.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except Refusal as refusal:
        refuse(str(refusal))
    except Exception as error:  # noqa: BLE001 - the last stop before a person
        _show_where_if_asked(error)
        refuse(_in_one_line(error))


def _show_where_if_asked(error: Exception) -> None:
    if os.environ.get("KEYTURN_LOG_LEVEL") == "DEBUG":
        click.echo(redact("".join(traceback.format_exception(error))), err=True)


def _in_one_line(error: Exception) -> str:
    # By name, so that `keyturn --help` does not import what defines them.
    name = type(error).__name__
    if name in _SAID_WELL:
        return str(error)
    if name in {"OperationalError", "ProgrammingError"}:
        return "The database did not do as asked: is it running, and are its tables up to date (`keyturn migrate`)?"
    return f"Something went wrong inside Keyturn ({name}). KEYTURN_LOG_LEVEL=DEBUG shows where."


_SAID_WELL = {
    "BadKey",
    "NotHeld",
    "UnknownMail",
    "BadPolicy",
    "BadSettings",
    "ClockStandsStill",
    "NothingImported",
    "OtherRelyingParty",
    "ResetsDisabled",
    "UnknownAccount",
    "UnknownCase",
}


if __name__ == "__main__":
    main()
