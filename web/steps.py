"""The way of a reset as its customer sees it: what is done, what comes now, what is still to come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.cases import CaseState
from workflows.views import CaseView


class Mark(StrEnum):
    """Where a step stands; the page shows the word itself."""

    DONE = "Done"
    NOW = "Now"
    TO_COME = "To come"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, in words."""

    text: str
    mark: Mark


def steps(view: CaseView, now: datetime, *, is_enrolled: bool = False) -> list[Step]:
    """All steps of a case whose code was given, in order; at most one of them is now."""
    listed: list[Step] = []
    for text, is_done in _parts(view, now, is_enrolled=is_enrolled):
        before = all(step.mark is Mark.DONE for step in listed)
        mark = Mark.DONE if is_done else Mark.NOW if before else Mark.TO_COME
        listed.append(Step(text, mark))
    return listed


def _parts(view: CaseView, now: datetime, *, is_enrolled: bool) -> Iterator[tuple[str, bool]]:
    """The words of each step, and whether it is done."""
    yield "You give the code", True
    if view.passphrase_set:
        yield "You give your reset passphrase", not view.needs_passphrase
    if is_password_missing(view):
        yield "You sign in with your password", False
    if hold_until := _hold(view):
        yield "We wait, so that it can still be stopped", hold_until <= now
    completed = view.state is CaseState.COMPLETED
    yield "We remove your old second steps", completed
    yield "You set up a new second step", is_enrolled


def is_password_missing(view: CaseView) -> bool:
    """Whether the operator asks for more than the code, and the password sign-in is what is left."""
    return view.state is CaseState.PASSPHRASE_CHECKED and view.proof_set is None


def _hold(view: CaseView) -> datetime | None:
    """The end of the hold, where there was or is one to wait for."""
    last_proof = max((proof.met_at for proof in view.proofs), default=view.opened_at)
    return view.hold_until if view.hold_until and view.hold_until > last_proof else None
