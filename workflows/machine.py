"""The state machine of a reset case, and `fire`, the only door for a change of state.

One machine serves all cases (`model=None`); the guards look at the case that is handed in. A `Case` is a locked row:
`workflows.cases.locked` makes it and saves, in one transaction, what `fire` did to it.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from transitions import EventData, Machine, MachineError

from models.cases import OPEN_STATES, Actor, CaseState
from policy.vocabulary import Channel, MessageKind, ProofKind
from workflows import granting
from workflows.cases import Case
from workflows.history import Fact

logging.getLogger("transitions").setLevel(logging.WARNING)


class Refused(Exception):
    """The state machine does not allow this trigger now. Show the case; its state says what is possible next."""

    def __init__(self, trigger: str, state: CaseState) -> None:
        super().__init__(f"{trigger} is not possible while the case is {state}")
        self.state = state


def code_is_proven(event: EventData) -> bool:
    """The code came back from the pinned contact point."""
    return ProofKind.CODE in _case(event).proofs


def passphrase_is_settled(event: EventData) -> bool:
    """The passphrase was given, or none is set."""
    case = _case(event)
    return case.passphrase_hash is None or ProofKind.PASSPHRASE in case.proofs


def proofs_suffice(event: EventData) -> bool:
    """A sufficient set of proofs was met and recorded."""
    return _case(event).proof_set is not None


def hold_is_over(event: EventData) -> bool:
    """The hold of that set has ended."""
    hold_until = _case(event).hold_until
    return hold_until is not None and hold_until <= _now(event)


def is_too_old(event: EventData) -> bool:
    """The case's time is over."""
    return _case(event).expires_at <= _now(event)


def is_held(event: EventData) -> bool:
    """A supervisor has to look at the case first."""
    return _case(event).held_for is not None


def _tell(kind: MessageKind) -> Callable[[EventData], None]:
    return lambda event: _case(event).owe_notices(kind, _now(event))


def _withdraw_code(event: EventData) -> None:
    _case(event).withdraw_code(_now(event))


def _revoke_authenticators(event: EventData) -> None:
    _case(event).revoke_authenticators(_now(event))


def _grant_enrolment(event: EventData) -> None:
    """A new factor may be enrolled. After a call or a letter the customer goes on from the case's page."""
    case, now = _case(event), _now(event)
    granting.grant(case, now)
    if case.channel in {Channel.EMAIL, Channel.SMS} and case.contact_id is not None:
        case.owe(MessageKind.ENROLMENT_LINK, case.channel, case.contact_id, now)


_OPEN = sorted(OPEN_STATES)

MACHINE = Machine(
    model=None,
    states=CaseState,
    initial=CaseState.REQUESTED,
    auto_transitions=False,
    send_event=True,
    transitions=[
        {
            "trigger": "verify_contact",
            "source": CaseState.REQUESTED,
            "dest": CaseState.CONTACT_VERIFIED,
            "conditions": [code_is_proven],
        },
        {
            "trigger": "check_passphrase",
            "source": CaseState.CONTACT_VERIFIED,
            "dest": CaseState.PASSPHRASE_CHECKED,
            "conditions": [passphrase_is_settled],
        },
        {
            "trigger": "complete",
            "source": CaseState.PASSPHRASE_CHECKED,
            "dest": CaseState.COMPLETED,
            "conditions": [proofs_suffice, hold_is_over],
            # Proofs that old do not take effect all at once after an outage; a held case waits for a supervisor.
            "unless": [is_too_old, is_held],
            "after": [_withdraw_code, _revoke_authenticators, _grant_enrolment, _tell(MessageKind.NOTICE_COMPLETED)],
        },
        {
            "trigger": "cancel",
            "source": _OPEN,
            "dest": CaseState.CANCELLED,
            "after": [_withdraw_code, _tell(MessageKind.NOTICE_CANCELLED)],
        },
        {
            "trigger": "deny",
            "source": _OPEN,
            "dest": CaseState.DENIED,
            "after": [_withdraw_code, _tell(MessageKind.NOTICE_DENIED)],
        },
        {
            "trigger": "expire",
            "source": _OPEN,
            "dest": CaseState.EXPIRED,
            "conditions": [is_too_old],
            "after": [_withdraw_code],
        },
    ],
)


def fire(case: Case, trigger: str, *, actor: Actor, now: datetime, **facts: Fact) -> None:
    """Moves the case through `trigger` and puts the event, and the messages owed for it, on what the case will save.

    Raises `Refused` where the machine or its guards do not allow it; an unknown trigger is a bug, and a `KeyError`.
    """
    event = MACHINE.events[trigger]
    before = case.state
    try:
        moved = event.trigger(case, now=now)
    except MachineError:
        moved = False
    if not moved:
        raise Refused(trigger, before)
    if case.state not in OPEN_STATES:
        case.closed_at = now
    case.record(trigger, from_state=before, actor=actor, now=now, **facts)


def expire_if_due(case: Case, now: datetime) -> None:
    """Expires a case whose time is over but which the sweep has not met yet."""
    if case.is_open and case.expires_at <= now:
        fire(case, "expire", actor=Actor.SYSTEM, now=now)


def sources_of(trigger: str) -> frozenset[CaseState]:
    """The states that `trigger` may leave: for statements over many rows, so that there is one list of legal moves."""
    return frozenset(CaseState[move.source] for move in MACHINE.get_transitions(trigger))


def next_triggers(state: CaseState) -> tuple[str, ...]:
    """What the machine lists as possible from here; its guards may still refuse."""
    return tuple(MACHINE.get_triggers(state))


def _case(event: EventData) -> Case:
    case: Any = event.model
    assert isinstance(case, Case)  # noqa: S101 - tells the type checker what `fire` passed in
    return case


def _now(event: EventData) -> datetime:
    now: datetime = event.kwargs["now"]
    return now
