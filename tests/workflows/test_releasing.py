"""A held case: it waits for a supervisor, runs the longest hold, and goes on when the supervisor has let it."""

import pytest
from sqlalchemy import update

from models.accounts import ContactPoint
from models.cases import Actor, CaseState, HeldFor
from policy.vocabulary import Channel, ContactKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    START,
    Started,
    by_hand,
    code_parcel,
    deliver_all,
    email_account,
    sms_account,
    start_case,
)
from workflows.answers import Problem
from workflows.cases import UnknownCase
from workflows.codes import release, resend
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.proving import attest_password, prove_code
from workflows.upkeep import sweep
from workflows.views import case_view, case_with_history

LONGEST = 72 * HOUR
PHONE_ROW = ContactPoint.kind == ContactKind.PHONE


def held_after_its_first_code(installation: Installation) -> Started:
    """A case whose phone lost its verification before the code was sent again, and got it back since."""
    case = start_case(installation, sms_account(installation))
    by_hand(installation, update(ContactPoint).where(PHONE_ROW).values(verified_at=None))
    again = resend(installation, case.reference, actor=Actor.CUSTOMER, now=START + MINUTE)
    assert deliver_all(installation, again.owed, START + MINUTE) == []
    assert case_view(installation, case.reference).held_for is HeldFor.NOT_ALLOWED
    by_hand(installation, update(ContactPoint).where(PHONE_ROW).values(verified_at=START))
    return case


def test_a_released_case_says_who_let_it_go_on_and_sends_codes_again(installation: Installation) -> None:
    case = held_after_its_first_code(installation)
    answer = release(installation, case.reference, now=START + HOUR)
    assert (answer.problem, answer.state) == (None, CaseState.REQUESTED)
    view, events, _ = case_with_history(installation, case.reference)
    assert view.held_for is None
    assert (events[-1].event, events[-1].actor, events[-1].facts) == (
        "released",
        Actor.SUPERVISOR,
        {"held_for": "not_allowed"},
    )
    again = resend(installation, case.reference, actor=Actor.CUSTOMER, now=START + HOUR)
    assert code_parcel(deliver_all(installation, again.owed, START + HOUR)).channel is Channel.SMS


def test_a_released_case_still_runs_the_longest_hold(installation: Installation) -> None:
    case = held_after_its_first_code(installation)
    release(installation, case.reference, now=START + 2 * MINUTE)
    attest_password(installation, case.reference, signed_in_at=START + 3 * MINUTE, now=START + 3 * MINUTE)
    answer = prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + 3 * MINUTE)
    assert answer.state is CaseState.PASSPHRASE_CHECKED
    assert case_view(installation, case.reference).hold_until == START + 3 * MINUTE + LONGEST


def test_a_case_that_was_proven_while_held_completes_only_after_its_release(installation: Installation) -> None:
    case = held_after_its_first_code(installation)
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + 2 * MINUTE)
    over = START + 2 * MINUTE + LONGEST
    assert sweep(installation, over).completed == 0
    assert release(installation, case.reference, now=over).problem is None
    assert sweep(installation, over).completed == 1


def test_holding_a_proven_case_lengthens_its_hold_and_its_time(installation: Installation) -> None:
    case = start_case(installation, sms_account(installation))
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START)
    assert case_view(installation, case.reference).hold_until == START + DAY
    by_hand(installation, update(ContactPoint).where(PHONE_ROW).values(value="+12025550199"))
    again = resend(installation, case.reference, actor=Actor.CUSTOMER, now=START + HOUR)
    assert deliver_all(installation, again.owed, START + HOUR) == []
    view = case_view(installation, case.reference)
    assert (view.state, view.held_for) == (CaseState.PASSPHRASE_CHECKED, HeldFor.CONTACT_CHANGED)
    assert (view.hold_until, view.expires_at) == (START + HOUR + LONGEST, START + HOUR + LONGEST + 7 * DAY)


def test_what_is_not_held_or_has_no_contact_cannot_be_released(installation: Installation) -> None:
    open_one = start_case(installation, email_account(installation))
    unreachable = open_case(
        installation,
        email_account(installation, "HANNA", preference="", primary_email_verified="", two_factor_email_verified=""),
        actor=Actor.AGENT,
        now=START,
    )
    for reference in (open_one.reference, unreachable.reference):
        before = case_with_history(installation, reference)
        assert release(installation, reference, now=START + HOUR).problem is Problem.NOT_RELEASABLE
        assert case_with_history(installation, reference) == before


def test_a_held_case_whose_time_is_over_is_not_released(installation: Installation) -> None:
    case = held_after_its_first_code(installation)
    answer = release(installation, case.reference, now=START + DAY)
    assert (answer.problem, answer.state, answer.closed_at) == (Problem.CLOSED, CaseState.EXPIRED, START + DAY)


def test_a_case_that_does_not_exist_cannot_be_released(installation: Installation) -> None:
    with pytest.raises(UnknownCase):
        release(installation, "R-0000-0000", now=START)
