"""`keyturn reset`: cases from the command line, for support and for scripts.

Codes and passphrases come from a prompt or from standard input, never from the arguments: those stand in the shell's
history and in the list of processes.
"""

import getpass
import sys

import click

from cli.output import Output, Refusal, moment, prints, table
from cli.wording import word
from foundation import clock
from models.cases import Actor, CaseState
from tasks.ringing import ring
from workflows import closing, codes, installation, opening, proving, views
from workflows.answers import Answer
from workflows.references import read_reference
from workflows.views import CaseView, EventView, MessageView


class Reference(click.ParamType[str]):
    """A case's reference as somebody typed it."""

    name = "reference"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The reference in its one spelling; wrong usage where it is none."""
        return read_reference(value) or self.fail(f"{value} is not a reference such as R-7K2M-9QXW", param, ctx)


REFERENCE = click.argument("reference", type=Reference())


@click.group()
def reset() -> None:
    """Open, list, show, prove, resend and cancel reset cases."""


@reset.command("open")
@click.argument("ref")
@prints
def open_(ref: str) -> Output:
    """Open a case for the account REF, or name the one that is open."""
    opened = opening.open_case(installation.load(), ref, actor=Actor.AGENT, now=clock.now())
    ring(opened.owed)
    held = f", held: {opened.held_for}" if opened.held_for else ""
    return Output(opened, f"{opened.reference} {'was open already' if opened.joined else 'opened'}{held}")


@reset.command("list")
@click.option("--state", type=click.Choice([state.value for state in CaseState]), help="Only cases in this state.")
@prints
def list_(state: str | None) -> Output:
    """List the newest cases."""
    cases = views.list_cases(installation.load(), CaseState(state) if state else None)
    rows = [
        (each.reference, each.account, each.state, each.held_for, each.channel, each.opened_at, each.expires_at)
        for each in cases
    ]
    return Output(cases, table(("reset", "account", "state", "held for", "channel", "opened", "expires"), rows))


@reset.command()
@REFERENCE
@prints
def show(reference: str) -> Output:
    """Show a case, its history and its messages."""
    view, events, messages = views.case_with_history(installation.load(), reference)
    return Output({"case": view, "history": events, "messages": messages}, _text(view, events, messages))


@reset.command()
@REFERENCE
@prints
def verify(reference: str) -> Output:
    """Prove the contact point with the code, from a prompt or standard input."""
    code = _secret("Code: ")
    return _done(proving.prove_code(installation.load(), reference, code, actor=Actor.AGENT, now=clock.now()))


@reset.command()
@REFERENCE
@prints
def passphrase(reference: str) -> Output:
    """Give the reset passphrase, from a prompt or standard input."""
    secret = _secret("Passphrase: ")
    return _done(proving.prove_passphrase(installation.load(), reference, secret, actor=Actor.AGENT, now=clock.now()))


@reset.command()
@REFERENCE
@prints
def resend(reference: str) -> Output:
    """Send the code again."""
    return _done(codes.resend(installation.load(), reference, actor=Actor.AGENT, now=clock.now()))


@reset.command()
@REFERENCE
@prints
def release(reference: str) -> Output:
    """As a supervisor, let a held case go on; it runs the longest hold."""
    return _done(codes.release(installation.load(), reference, now=clock.now()))


@reset.command()
@REFERENCE
@prints
def cancel(reference: str) -> Output:
    """Cancel a case."""
    answer = closing.cancel(installation.load(), reference, actor=Actor.AGENT, now=clock.now(), how="command line")
    return _done(answer)


def _secret(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\r\n")


def _done(answer: Answer) -> Output:
    ring(answer.owed)
    if answer.problem:
        raise Refusal(word(answer))
    return Output(answer, f"{answer.reference} is {answer.state.replace('_', ' ')}")


def _text(view: CaseView, events: tuple[EventView, ...], messages: tuple[MessageView, ...]) -> str:
    history = table(
        ("#", "when", "event", "state", "by", "facts"),
        [(each.seq, each.at, each.event, each.to_state, each.actor, _facts(each)) for each in events],
    )
    sent = table(
        ("message", "channel", "to", "status", "since then", "attempts", "due", "sent"),
        [
            (
                *(each.kind, each.channel, each.destination, each.status, each.delivery),
                *(each.attempts, each.due_at, each.sent_at),
            )
            for each in messages
        ],
    )
    return "\n".join((*_summary(view), "", history, "", sent))


def _summary(view: CaseView) -> list[str]:
    lines = [
        f"{view.reference}  account {view.account}: {view.state}{f', held: {view.held_for}' if view.held_for else ''}",
        f"opened {moment(view.opened_at)}, expires {moment(view.expires_at)}",
        f"code by {view.channel or '-'} to {view.destination or '-'}",
    ]
    if view.closed_at:
        lines.append(f"closed {moment(view.closed_at)}")
    if view.hold_until:
        remark = f" ({view.remark})" if view.remark else ""
        lines.append(f"proofs: {view.proof_set}{remark}, hold until {moment(view.hold_until)}")
    return lines


def _facts(event: EventView) -> str:
    if event.facts is None:
        return "(erased)"
    return ", ".join(f"{name}: {value}" for name, value in event.facts.items() if value is not None)
