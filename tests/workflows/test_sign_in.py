"""Checking a second factor at sign-in: each kind once, refusals that look alike, waits, and an open case cancelled."""

from dataclasses import replace
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import delete, insert, select, update

from authenticators import recovery_codes, sms, totp
from authenticators.suspending import suspend
from authenticators.totp import App
from models.accounts import Account, AccountEvent, AccountStatus, ContactPoint
from models.cases import CaseState
from models.factors import AuthenticatorKind
from models.messages import Message
from policy.vocabulary import Change, ContactKind, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PHONE,
    SECOND,
    START,
    TOTP_SECRET,
    by_hand,
    deliver_all,
    rows,
    sms_account,
    start_case,
    wrong,
)
from tests.workflows.racing import at_once
from workflows.accounts import account_id_of
from workflows.installation import Installation
from workflows.showing_factors import Shown
from workflows.sign_in import (
    CannotSignIn,
    NoSuchFactor,
    Outcome,
    Verified,
    begin_with_sms,
    verify,
)
from workflows.views import case_view

ADDRESS = "192.0.2.10"


def with_app(installation: Installation) -> str:
    return sms_account(installation, totp_secret=TOTP_SECRET)


def code_at(when: datetime) -> str:
    return pyotp.TOTP(TOTP_SECRET).at(when)


def shown(installation: Installation, code: str, now: datetime = START, address: str | None = None) -> Verified:
    return verify(installation, "DANA", Shown(code), address=address, now=now)


def is_right(installation: Installation, code: str, now: datetime = START, address: str | None = None) -> bool:
    return shown(installation, code, now, address).outcome is Outcome.ACCEPTED


def with_sign_in(installation: Installation, **limits: object) -> Installation:
    policy = installation.policy
    changed = policy.model_copy(update={"sign_in": policy.sign_in.model_copy(update=limits)})
    return replace(installation, policy=changed)


def enrol_phone(installation: Installation, now: datetime = START) -> None:
    with installation.database.begin() as connection:
        (phone,) = connection.execute(
            select(ContactPoint.id, ContactPoint.account_id).where(ContactPoint.kind == ContactKind.PHONE)
        )
        sms.add(connection, phone.account_id, phone.id, label="SMS codes", now=now)


def sent_code(installation: Installation, now: datetime = START) -> str:
    (parcel,) = deliver_all(installation, begin_with_sms(installation, "DANA", now).owed, now)
    assert (parcel.kind, parcel.reference) == (MessageKind.SIGN_IN_CODE, None)
    assert parcel.code is not None
    return parcel.code


def recovery_codes_of(installation: Installation) -> tuple[str, ...]:
    with installation.database.begin() as connection:
        return recovery_codes.make(connection, account_id_of(connection, "DANA"), START)


def suspend_all(installation: Installation, case_id: object) -> None:
    with installation.database.begin() as connection:
        account_id = account_id_of(connection, "DANA")
        for each in totp.enrolled(connection, installation.keyring, account_id):
            suspend(connection, account_id, each.id, case_id, START)  # type: ignore[arg-type]


# --- What is accepted


def test_a_code_of_the_app_signs_in_once(installation: Installation) -> None:
    with_app(installation)
    first = shown(installation, code_at(START))
    assert first.outcome is Outcome.ACCEPTED
    assert first.matched is not None
    assert (first.matched.kind, first.matched.is_weak) == (AuthenticatorKind.TOTP, False)
    assert not is_right(installation, code_at(START))


def test_a_code_of_an_earlier_step_does_not_count_after_a_later_one(installation: Installation) -> None:
    with_app(installation)
    assert is_right(installation, code_at(START + timedelta(seconds=30)))
    assert not is_right(installation, code_at(START), START + SECOND)
    assert is_right(installation, code_at(START + MINUTE), START + MINUTE)


def test_a_code_typed_with_blanks_or_on_another_keyboard_is_the_same(installation: Installation) -> None:
    with_app(installation)
    code = code_at(START)
    assert is_right(installation, f" {code[:3]}-{code[3:]} ".translate({ord("0") + n: 0xFF10 + n for n in range(10)}))


def test_a_short_secret_still_signs_in_and_is_to_be_replaced(installation: Installation) -> None:
    sms_account(installation)
    app = App("JBSWY3DPEHPK3PXP")
    with installation.database.begin() as connection:
        account_id = account_id_of(connection, "DANA")
        totp.add(connection, installation.keyring, account_id, app, label="Old phone", now=START)
    verified = shown(installation, totp.code_at(app, totp.step_at(app, START)))
    assert verified.matched is not None
    assert verified.matched.is_weak


def test_a_code_by_text_message_signs_in_once_and_for_ten_minutes(installation: Installation) -> None:
    sms_account(installation)
    enrol_phone(installation)
    code = sent_code(installation)
    verified = shown(installation, code, START + 10 * MINUTE - SECOND)
    assert verified.matched is not None
    assert verified.matched.kind is AuthenticatorKind.SMS
    assert not is_right(installation, code, START + 10 * MINUTE - SECOND)
    late = sent_code(installation, START + HOUR)
    assert not is_right(installation, late, START + HOUR + 10 * MINUTE)


