"""Back in after a reset: one new factor for whoever proved the case, once, within a day; and stolen factors."""

from datetime import datetime
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import delete, select

from authenticators import recovery_codes
from models.access import Enrolment
from models.accounts import Account, AccountStatus
from models.cases import Actor, CaseState, Proof
from models.factors import Algorithm, Authenticator
from policy.routing import NotAllowed
from policy.vocabulary import Change, Channel, MessageKind, ProofKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    SECOND,
    START,
    TOTP_SECRET,
    Started,
    by_hand,
    deliver_all,
    email_account,
    factor_address_of,
    letter_account,
    rows,
    sms_account,
    start_case,
    wrong,
)
from tests.workflows.racing import at_once
from tests.workflows.visits import seen, visit, visit_with_factor
from workflows import enrolment, factors, granting, preferences, stolen
from workflows.accounts import account_id_of
from workflows.answers import Problem
from workflows.changing import NotNow, Obstacle
from workflows.closing import cancel
from workflows.enrolment import AskedProof, EnrolmentFault, GrantState
from workflows.factors import Enrolled
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.portal import Visit
from workflows.proving import attest_password, prove_code, prove_passphrase
from workflows.showing_factors import Shown
from workflows.sign_in import Outcome, Verified, verify
from workflows.upkeep import sweep

SOON = START + MINUTE


def completed(installation: Installation, ref: str) -> Started:
    """A reset of this account, completed at `SOON`."""
    case = start_case(installation, ref)
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    answer = prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    if answer.state is CaseState.CONTACT_VERIFIED:
        answer = prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=SOON)
    assert answer.state is CaseState.COMPLETED
    return case


def completed_by_code_alone(installation: Installation, ref: str) -> Started:
    """As if no password had been a proof of it."""
    case = completed(installation, ref)
    by_hand(installation, delete(Proof).where(Proof.kind == ProofKind.PASSWORD))
    return case


def begun(installation: Installation, case: Started, now: datetime = SOON) -> Visit:
    cookie = enrolment.begin(installation, case.reference, now, passphrase_given=False).cookie
    assert cookie is not None
    return seen(installation, cookie, now)


def enrol(installation: Installation, here: Visit, now: datetime = SOON) -> tuple[Enrolled, str]:
    """Enrols an app, and answers with its secret."""
    offer = factors.offer_app(installation, here, Algorithm.SHA1, 6, now)
    code = pyotp.TOTP(offer.app.secret).at(now)
    return factors.add_app(installation, here, offer.sealed, code, "New phone", now), offer.app.secret


def shown(installation: Installation, code: str, now: datetime = SOON, ref: str = "DANA") -> Verified:
    return verify(installation, ref, Shown(code), address=None, now=now)


def account(installation: Installation) -> tuple[AccountStatus, datetime | None]:
    (row,) = rows(installation, select(Account.status, Account.quarantine_until))
    return row.status, row.quarantine_until


# --- The way back in


def test_the_link_goes_to_the_contact_that_was_proven_and_to_nobody_else(installation: Installation) -> None:
    email_account(installation)
    case = start_case(installation, "JONAS")
    attest_password(installation, case.reference, signed_in_at=SOON, now=SOON)
    answer = prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    links = [each for each in deliver_all(installation, answer.owed, SOON) if each.kind is MessageKind.ENROLMENT_LINK]
    (link,) = links
    assert (link.channel, link.permit.destination) == (Channel.EMAIL, factor_address_of("JONAS"))
    assert link.valid_until == SOON + DAY
    assert link.token == granting.enrolment_token(installation, case.id)
    assert granting.is_enrolment_token(installation, case.id, link.token)
    for other in ("", "x", link.token[:-1], link.token + "A", case.token, "\ud800", "ü" * 22):
        assert not granting.is_enrolment_token(installation, case.id, other)


def test_after_a_letter_no_link_goes_out(installation: Installation) -> None:
    letter_account(installation)
    case = completed(installation, "RUTH")
    kinds = {each.kind for each in deliver_all(installation, completed_messages(installation), SOON)}
    assert MessageKind.ENROLMENT_LINK not in kinds
    assert enrolment.grant_of(installation, case.reference, SOON).state is GrantState.OPEN


def completed_messages(installation: Installation) -> list[UUID]:
    from models.messages import Message

    return [each.id for each in rows(installation, select(Message.id))]


