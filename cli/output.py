"""How every command ends: what it found as text or, with `--json`, as JSON; a refusal as one line and exit status 1."""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any, NoReturn, ParamSpec
from uuid import UUID

import click

P = ParamSpec("P")
_AS_JSON = "keyturn.as_json"


@dataclass(frozen=True, slots=True)
class Output:
    """What a command found: `data` for programs (dataclasses, lists, dicts), `text` for people."""

    data: object
    text: str


class Refusal(Exception):
    """The command was understood and refused; its text says why in one line. Exit status 1."""


def prints(command: Callable[P, Output]) -> Callable[P, None]:
    """Gives a command `--json` and prints its output."""

    @functools.wraps(command)
    def printing(*args: P.args, **kwargs: P.kwargs) -> None:
        output = command(*args, **kwargs)
        as_json = click.get_current_context().meta[_AS_JSON]
        click.echo(json.dumps(plain(output.data), ensure_ascii=False, indent=2) if as_json else output.text)

    return click.option(
        "--json", is_flag=True, help="Print JSON.", expose_value=False, callback=_remember, is_eager=True
    )(printing)


def _remember(context: click.Context, _option: click.Parameter, as_json: bool) -> None:  # noqa: FBT001 - click's call
    context.meta[_AS_JSON] = as_json


def refuse(reason: str) -> NoReturn:
    """Ends the process with the reason, as JSON where that was asked for, and exit status 1."""
    if "--json" in sys.argv:
        click.echo(json.dumps({"refused": reason}, ensure_ascii=False))
    else:
        click.echo(reason, err=True)
    sys.exit(1)


def plain(value: Any) -> Any:
    """`value` with dataclasses as objects and times in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns under their names; a time in UTC to the minute, nothing as a dash."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return moment(value) if isinstance(value, datetime) else str(value)


def moment(at: datetime) -> str:
    """A time as people read it in a table: `2026-11-24 18:05 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