def test_codes_by_text_message_are_capped(installation: Installation) -> None:
    sms_account(installation)
    enrol_phone(installation)
    for minute in range(3):
        sent_code(installation, START + minute * MINUTE)
    refused = begin_with_sms(installation, "DANA", START + 3 * MINUTE)
    assert (refused.owed, refused.next_at) == ((), START + HOUR)
    sent_code(installation, START + HOUR)


def test_a_number_that_the_billing_system_changed_gets_no_sign_in_codes(installation: Installation) -> None:
    sms_account(installation)
    enrol_phone(installation)
    sms_account(installation, phone="+12025550143")
    with pytest.raises(NoSuchFactor):
        begin_with_sms(installation, "DANA", START)


def test_a_customer_outside_the_us_gets_no_sign_in_code_though_the_phone_was_enrolled(
    installation: Installation,
) -> None:
    sms_account(installation)
    enrol_phone(installation)
    by_hand(installation, update(Account).values(country="CA"))
    with pytest.raises(NoSuchFactor):
        begin_with_sms(installation, "DANA", START)


def test_a_recovery_code_signs_in_once_is_replaced_and_everybody_is_told(installation: Installation) -> None:
    with_app(installation)
    codes = recovery_codes_of(installation)
    verified = shown(installation, codes[3].lower())
    assert verified.matched is not None
    assert (verified.matched.kind, verified.matched.codes_left) == (AuthenticatorKind.RECOVERY_CODES, 10)
    told = deliver_all(installation, verified.owed, START)
    assert {each.change for each in told} == {Change.RECOVERY_CODE_USED}
    assert not is_right(installation, codes[3])
    assert verified.matched.replacement is not None
    assert is_right(installation, verified.matched.replacement)


def test_an_account_without_a_factor_is_asked_for_none(installation: Installation) -> None:
    sms_account(installation)
    assert shown(installation, "123456").outcome is Outcome.NOT_ENROLLED
    with pytest.raises(CannotSignIn) as nothing:
        begin_with_sms(installation, "DANA", START)
    assert nothing.value.outcome is Outcome.NOT_ENROLLED


def test_after_a_reset_everything_is_answered_with_enrolment_required(installation: Installation) -> None:
    with_app(installation)
    by_hand(installation, update(Account).values(status=AccountStatus.ENROLMENT_PENDING))
    assert shown(installation, code_at(START)).outcome is Outcome.ENROLMENT_REQUIRED
    assert shown(installation, "nonsense").outcome is Outcome.ENROLMENT_REQUIRED


def test_the_quarantine_after_a_reset_is_told_until_it_is_over(installation: Installation) -> None:
    with_app(installation)
    by_hand(installation, update(Account).values(quarantine_until=START + HOUR))
    assert shown(installation, code_at(START)).quarantine_until == START + HOUR
    assert shown(installation, code_at(START + HOUR), START + HOUR).quarantine_until is None


# --- What is refused


@pytest.fixture
def refusing(installation: Installation) -> dict[str, str]:
    """For each reason a code that is refused for it."""
    with_app(installation)
    enrol_phone(installation)
    codes = recovery_codes_of(installation)
    assert is_right(installation, code_at(START))
    assert is_right(installation, codes[0])
    out = sent_code(installation)
    return {
        "wrong": wrong(code_at(START + DAY)),
        "used": code_at(START),
        "too old": code_at(START - HOUR),
        "malformed": "12",
        "nothing": "",
        "wrong by text message": wrong(out),
        "used recovery code": codes[0],
        "no recovery code": "AAAA" + codes[1][4:],
        "letters": "correct horse",
        "hostile": "\x00\ud800'; --",
    }


def test_every_reason_is_answered_alike(installation: Installation, refusing: dict[str, str]) -> None:
    answers = set()
    for code in refusing.values():
        by_hand(installation, update(Account).values(refused_in_a_row=0))
        answers.add(shown(installation, code, START + SECOND))
    assert answers == {Verified(Outcome.REFUSED)}


def test_a_right_code_of_a_clock_that_is_off_is_refused_and_noted(installation: Installation) -> None:
    with_app(installation)
    assert shown(installation, code_at(START + 3 * MINUTE)) == Verified(Outcome.REFUSED)
    (noted,) = rows(installation, select(AccountEvent.facts).where(AccountEvent.event == "clock_is_off"))
    assert '"seconds_ahead": 180' in noted.facts


def test_a_suspended_factor_neither_signs_in_nor_cancels_the_case(installation: Installation) -> None:
    with_app(installation)
    case = start_case(installation, "DANA")
    suspend_all(installation, case.id)
    assert shown(installation, code_at(START)) == Verified(Outcome.REFUSED)
    assert case_view(installation, case.reference).is_open


