"""Closing: cancelling by whoever may, the stop link, and that nothing works on a case that is closed."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import pytest

from models.cases import Actor, CaseState
from policy.vocabulary import MessageKind
from tests.installations import (
    DAY,
    HOUR,
    PASSPHRASE,
    START,
    Started,
    deliver_all,
    email_account,
    sms_account,
    start_case,
    wrong,
)
from tests.workflows.racing import at_once
from workflows.answers import Answer, Problem
from workflows.cases import UnknownCase
from workflows.closing import cancel, is_stop_token, stop_token
from workflows.codes import resend
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.proving import attest_password, prove_code, prove_link, prove_passphrase
from workflows.upkeep import sweep
from workflows.views import case_view, case_with_history

LATER = START + 4 * DAY


def stop(installation: Installation, reference: str, now: datetime = START) -> Answer:
    return cancel(installation, reference, actor=Actor.CUSTOMER, now=now, how="stop link")


@pytest.mark.parametrize("actor", [Actor.CUSTOMER, Actor.AGENT])
def test_a_cancelled_case_says_who_did_it_and_how_and_tells_everybody_else(
    installation: Installation, actor: Actor
) -> None:
    case = start_case(installation, sms_account(installation))
    answer = cancel(installation, case.reference, actor=actor, now=START + HOUR, how="by telephone")
    assert (answer.problem, answer.state, answer.closed_at) == (None, CaseState.CANCELLED, START + HOUR)
    _, events, _ = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].actor, events[-1].facts) == ("cancel", actor, {"how": "by telephone"})
    parcels = deliver_all(installation, answer.owed, START + HOUR)
    assert [each.kind for each in parcels] == [MessageKind.NOTICE_CANCELLED] * 2
    assert [each.stop_token for each in parcels] == [None, None]


def test_a_held_case_can_be_cancelled(installation: Installation) -> None:
    ref = email_account(installation, preference="", primary_email_verified="", two_factor_email_verified="")
    opened = open_case(installation, ref, actor=Actor.AGENT, now=START)
    assert stop(installation, opened.reference).state is CaseState.CANCELLED


def test_a_case_whose_contact_is_proven_can_be_cancelled(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    prove_link(installation, case.reference, case.token, now=START)
    assert stop(installation, case.reference).state is CaseState.CANCELLED


def test_threads_that_cancel_and_prove_at_once_agree_on_one_end(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    attest_password(installation, case.reference, signed_in_at=START, now=START)
    proven, stopped = at_once(
        lambda: prove_link(installation, case.reference, case.token, now=START),
        lambda: stop(installation, case.reference),
    )
    assert {proven.problem, stopped.problem} == {None, Problem.CLOSED}
    won = CaseState.COMPLETED if stopped.problem else CaseState.CANCELLED
    assert {proven.state, stopped.state} == {won}
    assert case_view(installation, case.reference).state is won


def test_every_message_of_an_open_case_carries_the_token_that_stops_it(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    tokens = {each.stop_token for each in deliver_all(installation, opened.owed, START)}
    assert tokens == {stop_token(installation, opened.case_id)}


def test_the_stop_token_is_that_of_one_case_and_nothing_else(installation: Installation) -> None:
    one = start_case(installation, email_account(installation))
    other = start_case(installation, email_account(installation, "HANNA"))
    token = stop_token(installation, one.id)
    assert len(token) == 64
    assert is_stop_token(installation, one.id, token)
    shown = ("", "zz", "\u00e9", token[:-2], token + "00", one.token, one.code, stop_token(installation, other.id))
    assert not any(is_stop_token(installation, one.id, each) for each in shown)
    assert prove_link(installation, one.reference, token, now=START).problem is Problem.WRONG_LINK


def closed_by_completing(installation: Installation, case: Started) -> None:
    prove_link(installation, case.reference, case.token, now=START + HOUR)
    prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=START + HOUR)


def closed_by_cancelling(installation: Installation, case: Started) -> None:
    stop(installation, case.reference, START + HOUR)


def closed_by_wrong_tries(installation: Installation, case: Started) -> None:
    prove_link(installation, case.reference, case.token, now=START + HOUR)
    for _ in range(10):
        prove_passphrase(installation, case.reference, "wrong", actor=Actor.CUSTOMER, now=START + HOUR)


def closed_by_the_sweep(installation: Installation, _case: Started) -> None:
    sweep(installation, START + 3 * DAY)


ENDS: dict[CaseState, tuple[Callable[[Installation, Started], None], datetime]] = {
    CaseState.COMPLETED: (closed_by_completing, START + HOUR),
    CaseState.CANCELLED: (closed_by_cancelling, START + HOUR),
    CaseState.DENIED: (closed_by_wrong_tries, START + HOUR),
    CaseState.EXPIRED: (closed_by_the_sweep, START + 3 * DAY),
}


Step: TypeAlias = Callable[[Installation, Started, datetime], Answer]
BY = Actor.CUSTOMER
STEPS: dict[str, Step] = {
    "right code": lambda keyturn, case, now: prove_code(keyturn, case.reference, case.code, actor=BY, now=now),
    "wrong code": lambda keyturn, case, now: prove_code(keyturn, case.reference, wrong(case.code), actor=BY, now=now),
    "right link": lambda keyturn, case, now: prove_link(keyturn, case.reference, case.token, now=now),
    "wrong link": lambda keyturn, case, now: prove_link(keyturn, case.reference, "another", now=now),
    "passphrase": lambda keyturn, case, now: prove_passphrase(keyturn, case.reference, PASSPHRASE, actor=BY, now=now),
    "wrong passphrase": lambda keyturn, case, now: prove_passphrase(keyturn, case.reference, "x", actor=BY, now=now),
    "password sign-in": lambda keyturn, case, now: attest_password(keyturn, case.reference, signed_in_at=now, now=now),
    "code again": lambda keyturn, case, now: resend(keyturn, case.reference, actor=BY, now=now),
    "cancel": lambda keyturn, case, now: stop(keyturn, case.reference, now),
}


@pytest.mark.parametrize(("state", "end", "closed_at"), [(state, *end) for state, end in ENDS.items()], ids=list(ENDS))
def test_nothing_works_on_a_closed_case_and_the_answer_says_when_it_closed(
    installation: Installation,
    state: CaseState,
    end: Callable[[Installation, Started], None],
    closed_at: datetime,
) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    end(installation, case)
    before = case_with_history(installation, case.reference)
    assert before[0].state is state
    answers = [step(installation, case, LATER) for step in STEPS.values()]
    assert {(each.problem, each.state, each.closed_at, each.owed) for each in answers} == {
        (Problem.CLOSED, state, closed_at, ())
    }
    assert case_with_history(installation, case.reference) == before


def test_a_case_whose_time_is_over_is_closed_by_the_first_who_meets_it(installation: Installation) -> None:
    now = START + 3 * DAY
    for ref, step in zip("ABCDEFGHI", STEPS.values(), strict=True):
        case = start_case(installation, email_account(installation, ref))
        answer = step(installation, case, now)
        assert (answer.problem, answer.state, answer.closed_at) == (Problem.CLOSED, CaseState.EXPIRED, now)
        _, events, _ = case_with_history(installation, case.reference)
        assert [(line.event, line.actor) for line in events[1:]] == [("expire", Actor.SYSTEM)]


def test_a_case_that_does_not_exist_cannot_be_cancelled(installation: Installation) -> None:
    with pytest.raises(UnknownCase):
        stop(installation, "R-0000-0000")
