"""Proving the contact point: a code is right once and for a while, wrong tries run out, a link costs none."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.accounts import Account
from models.base import AnyRow
from models.cases import Actor, CaseState, Challenge, ResetCase
from policy import rules
from policy.vocabulary import MessageKind, ProofKind
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
    rows,
    sms_account,
    start_case,
    with_limits,
    wrong,
)
from tests.workflows.racing import at_once
from workflows import challenges
from workflows.answers import Answer, Problem
from workflows.cases import locked
from workflows.closing import cancel
from workflows.codes import resend
from workflows.history import broken_lines
from workflows.installation import Installation
from workflows.opening import ResetsDisabled, open_case
from workflows.proving import prove_code, prove_link, prove_passphrase
from workflows.views import account_view, case_view, case_with_history

SOON = START + MINUTE


def type_code(installation: Installation, reference: str, typed: str) -> Answer:
    return prove_code(installation, reference, typed, actor=Actor.CUSTOMER, now=SOON)


def open_link(installation: Installation, reference: str, token: str) -> Answer:
    return prove_link(installation, reference, token, now=SOON)


def sent_again(installation: Installation, reference: str) -> str:
    """The code that came with the message that a second sending brought."""
    again = resend(installation, reference, actor=Actor.CUSTOMER, now=SOON)
    code = code_parcel(deliver_all(installation, again.owed, SOON)).code
    assert code is not None
    return code


def counted(installation: Installation, reference: str) -> tuple[int, int, int]:
    """The wrong tries of the current code, of the case, and in a row of the account."""
    (row,) = rows(
        installation,
        select(Challenge.tries, ResetCase.wrong_tries, Account.wrong_in_a_row)
        .join(ResetCase, ResetCase.id == Challenge.case_id)
        .join(Account, Account.id == ResetCase.account_id)
        .where(ResetCase.reference == reference, Challenge.replaced_at.is_(None)),
    )
    return row.tries, row.wrong_tries, row.wrong_in_a_row


def challenge_rows(installation: Installation, reference: str) -> list[AnyRow]:
    statement = select(Challenge.__table__).join(ResetCase, ResetCase.id == Challenge.case_id)
    return rows(installation, statement.where(ResetCase.reference == reference).order_by(Challenge.created_at))


@pytest.mark.parametrize("shape", ["{0}{1}", " {0} - {1}\n", "{0}\u00a0\u2013\u00a0{1}"], ids=ascii)
def test_a_code_is_right_with_whatever_stands_between_its_digits(installation: Installation, shape: str) -> None:
    case = start_case(installation, email_account(installation))
    answer = type_code(installation, case.reference, shape.format(case.code[:4], case.code[4:]))
    assert (answer.problem, answer.state) == (None, CaseState.PASSPHRASE_CHECKED)


def test_a_code_is_right_in_full_width_digits(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    full_width = "".join(chr(ord("\uff10") + int(digit)) for digit in case.code)
    assert type_code(installation, case.reference, full_width).problem is None


def test_a_letter_code_is_right_as_it_is_printed_in_two_groups(installation: Installation) -> None:
    case = start_case(installation, letter_account(installation))
    assert len(case.code) == 10
    assert type_code(installation, case.reference, f"{case.code[:5]} {case.code[5:]}").problem is None


def test_the_right_code_is_recorded_with_how_and_when(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    answer = type_code(installation, case.reference, case.code)
    assert (answer.state, answer.closed_at) == (CaseState.CONTACT_VERIFIED, None)
    view, events, _ = case_with_history(installation, case.reference)
    (proof,) = view.proofs
    assert (proof.kind, proof.met_at, proof.how) == (ProofKind.CODE, SOON, "code typed")
    assert (events[-1].event, events[-1].actor, events[-1].to_state) == (
        "verify_contact",
        Actor.CUSTOMER,
        CaseState.CONTACT_VERIFIED,
    )
    assert view.needs_passphrase


def test_a_wrong_code_counts_for_the_code_the_case_and_the_account(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = type_code(installation, case.reference, wrong(case.code))
    assert (answer.problem, answer.state, answer.tries_left) == (Problem.WRONG_CODE, CaseState.REQUESTED, 4)
    assert counted(installation, case.reference) == (1, 1, 1)
    _, events, _ = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].facts) == ("wrong_code", {"tries_left": 4})


def test_what_has_another_length_is_no_try(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for typed in ("", "no idea", case.code[:-1], f"{case.code}0"):
        assert type_code(installation, case.reference, typed).problem is Problem.MALFORMED_CODE
    assert counted(installation, case.reference) == (0, 0, 0)
    assert type_code(installation, case.reference, case.code).problem is None


def test_five_wrong_codes_spend_the_code(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    left = [type_code(installation, case.reference, wrong(case.code)).tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    answer = type_code(installation, case.reference, case.code)
    assert (answer.problem, answer.state) == (Problem.NO_VALID_CODE, CaseState.REQUESTED)
    assert open_link(installation, case.reference, case.token).problem is Problem.NO_VALID_CODE
    assert counted(installation, case.reference) == (5, 5, 5)


def test_after_that_another_code_is_sent_and_is_right(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for _ in range(5):
        type_code(installation, case.reference, wrong(case.code))
    code = sent_again(installation, case.reference)
    assert code != case.code
    assert type_code(installation, case.reference, code).problem is None


def test_ten_wrong_codes_close_the_case_as_denied_and_everybody_is_told(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for _ in range(5):
        type_code(installation, case.reference, wrong(case.code))
    code = sent_again(installation, case.reference)
    answers = [type_code(installation, case.reference, wrong(code)) for _ in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    assert [each.problem for each in answers] == [*[Problem.WRONG_CODE] * 4, Problem.CLOSED]
    last = answers[-1]
    assert (last.state, last.closed_at) == (CaseState.DENIED, SOON)
    (notice,) = deliver_all(installation, last.owed, SOON)
    assert notice.kind is MessageKind.NOTICE_DENIED
    _, events, _ = case_with_history(installation, case.reference)
    assert [line.event for line in events[-2:]] == ["wrong_code", "deny"]
    assert events[-1].facts == {"why": "the tries are used up"}


def test_the_tries_left_are_never_more_than_the_case_has(installation: Installation) -> None:
    strict = with_limits(installation, wrong_tries_per_case=7)
    case = start_case(strict, email_account(strict))
    for _ in range(5):
        type_code(strict, case.reference, wrong(case.code))
    code = sent_again(strict, case.reference)
    answers = [type_code(strict, case.reference, wrong(code)) for _ in range(2)]
    assert [(each.tries_left, each.state) for each in answers] == [(1, CaseState.REQUESTED), (0, CaseState.DENIED)]


def test_too_many_wrong_tries_in_a_row_over_several_cases_disable_resets(installation: Installation) -> None:
    strict = with_limits(installation, wrong_tries_per_account=7)
    ref = email_account(strict)
    first = start_case(strict, ref)
    for _ in range(5):
        type_code(strict, first.reference, wrong(first.code))
    cancel(strict, first.reference, actor=Actor.AGENT, now=SOON, how="by telephone")
    second = start_case(strict, ref, SOON)
    answers = [type_code(strict, second.reference, wrong(second.code)) for _ in range(2)]
    assert [each.state for each in answers] == [CaseState.REQUESTED, CaseState.DENIED]
    _, events, _ = case_with_history(strict, second.reference)
    assert events[-1].facts == {"why": "too many wrong tries in a row on this account"}
    assert account_view(strict, ref).resets_disabled_at == SOON
    with pytest.raises(ResetsDisabled):
        open_case(strict, ref, actor=Actor.AGENT, now=SOON)


def test_the_shipped_policy_denies_at_ten_and_disables_at_one_hundred() -> None:
    limits = rules.load().limits
    assert (limits.wrong_tries_per_case, limits.wrong_tries_per_account) == (10, 100)


def test_a_completed_reset_ends_the_row_of_wrong_tries(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    type_code(installation, case.reference, wrong(case.code))
    type_code(installation, case.reference, case.code)
    assert counted(installation, case.reference)[2] == 1
    prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=SOON)
    assert counted(installation, case.reference)[2] == 0


def test_a_code_is_accepted_once(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    assert type_code(installation, case.reference, case.code).problem is None
    assert type_code(installation, case.reference, case.code).problem is Problem.ALREADY_PROVEN
    assert open_link(installation, case.reference, case.token).problem is Problem.ALREADY_PROVEN
    assert counted(installation, case.reference) == (0, 0, 0)


def test_threads_that_show_the_code_at_once_have_it_accepted_once(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answers = at_once(*[lambda: type_code(installation, case.reference, case.code)] * 6)
    assert sorted(str(each.problem) for each in answers) == ["None", *["already_proven"] * 5]
    with installation.database.read() as connection:
        assert not list(broken_lines(connection))


def test_threads_that_guess_at_once_lose_no_wrong_try(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answers = at_once(*[lambda: type_code(installation, case.reference, wrong(case.code))] * 8)
    assert sorted(each.tries_left for each in answers if each.tries_left is not None) == [0, 1, 2, 3, 4]
    assert [each.problem for each in answers].count(Problem.NO_VALID_CODE) == 3
    assert counted(installation, case.reference) == (5, 5, 5)


LIVES = {"email": (email_account, DAY), "sms": (sms_account, 10 * MINUTE), "mail": (letter_account, HOUR + 21 * DAY)}


@pytest.mark.parametrize(("account", "life"), LIVES.values(), ids=LIVES)
def test_a_code_is_valid_until_its_life_is_over(installation: Installation, account: Any, life: timedelta) -> None:
    case = start_case(installation, account(installation, passphrase=PASSPHRASE))
    late, in_time = (
        prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=when)
        for when in (START + life, START + life - SECOND)
    )
    assert (late.problem, late.state, late.tries_left) == (Problem.NO_VALID_CODE, CaseState.REQUESTED, None)
    assert (in_time.problem, in_time.state) == (None, CaseState.CONTACT_VERIFIED)


def test_a_code_of_another_case_is_a_wrong_one(installation: Installation) -> None:
    one = start_case(installation, email_account(installation))
    other = start_case(installation, email_account(installation, "HANNA"))
    assert type_code(installation, one.reference, other.code).problem is Problem.WRONG_CODE
    assert open_link(installation, one.reference, other.token).problem is Problem.WRONG_LINK


def test_a_code_is_not_valid_before_a_worker_took_its_message(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    with installation.database.begin() as connection, locked(installation, connection, opened.reference) as case:
        issued = challenges.current(case)
    assert issued is not None
    assert type_code(installation, opened.reference, issued.secret.code()).problem is Problem.NO_VALID_CODE
    assert open_link(installation, opened.reference, issued.secret.token()).problem is Problem.NO_VALID_CODE
    assert counted(installation, opened.reference) == (0, 0, 0)
    deliver_all(installation, opened.owed, SOON)
    assert type_code(installation, opened.reference, issued.secret.code()).problem is None


def test_the_link_proves_the_contact_like_the_code(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = open_link(installation, case.reference, case.token)
    assert (answer.problem, answer.state) == (None, CaseState.PASSPHRASE_CHECKED)
    assert [proof.how for proof in case_view(installation, case.reference).proofs] == ["link opened"]
    assert type_code(installation, case.reference, case.code).problem is Problem.ALREADY_PROVEN


def test_a_wrong_link_is_no_try(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for token in ("", "A" * 22, "\u00e9" * 22, case.token[:-1], f"{case.token}="):
        answer = open_link(installation, case.reference, token)
        assert (answer.problem, answer.state, answer.tries_left) == (Problem.WRONG_LINK, CaseState.REQUESTED, None)
    assert counted(installation, case.reference) == (0, 0, 0)
    assert open_link(installation, case.reference, case.token).problem is None


def test_the_link_of_a_replaced_code_is_a_wrong_one(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for _ in range(5):
        type_code(installation, case.reference, wrong(case.code))
    sent_again(installation, case.reference)
    assert open_link(installation, case.reference, case.token).problem is Problem.WRONG_LINK


def test_the_code_that_was_used_is_marked_so(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    type_code(installation, case.reference, case.code)
    assert [(each.used_at, each.replaced_at) for each in challenge_rows(installation, case.reference)] == [(SOON, None)]
