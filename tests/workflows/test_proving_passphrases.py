"""Proving with the passphrase: after the code, in whatever form a person types it, and wrong ones count."""

import unicodedata
from datetime import datetime

import pytest

from models.cases import Actor, CaseState
from policy.vocabulary import MessageKind, ProofKind
from tests.installations import (
    MINUTE,
    PASSPHRASE,
    START,
    Started,
    deliver_all,
    email_account,
    start_case,
    with_limits,
    wrong,
)
from tests.workflows.racing import at_once
from workflows.answers import Answer, Problem
from workflows.cases import UnknownCase
from workflows.installation import Installation
from workflows.proving import attest_password, prove_code, prove_link, prove_passphrase
from workflows.views import account_view, case_view, case_with_history

SOON = START + MINUTE


def say(installation: Installation, reference: str, passphrase: str, now: datetime = SOON) -> Answer:
    return prove_passphrase(installation, reference, passphrase, actor=Actor.CUSTOMER, now=now)


def with_proven_contact(installation: Installation, passphrase: str = PASSPHRASE) -> Started:
    case = start_case(installation, email_account(installation, passphrase=passphrase))
    prove_link(installation, case.reference, case.token, now=SOON)
    return case


def test_the_passphrase_completes_what_the_code_began(installation: Installation) -> None:
    case = with_proven_contact(installation)
    answer = say(installation, case.reference, PASSPHRASE)
    assert (answer.problem, answer.state, answer.closed_at) == (None, CaseState.COMPLETED, SOON)
    view, events, _ = case_with_history(installation, case.reference)
    assert [(proof.kind, proof.how) for proof in view.proofs] == [
        (ProofKind.CODE, "link opened"),
        (ProofKind.PASSPHRASE, "passphrase typed"),
    ]
    assert [line.event for line in events] == [
        "open",
        "verify_contact",
        "check_passphrase",
        "proofs_suffice",
        "complete",
    ]
    assert events[2].facts == {"required": True}


def test_blanks_around_it_and_another_form_of_its_letters_do_not_matter(installation: Installation) -> None:
    composed = unicodedata.normalize("NFC", "ﬁne u\u0308ber ｈａｒｂｏｕｒ")
    case = with_proven_contact(installation, composed)
    typed = f"\u00a0 {unicodedata.normalize('NFKD', composed)}\t\n"
    assert typed.strip() != composed
    assert say(installation, case.reference, typed).problem is None


def test_before_the_code_it_is_refused_and_no_try(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    for passphrase in (PASSPHRASE, "something else"):
        answer = say(installation, case.reference, passphrase)
        assert (answer.problem, answer.state, answer.tries_left) == (Problem.CODE_FIRST, CaseState.REQUESTED, None)
    assert account_view(installation, "JONAS").resets_disabled_at is None
    assert case_view(installation, case.reference).proofs == ()
    assert prove_link(installation, case.reference, case.token, now=SOON).state is CaseState.CONTACT_VERIFIED


def test_an_account_without_one_is_told_so(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    assert say(installation, case.reference, PASSPHRASE).problem is Problem.NO_PASSPHRASE


def test_a_wrong_one_counts_and_says_how_many_tries_are_left(installation: Installation) -> None:
    case = with_proven_contact(installation)
    for left, passphrase in enumerate(("", "   ", "violet harbour", PASSPHRASE.upper(), "\0", "lamp " * 1000)):
        answer = say(installation, case.reference, passphrase)
        assert (answer.problem, answer.tries_left) == (Problem.WRONG_PASSPHRASE, 9 - left)
    _, events, _ = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].facts) == ("wrong_passphrase", {"tries_left": 4})
    assert say(installation, case.reference, PASSPHRASE).problem is None


def test_wrong_codes_and_wrong_passphrases_count_together(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    for _ in range(4):
        prove_code(installation, case.reference, wrong(case.code), actor=Actor.CUSTOMER, now=SOON)
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    answers = [say(installation, case.reference, "something else") for _ in range(6)]
    assert [each.tries_left for each in answers] == [5, 4, 3, 2, 1, 0]
    last = answers[-1]
    assert (last.problem, last.state, last.closed_at) == (Problem.CLOSED, CaseState.DENIED, SOON)
    assert {each.kind for each in deliver_all(installation, last.owed, SOON)} == {MessageKind.NOTICE_DENIED}
    assert say(installation, case.reference, PASSPHRASE).problem is Problem.CLOSED


def test_wrong_passphrases_count_for_the_account_too(installation: Installation) -> None:
    strict = with_limits(installation, wrong_tries_per_account=3)
    case = with_proven_contact(strict)
    answers = [say(strict, case.reference, "something else") for _ in range(3)]
    assert [each.state for each in answers] == [*[CaseState.CONTACT_VERIFIED] * 2, CaseState.DENIED]
    assert account_view(strict, "JONAS").resets_disabled_at == SOON


def test_threads_that_guess_at_once_lose_no_wrong_try(installation: Installation) -> None:
    case = with_proven_contact(installation)
    answers = at_once(*[lambda: say(installation, case.reference, "something else")] * 4)
    assert sorted(each.tries_left for each in answers if each.tries_left is not None) == [6, 7, 8, 9]


def test_a_set_passphrase_is_required_also_with_code_and_password(installation: Installation) -> None:
    case = with_proven_contact(installation)
    answer = attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    assert (answer.problem, answer.state) == (None, CaseState.CONTACT_VERIFIED)
    view = case_view(installation, case.reference)
    assert (view.needs_passphrase, view.proof_set, view.hold_until) == (True, None, None)
    assert say(installation, case.reference, PASSPHRASE).state is CaseState.COMPLETED


def test_a_reference_that_no_case_has_is_refused(installation: Installation) -> None:
    with pytest.raises(UnknownCase):
        say(installation, "R-0000-0000", PASSPHRASE)
