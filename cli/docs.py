"""`keyturn docs`: what the documentation shows, made from the program itself."""

import click

from cli.output import Output, prints
from models.cases import OPEN_STATES, CaseState
from workflows.machine import MACHINE


@click.group()
def docs() -> None:
    """Draw the state machine."""


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
