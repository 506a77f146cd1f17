"""`keyturn docs`: what the documentation shows, made from the program itself."""

from dataclasses import dataclass
from types import MappingProxyType

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cli import catalogue as texts
from cli.output import Output, prints
from foundation.settings import PREFIX, Settings
from models.cases import OPEN_STATES, CaseState
from workflows.machine import MACHINE

_HEADINGS = MappingProxyType(
    {
        "database": "Database and broker",
        "broker": "Database and broker",
        "queue": "Database and broker",
        "public": "Pages",
        "web": "Pages",
        "rp": "Security keys",
        "origins": "Security keys",
        "maildir": "Support inbox",
        "inbox": "Support inbox",
        "helpdesk": "Support inbox",
        "authserv": "Support inbox",
        "boundary": "Support inbox",
        "dkim": "Support inbox",
        "imap": "Support inbox",
        "worker": "Worker",
        "lease": "Worker",
        "relay": "Worker",
        "sweep": "Worker",
        "brand": "Brand",
        "sendgrid": "SendGrid",
        "twilio": "Twilio",
        "lob": "Lob",
    }
)
"""Where a setting stands, by the first word of its name; all others are general."""

_ABOUT_CONFIGURATION = """\
# Configuration

Keyturn is set up by environment variables alone. A wrong one is named at start, and nothing starts; `./run config
check` looks at all of them. A variable that is set to nothing counts as not set. Each process of an installation, and
each command, must be given the same ones.

`./run docs configuration` prints this page from `foundation/settings.py`."""


@click.group()
def docs() -> None:
    """Print the state machine, the settings and the catalogue of texts."""


@docs.command()
@prints
def diagram() -> Output:
    """Print the state machine as a Mermaid diagram."""
    moves = [
        (CaseState[str(move.source)], name, CaseState[str(move.dest)])
        for name, event in MACHINE.events.items()
        for moves in event.transitions.values()
        for move in moves
    ]
    lines = ["stateDiagram-v2", f"    [*] --> {CaseState[str(MACHINE.initial)]}"]
    lines += [f"    {source} --> {dest}: {name}" for source, name, dest in moves]
    lines += [f"    {state} --> [*]" for state in CaseState if state not in OPEN_STATES]
    return Output({"moves": moves}, "\n".join(lines))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as its reader needs it; a secret one shows no default."""

    heading: str
    variable: str
    default: str
    description: str


@docs.command()
@prints
def configuration() -> Output:
    """Print docs/configuration.md, made from the settings."""
    settings = [_setting(name, field) for name, field in Settings.model_fields.items()]
    parts = [_ABOUT_CONFIGURATION]
    for heading in dict.fromkeys(["General", *_HEADINGS.values()]):
        rows = [_row(each) for each in settings if each.heading == heading]
        parts.append(
            "\n".join([f"## {heading}", "", "| variable | default | what it is |", "| --- | --- | --- |", *rows])
        )
    return Output(settings, "\n\n".join(parts))


@docs.command()
@prints
def catalogue() -> Output:
    """Print notifiers/locale/keyturn.pot, from which translations are made."""
    return Output(list(texts.texts()), texts.template())


def _setting(name: str, field: FieldInfo) -> Setting:
    heading = _HEADINGS.get(name.partition("_")[0], "General")
    return Setting(heading, f"{PREFIX}{name.upper()}", _default(field.default), field.description or "")


def _default(value: object) -> str:
    return "" if isinstance(value, SecretStr) or value in (None, ()) else str(value)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    return f"| `{setting.variable}` | {default} | {setting.description} |"