def test_after_five_in_a_row_the_account_waits_longer_each_time(installation: Installation) -> None:
    with_app(installation)
    waits = [shown(installation, "000000", START).wait for _ in range(5)]
    assert waits == [timedelta()] * 4 + [5 * SECOND]
    # While it waits nothing is looked at, and nothing counts.
    assert shown(installation, code_at(START), START + 4 * SECOND) == Verified(Outcome.REFUSED, wait=SECOND)
    assert shown(installation, "000000", START + 5 * SECOND).wait == 10 * SECOND
    later = START + 15 * SECOND
    assert is_right(installation, code_at(later), later)
    assert shown(installation, "000000", later).wait == timedelta()


def test_a_hundred_in_a_row_end_all_factors_and_the_customer_is_told(installation: Installation) -> None:
    with_app(installation)
    by_hand(installation, update(Account).values(refused_in_a_row=99))
    last = shown(installation, "000000")
    assert {each.change for each in deliver_all(installation, last.owed, START)} == {Change.FACTOR_DISABLED}
    for when in (START + DAY, START + 30 * DAY):
        assert not is_right(installation, code_at(when), when)


def test_one_network_address_is_slowed_down_over_all_accounts(installation: Installation) -> None:
    few = with_sign_in(installation, wrong_per_address=3)
    with_app(few)
    for _ in range(3):
        shown(few, "000000", address=ADDRESS)
    blocked = shown(few, code_at(START), START + MINUTE, ADDRESS)
    assert blocked == Verified(Outcome.REFUSED, wait=59 * MINUTE)
    assert is_right(few, code_at(START + MINUTE), START + MINUTE, "192.0.2.11")
    assert is_right(few, code_at(START + HOUR), START + HOUR, ADDRESS)


def test_ipv4_addresses_written_as_ipv6_are_told_apart(installation: Installation) -> None:
    few = with_sign_in(installation, wrong_per_address=2)
    with_app(few)
    for address in ("::ffff:192.0.2.10", "192.0.2.10"):
        shown(few, "000000", address=address)
    assert not is_right(few, code_at(START), address="::ffff:192.0.2.10")
    assert is_right(few, code_at(START), address="::ffff:192.0.2.11")


def test_addresses_of_one_ipv6_network_count_together(installation: Installation) -> None:
    few = with_sign_in(installation, wrong_per_address=2)
    with_app(few)
    for last in ("1", "ffff:2"):
        shown(few, "000000", address=f"2001:db8:1:2::{last}")
    assert not is_right(few, code_at(START), address="2001:db8:1:2:9::")
    assert is_right(few, code_at(START), address="2001:db8:1:3::1")


# --- What follows


def test_signing_in_with_the_old_factor_cancels_an_open_case_and_tells(installation: Installation) -> None:
    with_app(installation)
    case = start_case(installation, "DANA")
    verified = shown(installation, code_at(START + MINUTE), START + MINUTE)
    assert case_view(installation, case.reference).state is CaseState.CANCELLED
    told = deliver_all(installation, verified.owed, START + MINUTE)
    assert {each.kind for each in told} == {MessageKind.NOTICE_CANCELLED}


def test_who_asked_for_the_reset_is_told_too_that_a_sign_in_cancelled_it(installation: Installation) -> None:
    with_app(installation)
    by_hand(installation, delete(ContactPoint).where(ContactPoint.kind == ContactKind.PRIMARY_EMAIL))
    start_case(installation, "DANA")
    told = deliver_all(installation, shown(installation, code_at(START)).owed, START)
    assert PHONE in {each.permit.destination for each in told}


def test_a_code_by_text_message_does_not_count_once_its_phone_was_replaced(installation: Installation) -> None:
    sms_account(installation)
    enrol_phone(installation)
    code = sent_code(installation)
    sms_account(installation, phone="+12025550143")
    assert not is_right(installation, code)


def test_of_eight_who_show_one_code_at_once_one_is_accepted(installation: Installation) -> None:
    with_app(installation)
    code = code_at(START)
    done = at_once(*[lambda: shown(installation, code).outcome] * 8)
    assert sorted(done) == [Outcome.ACCEPTED] + [Outcome.REFUSED] * 7


def test_what_is_refused_leaves_no_message_and_no_code_in_the_history(installation: Installation) -> None:
    with_app(installation)
    before = rows(installation, select(Message.id))
    shown(installation, "987654")
    assert rows(installation, select(Message.id)) == before
    facts = [each.facts for each in rows(installation, select(AccountEvent.facts))]
    assert not any("987654" in each for each in facts)


def test_the_history_of_an_account_cannot_be_changed(installation: Installation) -> None:
    with_app(installation)
    shown(installation, "987654")
    with pytest.raises(Exception, match="account_event is append-only"):
        by_hand(installation, update(AccountEvent).values(event="nothing"))
    (line,) = rows(installation, select(AccountEvent.__table__).limit(1))
    with pytest.raises(Exception, match=r"account_event is append-only|UNIQUE|unique"):
        by_hand(installation, insert(AccountEvent).values(line._asdict()))