def test_old_factors_die_at_completion_and_nobody_signs_in_before_a_new_one(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    with installation.database.begin() as connection:
        codes = recovery_codes.make(connection, account_id_of(connection, "DANA"), START)
    case = completed(installation, "DANA")
    old = pyotp.TOTP(TOTP_SECRET)
    for code in (old.at(SOON), codes[0], "nonsense"):
        assert shown(installation, code).outcome is Outcome.ENROLMENT_REQUIRED
    done, secret = enrol(installation, begun(installation, case))
    assert done.fault is None
    later = SOON + MINUTE
    assert shown(installation, old.at(later), later).outcome is Outcome.REFUSED
    assert shown(installation, codes[1], later).outcome is Outcome.REFUSED
    verified = shown(installation, pyotp.TOTP(secret).at(later), later)
    assert (verified.outcome, verified.quarantine_until) == (Outcome.ACCEPTED, SOON + 72 * HOUR)


def test_enrolling_ends_the_grant_begins_the_quarantine_and_stands_in_the_history(
    installation: Installation,
) -> None:
    from workflows.views import case_with_history

    sms_account(installation)
    case = completed(installation, "DANA")
    assert account(installation) == (AccountStatus.ENROLMENT_PENDING, None)
    enrol(installation, begun(installation, case))
    assert account(installation) == (AccountStatus.ACTIVE, SOON + 72 * HOUR)
    assert enrolment.grant_of(installation, case.reference, SOON).state is GrantState.USED
    assert enrolment.begin(installation, case.reference, SOON, passphrase_given=False).fault is EnrolmentFault.NOT_OPEN
    _, history, _ = case_with_history(installation, case.reference)
    assert [each.event for each in history][-2:] == ["enrolment_begun", "enrolled"]


def test_the_visit_that_enrolled_sets_up_second_steps_and_nothing_else(installation: Installation) -> None:
    sms_account(installation)
    case = completed(installation, "DANA")
    cookie = enrolment.begin(installation, case.reference, SOON, passphrase_given=False).cookie or ""
    here = seen(installation, cookie, SOON)
    with pytest.raises(NotNow) as refusal:
        preferences.set_preference(installation, here, Channel.EMAIL, SOON)
    assert refusal.value.obstacle is Obstacle.ENROLMENT_ONLY
    enrol(installation, here)
    done, _ = enrol(installation, here)
    assert (done.fault, done.is_first) == (None, False)
    assert len(factors.make_recovery_codes(installation, here, SOON)[0]) == 10
    with pytest.raises(NotNow) as refusal:
        preferences.set_preference(installation, seen(installation, cookie, SOON), Channel.EMAIL, SOON)
    assert refusal.value.obstacle is Obstacle.ENROLMENT_ONLY
    with pytest.raises(NotNow) as refusal:
        factors.offer_app(installation, here, Algorithm.SHA1, 6, SOON + 10 * MINUTE)
    assert refusal.value.obstacle is Obstacle.ENROLMENT_OVER


def test_the_grant_is_over_after_a_day(installation: Installation) -> None:
    sms_account(installation)
    case = completed(installation, "DANA")
    assert enrolment.grant_of(installation, case.reference, SOON + DAY - SECOND).state is GrantState.OPEN
    assert enrolment.grant_of(installation, case.reference, SOON + DAY).state is GrantState.OVER
    here = begun(installation, case, SOON + DAY - MINUTE)
    with pytest.raises(NotNow) as refusal:
        factors.offer_app(installation, here, Algorithm.SHA1, 6, SOON + DAY)
    assert refusal.value.obstacle is Obstacle.ENROLMENT_OVER
    assert account(installation)[0] is AccountStatus.ENROLMENT_PENDING


def test_another_reset_helps_whoever_came_too_late_and_ends_the_earlier_grant(installation: Installation) -> None:
    sms_account(installation)
    first = completed(installation, "DANA")
    second = completed(installation, "DANA")
    assert enrolment.grant_of(installation, first.reference, SOON).state is not GrantState.OPEN
    done, _ = enrol(installation, begun(installation, second))
    assert done.fault is None


def test_an_open_case_grants_nothing(installation: Installation) -> None:
    sms_account(installation)
    case = start_case(installation, "DANA")
    assert enrolment.grant_of(installation, case.reference, SOON).state is GrantState.NONE
    assert enrolment.begin(installation, case.reference, SOON, passphrase_given=False).cookie is None


def test_of_two_who_enrol_at_once_one_succeeds(installation: Installation) -> None:
    sms_account(installation)
    case = completed(installation, "DANA")
    visits = [begun(installation, case) for _ in range(4)]

    def try_it(here: Visit) -> str:
        try:
            done, _ = enrol(installation, here)
        except NotNow as refusal:
            return refusal.obstacle
        return done.fault or "enrolled"

    done = at_once(*[lambda here=here: try_it(here) for here in visits])
    assert sorted(done) == ["enrolled"] + [Obstacle.ENROLMENT_OVER] * 3
    assert len(rows(installation, select(Authenticator.id).where(Authenticator.revoked_at.is_(None)))) == 1


def test_of_many_who_complete_a_case_at_once_one_does(installation: Installation) -> None:
    email_account(installation, totp_secret=TOTP_SECRET)
    case = start_case(installation, "JONAS")
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    end = SOON + DAY

    def attest() -> object:
        return attest_password(installation, case.reference, signed_in_at=end, now=end).state

    done = at_once(
        attest, lambda: sweep(installation, end).completed, attest, lambda: sweep(installation, end).completed
    )
    assert CaseState.COMPLETED in done or 1 in done
    assert len(rows(installation, select(Enrolment.case_id))) == 1
    from workflows.views import case_with_history

    _, history, _ = case_with_history(installation, case.reference)
    assert [each.event for each in history].count("complete") == 1


# --- A proof again, without the session


def test_a_browser_that_gave_the_code_alone_does_not_enrol_where_a_passphrase_is_set(
    installation: Installation,
) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    case = completed(installation, "DANA")
    refused = enrolment.begin(installation, case.reference, SOON, passphrase_given=False)
    assert (refused.cookie, refused.fault) == (None, EnrolmentFault.PASSPHRASE_FIRST)
    assert enrolment.begin(installation, case.reference, SOON, passphrase_given=True).cookie is not None


def test_without_the_session_the_passphrase_is_asked_for(installation: Installation) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    case = completed(installation, "DANA")
    assert enrolment.grant_of(installation, case.reference, SOON).proof is AskedProof.PASSPHRASE
    refused = enrolment.prove_passphrase(installation, case.reference, "violet harbor lamp", SOON)
    assert (refused.cookie, refused.fault, refused.tries_left) == (None, EnrolmentFault.WRONG_PASSPHRASE, 9)
    assert enrolment.prove_passphrase(installation, case.reference, f" {PASSPHRASE} ", SOON).cookie is not None


def test_ten_wrong_passphrases_close_that_way(installation: Installation) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    case = completed(installation, "DANA")
    for _ in range(10):
        enrolment.prove_passphrase(installation, case.reference, "wrong", SOON)
    late = enrolment.prove_passphrase(installation, case.reference, PASSPHRASE, SOON)
    assert (late.cookie, late.fault) == (None, EnrolmentFault.TRIES_USED_UP)


def test_where_a_passphrase_is_set_no_code_will_do(installation: Installation) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    case = completed(installation, "DANA")
    with pytest.raises(NotAllowed):
        enrolment.send_code(installation, case.reference, SOON)
    assert enrolment.prove_code(installation, case.reference, case.code, SOON).cookie is None


def test_where_the_password_was_a_proof_no_code_will_do(installation: Installation) -> None:
    sms_account(installation)
    case = completed(installation, "DANA")
    assert enrolment.grant_of(installation, case.reference, SOON).proof is AskedProof.NOTHING
    with pytest.raises(NotAllowed):
        enrolment.send_code(installation, case.reference, SOON)
    assert enrolment.prove_code(installation, case.reference, case.code, SOON).cookie is None


def test_without_a_passphrase_a_new_code_is_asked_for(installation: Installation) -> None:
    sms_account(installation)
    case = completed_by_code_alone(installation, "DANA")
    assert enrolment.grant_of(installation, case.reference, SOON).proof is AskedProof.CODE
    assert enrolment.prove_code(installation, case.reference, case.code, SOON).fault is EnrolmentFault.NO_VALID_CODE
    (parcel,) = deliver_all(installation, enrolment.send_code(installation, case.reference, SOON).owed, SOON)
    assert (parcel.kind, parcel.channel) == (MessageKind.ENROLMENT_CODE, Channel.SMS)
    code = parcel.code or ""
    refused = enrolment.prove_code(installation, case.reference, wrong(code), SOON)
    assert (refused.fault, refused.tries_left) == (EnrolmentFault.WRONG_CODE, 4)
    assert enrolment.prove_code(installation, case.reference, code, SOON).cookie is not None


def test_a_visit_with_the_password_alone_does_not_enrol_after_a_reset(installation: Installation) -> None:
    sms_account(installation)
    completed(installation, "DANA")
    with pytest.raises(NotNow) as refusal:
        factors.offer_app(installation, visit(installation, now=SOON), Algorithm.SHA1, 6, SOON)
    assert refusal.value.obstacle is Obstacle.ENROLMENT_REQUIRED


# --- Stolen


def test_a_stolen_factor_is_stopped_once_the_contact_is_proven(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    case = start_case(installation, "DANA")
    (factor,) = stolen.factors_of(installation, case.reference)
    early = stolen.report(installation, case.reference, factor.id, SOON)
    assert early.problem is Problem.CODE_FIRST
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    answer = stolen.report(installation, case.reference, factor.id, SOON)
    assert {each.change for each in deliver_all(installation, answer.owed, SOON)} == {Change.FACTOR_SUSPENDED}
    assert shown(installation, pyotp.TOTP(TOTP_SECRET).at(SOON)) == Verified(Outcome.REFUSED)
    assert enrolment_is_open(installation, case)
    assert stolen.report(installation, case.reference, factor.id, SOON).owed == ()


def enrolment_is_open(installation: Installation, case: Started) -> bool:
    from workflows.views import case_view

    return case_view(installation, case.reference).is_open


def stopped(installation: Installation) -> Started:
    """A case in which the app was said to be stolen."""
    sms_account(installation, totp_secret=TOTP_SECRET)
    case = start_case(installation, "DANA")
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    (factor,) = stolen.factors_of(installation, case.reference)
    stolen.report(installation, case.reference, factor.id, SOON)
    return case


def test_cancelling_the_case_restores_what_was_stolen(installation: Installation) -> None:
    case = stopped(installation)
    cancel(installation, case.reference, actor=Actor.CUSTOMER, now=SOON, how="stop link")
    assert shown(installation, pyotp.TOTP(TOTP_SECRET).at(SOON)).outcome is Outcome.ACCEPTED


def test_a_case_that_expires_restores_nothing(installation: Installation) -> None:
    from workflows.cases import locked
    from workflows.machine import fire

    case = stopped(installation)
    end = SOON + 30 * DAY
    with installation.database.begin() as connection, locked(installation, connection, case.reference) as open_one:
        fire(open_one, "expire", actor=Actor.SYSTEM, now=end)
    assert shown(installation, pyotp.TOTP(TOTP_SECRET).at(end), end).outcome is Outcome.REFUSED


def test_a_visit_of_the_thief_can_change_nothing_any_more(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    thief = visit_with_factor(installation)
    case = start_case(installation, "DANA", START + MINUTE)
    later = START + 2 * MINUTE
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=later)
    (factor,) = stolen.factors_of(installation, case.reference)
    stolen.report(installation, case.reference, factor.id, later)
    with pytest.raises(NotNow) as refusal:
        factors.restore(installation, thief, factor.id, later)
    assert refusal.value.obstacle is Obstacle.FACTOR_NEEDED
    with pytest.raises(NotNow):
        factors.offer_app(installation, thief, Algorithm.SHA1, 6, later)


def test_signing_in_with_another_factor_does_not_restore_what_was_stolen(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    with installation.database.begin() as connection:
        codes = recovery_codes.make(connection, account_id_of(connection, "DANA"), START)
    case = start_case(installation, "DANA")
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    app, _ = stolen.factors_of(installation, case.reference)
    stolen.report(installation, case.reference, app.id, SOON)
    assert shown(installation, codes[0]).outcome is Outcome.ACCEPTED
    assert not enrolment_is_open(installation, case)
    assert shown(installation, pyotp.TOTP(TOTP_SECRET).at(SOON)).outcome is Outcome.REFUSED


def test_a_factor_of_another_account_cannot_be_stopped(installation: Installation) -> None:
    sms_account(installation)
    sms_account(installation, "OMAR", phone="+12025550149", totp_secret=TOTP_SECRET)
    case = start_case(installation, "DANA")
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=SOON)
    (other,) = rows(installation, select(Authenticator.id))
    assert stolen.report(installation, case.reference, other.id, SOON).owed == ()
    assert shown(installation, pyotp.TOTP(TOTP_SECRET).at(SOON), SOON, "OMAR").outcome is Outcome.ACCEPTED


# --- What the billing system changed


def test_a_reset_soon_after_the_billing_system_changed_the_account_waits(installation: Installation) -> None:
    from workflows.views import case_view

    sms_account(installation)
    sms_account(installation, phone="+12025550143")
    case = start_case(installation, "DANA", START + HOUR)
    attest_password(installation, case.reference, signed_in_at=START + HOUR, now=START + HOUR)
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + HOUR)
    assert case_view(installation, case.reference).hold_until == START + 73 * HOUR


def test_an_import_that_changes_nothing_delays_nobody(installation: Installation) -> None:
    sms_account(installation)
    sms_account(installation)
    opened = open_case(installation, "DANA", actor=Actor.AGENT, now=START + HOUR)
    from models.cases import ResetCase

    assert rows(installation, select(ResetCase.least_hold_seconds)) == [(0,)]
    assert opened.held_for is None
