"""Sending a code again: the same one while it lives, another one after, and never more often than the policy allows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.cases import Actor, CaseState
from models.messages import Outcome
from policy.vocabulary import MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    SECOND,
    START,
    code_parcel,
    deliver_all,
    email_account,
    letter_account,
    sms_account,
    start_case,
    wrong,
)
from tests.workflows.racing import at_once
from workflows.answers import Answer, Problem
from workflows.cases import UnknownCase
from workflows.closing import cancel
from workflows.codes import resend
from workflows.delivery import claim, record_failed
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.proving import prove_code, prove_link
from workflows.views import case_view, case_with_history


def again(installation: Installation, reference: str, now: datetime) -> Answer:
    return resend(installation, reference, actor=Actor.CUSTOMER, now=now)


def code_sent_again(installation: Installation, reference: str, now: datetime) -> str:
    """The code in the message that a second sending brought; the message is sent at once."""
    answer = again(installation, reference, now)
    assert answer.problem is None
    code = code_parcel(deliver_all(installation, answer.owed, now)).code
    assert code is not None
    return code


LIVES: dict[str, tuple[Any, timedelta, timedelta]] = {
    "email": (email_account, DAY - SECOND, DAY),
    "sms": (sms_account, 10 * MINUTE - SECOND, 10 * MINUTE),
    "mail": (letter_account, HOUR + 21 * DAY - SECOND, HOUR + 21 * DAY),
}
STATES = {"contiguous": ("VT", "05450", 21 * DAY), "far": ("HI", "96813", 30 * DAY)}


@pytest.mark.parametrize(("account", "within"), [LIVES["email"][:2], LIVES["sms"][:2]])
def test_within_its_life_the_same_code_is_sent_again(
    installation: Installation, account: Any, within: timedelta
) -> None:
    case = start_case(installation, account(installation))
    assert code_sent_again(installation, case.reference, START + within) == case.code


@pytest.mark.parametrize(("account", "_within", "after"), LIVES.values(), ids=LIVES)
def test_after_its_life_another_one_replaces_it(
    installation: Installation, account: Any, _within: timedelta, after: timedelta
) -> None:
    case = start_case(installation, account(installation))
    now = START + after
    code = code_sent_again(installation, case.reference, now)
    assert code != case.code
    old, new = (
        prove_code(installation, case.reference, each, actor=Actor.CUSTOMER, now=now) for each in (case.code, code)
    )
    assert (old.problem, new.problem) == (Problem.WRONG_CODE, None)


@pytest.mark.parametrize(("state", "zip_code", "valid"), STATES.values(), ids=STATES)
@pytest.mark.parametrize("later", [DAY, 20 * DAY])
def test_a_letter_sent_again_brings_another_code_that_lives_from_its_own_date(
    installation: Installation, state: str, zip_code: str, valid: timedelta, later: timedelta
) -> None:
    case = start_case(installation, letter_account(installation, postal_state=state, postal_zip=zip_code))
    now = START + later
    (parcel,) = deliver_all(installation, again(installation, case.reference, now).owed, now)
    assert parcel.leaves_at == now + HOUR
    assert (parcel.valid_until, parcel.permit.until) == (now + HOUR + valid, now + HOUR + valid)
    assert case_view(installation, case.reference).expires_at == now + HOUR + valid + 5 * DAY
    assert parcel.code is not None
    old, new = (
        prove_code(installation, case.reference, each, actor=Actor.CUSTOMER, now=now)
        for each in (case.code, parcel.code)
    )
    assert (old.problem, new.problem) == (Problem.WRONG_CODE, None)


def test_the_code_of_the_first_letter_counts_until_the_second_goes(installation: Installation) -> None:
    case = start_case(installation, letter_account(installation))
    assert again(installation, case.reference, START + 3 * DAY).problem is None
    proven = prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + 3 * DAY)
    assert proven.problem is None


def test_of_two_letters_that_waited_for_their_vendor_each_has_its_own_code(installation: Installation) -> None:
    opened = open_case(installation, letter_account(installation), actor=Actor.AGENT, now=START)
    first = claim(installation, opened.owed[0], START)
    assert first is not None
    record_failed(installation, first, Outcome.NOT_SENT, "no connection", START)
    now = START + 2 * DAY
    second = again(installation, opened.reference, now).owed
    letters = [code_parcel(deliver_all(installation, ids, now)) for ids in (opened.owed[:1], second)]
    assert [each.code == first.code for each in letters] == [True, False]
    assert [each.valid_until for each in letters] == [now + HOUR + 21 * DAY] * 2


def test_the_life_of_a_code_counts_from_its_first_sending(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = again(installation, case.reference, START + 20 * HOUR)
    parcel = code_parcel(deliver_all(installation, answer.owed, START + 20 * HOUR))
    assert parcel.valid_until == START + DAY


def test_a_spent_code_is_replaced_within_its_life(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for _ in range(5):
        prove_code(installation, case.reference, wrong(case.code), actor=Actor.CUSTOMER, now=START)
    assert code_sent_again(installation, case.reference, START + MINUTE) != case.code


def test_a_code_that_no_vendor_took_yet_is_repeated_however_old_it_is(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    codes = set()
    for now in (START, START + 25 * HOUR):
        answer = again(installation, opened.reference, now)
        parcel = claim(installation, answer.owed[0], now)
        assert parcel is not None
        codes.add(parcel.code)
        record_failed(installation, parcel, Outcome.NOT_SENT, "no connection", now)
    assert len(codes) == 1


def test_sending_again_is_in_the_history(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    again(installation, case.reference, START + MINUTE)
    _, events, messages = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].actor, events[-1].facts) == (
        "code_queued_again",
        Actor.CUSTOMER,
        {"channel": "email"},
    )
    assert [each.kind for each in messages].count(MessageKind.RESET_CODE) == 2


@pytest.mark.parametrize("account", [email_account, sms_account])
def test_three_sends_an_hour_are_allowed_and_five_a_case(installation: Installation, account: Any) -> None:
    case = start_case(installation, account(installation))
    for minutes in (1, 2):
        assert again(installation, case.reference, START + minutes * MINUTE).problem is None
    early = again(installation, case.reference, START + HOUR - SECOND)
    assert (early.problem, early.next_at, early.owed) == (Problem.TOO_SOON, START + HOUR, ())
    for now in (START + HOUR, START + HOUR + MINUTE):
        assert again(installation, case.reference, now).problem is None
    for now in (START + HOUR + 2 * MINUTE, START + 5 * HOUR):
        last = again(installation, case.reference, now)
        assert (last.problem, last.next_at, last.owed) == (Problem.NO_MORE_SENDS, None, ())
    assert case_view(installation, case.reference).state is CaseState.REQUESTED


def test_one_letter_in_24_hours_is_allowed_and_four_in_30_days(installation: Installation) -> None:
    case = start_case(installation, letter_account(installation))
    early = again(installation, case.reference, START + DAY - SECOND)
    assert (early.problem, early.next_at) == (Problem.TOO_SOON, START + DAY)
    for days in (1, 2, 3):
        assert again(installation, case.reference, START + days * DAY).problem is None
    late = again(installation, case.reference, START + 20 * DAY)
    assert (late.problem, late.next_at) == (Problem.TOO_SOON, START + 30 * DAY)


def test_threads_that_ask_at_once_get_no_more_than_three_sends(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answers = at_once(*[lambda: again(installation, case.reference, START + MINUTE)] * 5)
    assert sorted(str(each.problem) for each in answers) == ["None", "None", "too_soon", "too_soon", "too_soon"]


def test_a_letter_that_waited_its_turn_counts_from_the_day_it_went(installation: Installation) -> None:
    ref = letter_account(installation)
    first = start_case(installation, ref)
    cancel(installation, first.reference, actor=Actor.AGENT, now=START + HOUR, how="by telephone")
    second = open_case(installation, ref, actor=Actor.AGENT, now=START + 2 * HOUR)
    assert len(deliver_all(installation, second.owed, START + DAY)) == 2
    answer = again(installation, second.reference, START + DAY + 3 * HOUR)
    assert (answer.problem, answer.next_at) == (Problem.TOO_SOON, START + 2 * DAY)


def test_sends_of_other_accounts_delay_nothing(installation: Installation) -> None:
    other = start_case(installation, email_account(installation, "HANNA"))
    for minutes in (1, 2):
        again(installation, other.reference, START + minutes * MINUTE)
    case = start_case(installation, email_account(installation), START + 3 * MINUTE)
    assert again(installation, case.reference, START + 4 * MINUTE).problem is None


def test_a_proven_case_gets_another_code_that_moves_nothing(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    prove_link(installation, case.reference, case.token, now=START)
    sent = again(installation, case.reference, START + MINUTE)
    (parcel,) = deliver_all(installation, sent.owed, START + MINUTE)
    assert parcel.code
    assert parcel.code != case.code
    back = prove_code(installation, case.reference, parcel.code, actor=Actor.CUSTOMER, now=START + MINUTE)
    assert (back.problem, back.state) == (None, CaseState.CONTACT_VERIFIED)


def test_a_held_case_gets_no_code(installation: Installation) -> None:
    ref = email_account(installation, preference="", primary_email_verified="", two_factor_email_verified="")
    opened = open_case(installation, ref, actor=Actor.AGENT, now=START)
    answer = again(installation, opened.reference, START + MINUTE)
    assert (answer.problem, answer.owed) == (Problem.HELD, ())


def test_a_case_that_is_over_gets_no_code_and_says_since_when(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = again(installation, case.reference, START + 4 * DAY)
    assert (answer.problem, answer.state, answer.closed_at) == (Problem.CLOSED, CaseState.EXPIRED, START + 4 * DAY)


def test_a_code_cannot_be_asked_for_in_a_case_that_does_not_exist(installation: Installation) -> None:
    with pytest.raises(UnknownCase):
        again(installation, "R-0000-0000", START)


def test_a_later_letters_code_does_not_outlive_its_case(installation: Installation) -> None:
    case = start_case(installation, letter_account(installation))
    now = START + 22 * DAY
    (parcel,) = deliver_all(installation, again(installation, case.reference, now).owed, now)
    assert parcel.valid_until == now + HOUR + 21 * DAY
    assert case_view(installation, case.reference).expires_at == now + HOUR + 26 * DAY
