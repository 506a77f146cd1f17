"""Completing: which proofs are enough, how long a case then waits, and what completing takes away."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from models.accounts import Account, AccountStatus
from models.base import new_id
from models.cases import Actor, CaseState, Challenge, ResetCase
from models.factors import Authenticator, AuthenticatorKind
from policy.vocabulary import Channel, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    PHONE,
    SECOND,
    START,
    TOTP_SECRET,
    Started,
    by_hand,
    deliver_all,
    email_account,
    letter_account,
    rows,
    sms_account,
    start_case,
)
from workflows.answers import Answer
from workflows.closing import cancel
from workflows.installation import Installation
from workflows.proving import attest_password, prove_link, prove_passphrase
from workflows.upkeep import sweep
from workflows.views import account_view, case_view, case_with_history

SOON = START + MINUTE


def show_link(installation: Installation, case: Started, now: datetime = SOON) -> Answer:
    return prove_link(installation, case.reference, case.token, now=now)


def account_id(installation: Installation) -> UUID:
    (row,) = rows(installation, select(Account.id))
    identity: UUID = row.id
    return identity


def test_the_code_alone_waits_24_hours_and_the_case_says_below_what_it_is(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = show_link(installation, case)
    assert (answer.problem, answer.state) == (None, CaseState.PASSPHRASE_CHECKED)
    view, events, _ = case_with_history(installation, case.reference)
    assert (view.proof_set, view.remark, view.hold_until) == ("code alone", "below NIST AAL2", SOON + DAY)
    assert view.expires_at == SOON + 8 * DAY
    assert events[-2].facts == {"required": False}
    assert (events[-1].event, events[-1].facts) == (
        "proofs_suffice",
        {"hold_until": (SOON + DAY).isoformat(), "proof_set": "code alone", "remark": "below NIST AAL2"},
    )


def test_everybody_else_is_told_that_the_hold_has_started(installation: Installation) -> None:
    case = start_case(installation, sms_account(installation))
    parcels = deliver_all(installation, show_link(installation, case).owed, SOON)
    assert [each.kind for each in parcels] == [MessageKind.NOTICE_HOLD_STARTED] * 2
    assert {each.hold_until for each in parcels} == {SOON + DAY}
    assert {each.channel for each in parcels} == {Channel.EMAIL}


def test_with_a_fresh_password_sign_in_it_completes_at_once(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    answer = show_link(installation, case, SOON + 10 * MINUTE - SECOND)
    assert (answer.state, answer.closed_at) == (CaseState.COMPLETED, SOON + 10 * MINUTE - SECOND)
    view = case_view(installation, case.reference)
    assert (view.proof_set, view.remark) == ("code and password sign-in", None)


def test_a_password_sign_in_older_than_ten_minutes_does_not_count(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    answer = show_link(installation, case, SOON + 10 * MINUTE + SECOND)
    assert answer.state is CaseState.PASSPHRASE_CHECKED
    assert case_view(installation, case.reference).proof_set == "code alone"


def test_a_new_password_sign_in_replaces_the_stale_one(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    for when in (SOON, SOON + HOUR):
        attest_password(installation, case.reference, signed_in_at=when, now=when)
    assert show_link(installation, case, SOON + HOUR + MINUTE).state is CaseState.COMPLETED


def test_a_better_set_of_proofs_ends_a_running_hold(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    show_link(installation, case)
    answer = attest_password(installation, case.reference, signed_in_at=SOON + HOUR, now=SOON + HOUR)
    assert (answer.state, answer.closed_at) == (CaseState.COMPLETED, SOON + HOUR)
    assert case_view(installation, case.reference).remark is None


def test_a_worse_set_never_lengthens_a_hold(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    show_link(installation, case)
    by_hand(installation, update(ResetCase).values(least_hold_seconds=int((2 * DAY).total_seconds())))
    attest_password(installation, case.reference, signed_in_at=SOON + HOUR, now=SOON + HOUR)
    view = case_view(installation, case.reference)
    assert (view.proof_set, view.hold_until) == ("code alone", SOON + DAY)


def test_a_case_whose_code_went_to_the_primary_address_waits_72_hours_with_whatever_proofs(
    installation: Installation,
) -> None:
    case = start_case(installation, letter_account(installation, preference="", passphrase=PASSPHRASE))
    show_link(installation, case)
    answer = prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=SOON)
    assert answer.state is CaseState.PASSPHRASE_CHECKED
    view = case_view(installation, case.reference)
    assert (view.proof_set, view.remark) == ("code and passphrase", None)
    assert (view.hold_until, view.expires_at) == (SOON + 72 * HOUR, SOON + 72 * HOUR + 7 * DAY)


def test_the_least_hold_of_a_case_outlasts_that_of_the_proofs(installation: Installation) -> None:
    case = start_case(installation, letter_account(installation, preference=""))
    show_link(installation, case)
    assert case_view(installation, case.reference).hold_until == SOON + 72 * HOUR


def test_where_the_operator_switched_the_code_alone_off_it_waits_for_another_proof(
    installation: Installation,
) -> None:
    policy = installation.policy
    sets = tuple(each.model_copy(update={"enabled": each.name != "code alone"}) for each in policy.proof_sets)
    strict = replace(installation, policy=policy.model_copy(update={"proof_sets": sets}))
    case = start_case(strict, email_account(strict))
    assert show_link(strict, case).state is CaseState.PASSPHRASE_CHECKED
    view = case_view(strict, case.reference)
    assert (view.proof_set, view.hold_until, view.expires_at) == (None, None, START + 3 * DAY)
    assert (
        attest_password(strict, case.reference, signed_in_at=SOON + HOUR, now=SOON + HOUR).state is CaseState.COMPLETED
    )


def test_completing_revokes_every_authenticator_and_erases_its_secret(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    owner = account_id(installation)
    more = [
        {"id": new_id(), "account_id": owner, "kind": kind, "label": kind, "sealed_secret": "x", "created_at": START}
        for kind in AuthenticatorKind
    ]
    by_hand(installation, insert(Authenticator).values(more))
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    show_link(installation, case)
    left = rows(installation, select(Authenticator.revoked_at, Authenticator.sealed_secret))
    assert [tuple(each) for each in left] == [(SOON, None)] * 5
    assert account_view(installation, "JONAS").status is AccountStatus.ENROLMENT_PENDING


def test_the_factors_of_other_accounts_stay(installation: Installation) -> None:
    email_account(installation, "HANNA", totp_secret=TOTP_SECRET)
    case = start_case(installation, email_account(installation))
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    show_link(installation, case)
    other = account_view(installation, "HANNA")
    assert (other.status, [each.revoked_at for each in other.authenticators]) == (AccountStatus.ACTIVE, [None])


def test_nothing_is_revoked_while_the_hold_runs(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    show_link(installation, case)
    account = account_view(installation, "JONAS")
    assert (account.status, [each.revoked_at for each in account.authenticators]) == (AccountStatus.ACTIVE, [None])


def test_completing_leaves_no_code_that_counts_and_tells_everybody_else(installation: Installation) -> None:
    case = start_case(installation, sms_account(installation))
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    answer = show_link(installation, case)
    ended = rows(installation, select(Challenge.used_at, Challenge.replaced_at))
    assert all(each.used_at or each.replaced_at for each in ended)
    link, *notices = deliver_all(installation, answer.owed, SOON)
    assert (link.kind, link.channel, link.permit.destination) == (MessageKind.ENROLMENT_LINK, Channel.SMS, PHONE)
    assert [(each.kind, each.channel) for each in notices] == [(MessageKind.NOTICE_COMPLETED, Channel.EMAIL)] * 2
    assert [each.stop_token for each in (link, *notices)] == [None] * 3


def test_the_hold_ends_in_a_completed_case_and_not_a_second_earlier(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    show_link(installation, case)
    early, late = (sweep(installation, when) for when in (SOON + DAY - SECOND, SOON + DAY))
    assert (early.completed, late.completed) == (0, 1)
    view = case_view(installation, case.reference)
    assert (view.state, view.closed_at) == (CaseState.COMPLETED, SOON + DAY)


@pytest.mark.parametrize("after", [DAY, 7 * DAY])
def test_a_case_with_enough_proofs_can_be_cancelled_until_it_completes(
    installation: Installation, after: timedelta
) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    show_link(installation, case)
    answer = cancel(installation, case.reference, actor=Actor.CUSTOMER, now=SOON + after, how="stop link")
    assert (answer.problem, answer.state) == (None, CaseState.CANCELLED)
    assert sweep(installation, SOON + 8 * DAY).completed == 0
    assert [each.revoked_at for each in account_view(installation, "JONAS").authenticators] == [None]
