"""The `keyturn` command: its sub-commands, imported only when they run, and what a person sees when one fails."""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import click

from cli.output import Refusal, refuse
from foundation.redaction import redact


class LazyGroup(click.Group):
    """A group that knows its commands' one-line helps, so that `--help` imports none of them."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        """`lazy` maps a command's name to where it is (`module:attribute`) and its help."""
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, attribute = self.lazy[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes names and helps from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])


@click.group(
    cls=LazyGroup,
    lazy={
        "demo": ("cli.processes:demo", "Try it: sample accounts, a moving clock, nothing leaves the machine."),
        "up": ("cli.processes:up", "Run web, worker, beat and inbox watcher in this terminal."),
        "web": ("cli.processes:web", "Run the web process alone."),
        "inbox": ("cli.inbox:inbox", "Take in mails, watch the inbox, decide on held mail."),
        "reset": ("cli.resets:reset", "Open, list, show, prove, resend and cancel reset cases."),
        "account": ("cli.accounts:account", "Import and show accounts."),
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
    "ResetsDisabled",
    "UnknownAccount",
    "UnknownCase",
}


if __name__ == "__main__":
    main()
