"""The last moment before a vendor is called: what has changed since the case opened, and what a vendor finds out."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.accounts import Account, ContactPoint
from models.base import AnyRow
from models.cases import Actor, CaseState, HeldFor
from models.messages import Attempt, Message, MessageStatus, Outcome
from policy.rules import SendLimit
from policy.vocabulary import Channel, ContactKind, Fate, Finding, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    START,
    by_hand,
    code_parcel,
    deliver_all,
    letter_account,
    rows,
    sms_account,
    start_case,
    with_rules,
)
from workflows.closing import cancel
from workflows.delivery import claim, record_finding
from workflows.installation import Installation
from workflows.opening import Opened, open_case
from workflows.parcels import Parcel
from workflows.proving import prove_code
from workflows.receipts import Said, settle, take
from workflows.upkeep import overdue
from workflows.views import CaseView, case_view, case_with_history

ELSEWHERE = "Outside the United States, resets go by e-mail only, to your 2-Factor Auth Email."


def opened_for(installation: Installation, ref: str) -> Opened:
    return open_case(installation, ref, actor=Actor.AGENT, now=START)


def claimed(installation: Installation, opened: Opened) -> Parcel:
    parcel = claim(installation, opened.owed[0], START)
    assert parcel is not None
    assert parcel.kind is MessageKind.RESET_CODE
    return parcel


def seen(installation: Installation, opened: Opened) -> CaseView:
    return case_view(installation, opened.reference)


# --- The region


def moved_abroad(installation: Installation, **columns: str) -> Opened:
    """A case by SMS whose customer turns out to live in Germany before the code goes."""
    opened = opened_for(installation, sms_account(installation, **columns))
    by_hand(installation, update(Account).values(country="DE"))
    assert claim(installation, opened.owed[0], START) is None
    return opened


def test_where_the_region_forbids_the_channel_by_now_the_code_goes_to_the_2_factor_auth_email(
    installation: Installation,
) -> None:
    opened = moved_abroad(installation)
    view, events, _ = case_with_history(installation, opened.reference)
    assert (view.channel, view.held_for) == (Channel.EMAIL, None)
    assert (events[-1].event, events[-1].facts) == ("moved_to_email", {"channel": "email", "why": ELSEWHERE})
    parcels = deliver_all(installation, overdue(installation, START + MINUTE).messages, START + MINUTE)
    assert code_parcel(parcels).permit.destination == "dana@factor.example"
    assert all(parcel.channel is Channel.EMAIL for parcel in parcels)


def test_and_the_case_waits_for_72_hours(installation: Installation) -> None:
    opened = moved_abroad(installation)
    parcel = code_parcel(deliver_all(installation, overdue(installation, START + MINUTE).messages, START + MINUTE))
    assert parcel.code is not None
    now = START + 2 * MINUTE
    prove_code(installation, opened.reference, parcel.code, actor=Actor.CUSTOMER, now=now)
    view = seen(installation, opened)
    assert (view.state, view.hold_until) == (CaseState.PASSPHRASE_CHECKED, now + timedelta(hours=72))


def test_without_a_2_factor_auth_email_it_waits_for_a_supervisor(installation: Installation) -> None:
    opened = moved_abroad(installation, two_factor_email="", two_factor_email_verified="")
    assert seen(installation, opened).held_for is HeldFor.NOT_ALLOWED


def codes_by_mail(installation: Installation, opened: Opened) -> list[AnyRow]:
    mails = select(Message.status, Message.due_at).where(
        Message.case_id == opened.case_id,
        Message.kind == MessageKind.RESET_CODE,
        Message.channel == Channel.EMAIL,
    )
    return rows(installation, mails)


def test_the_mail_instead_waits_for_the_accounts_next_send(installation: Installation) -> None:
    hourly = with_rules(installation, Channel.EMAIL, sends=(SendLimit.model_validate({"most": 1, "within": "1h"}),))
    earlier = start_case(hourly, sms_account(hourly, preference="email"))
    cancel(hourly, earlier.reference, actor=Actor.AGENT, now=START, how="test")
    opened = moved_abroad(hourly)
    assert [tuple(each) for each in codes_by_mail(hourly, opened)] == [(MessageStatus.QUEUED, START + HOUR)]
    assert seen(hourly, opened).expires_at == START + HOUR + 3 * DAY


def test_where_the_case_has_had_all_of_its_mails_a_supervisor_decides(installation: Installation) -> None:
    once = with_rules(installation, Channel.EMAIL, sends=(SendLimit(most=1),))
    opened = opened_for(once, sms_account(once, preference="email", backup="sms"))
    deliver_all(once, opened.owed, START)
    bounced = Said("sandbox", "event", None, str(opened.owed[0]), Fate.UNREACHABLE, "bounce", None)
    (receipt,) = take(once, [bounced], START)
    (text,) = settle(once, receipt, START)
    by_hand(once, update(Account).values(country="DE"))
    assert claim(once, text, START) is None
    assert seen(once, opened).held_for is HeldFor.UNDELIVERABLE
    assert [each.status for each in codes_by_mail(once, opened)] == [MessageStatus.SENT]
    facts = case_with_history(once, opened.reference)[1][-1].facts or {}
    assert facts["why"] == "the case has had all of its sends by email"


# --- What a vendor finds out


@pytest.mark.parametrize("finding", [Finding.LANDLINE, Finding.NON_FIXED_VOIP, Finding.PREMIUM, Finding.PAGER])
def test_a_number_that_the_policy_minds_gets_no_text_and_the_backup_channel_does(
    installation: Installation, finding: Finding
) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    parcel = claimed(installation, opened)
    assert parcel.unexamined
    owed = record_finding(installation, parcel, finding, START)
    assert owed is not None
    assert code_parcel(deliver_all(installation, owed, START)).channel is Channel.EMAIL
    (tried,) = rows(installation, select(Attempt.outcome, Attempt.code).where(Attempt.message_id == parcel.message_id))
    assert tuple(tried) == (Outcome.REJECTED, f"found_{finding}")


@pytest.mark.parametrize("finding", [Finding.MOBILE, Finding.FIXED_VOIP, Finding.UNKNOWN])
def test_a_number_that_the_policy_does_not_mind_is_examined_once(installation: Installation, finding: Finding) -> None:
    ref = sms_account(installation)
    opened = opened_for(installation, ref)
    assert record_finding(installation, claimed(installation, opened), finding, START) is None
    (row,) = rows(installation, select(ContactPoint.finding).where(ContactPoint.kind == ContactKind.PHONE))
    assert row.finding is finding
    again = claim(installation, opened.owed[0], START + 2 * MINUTE)
    assert again is not None
    assert not again.unexamined


@pytest.mark.parametrize("finding", [Finding.UNDELIVERABLE, Finding.MISSING_UNIT, Finding.INCORRECT_UNIT])
def test_no_letter_goes_where_it_may_not_arrive_or_reach_a_neighbour(
    installation: Installation, finding: Finding
) -> None:
    opened = opened_for(installation, letter_account(installation))
    assert record_finding(installation, claimed(installation, opened), finding, START) == ()
    assert seen(installation, opened).held_for is HeldFor.UNDELIVERABLE


@pytest.mark.parametrize("finding", [Finding.DELIVERABLE, Finding.UNNECESSARY_UNIT])
def test_a_letter_goes_where_it_can_be_delivered(installation: Installation, finding: Finding) -> None:
    opened = opened_for(installation, letter_account(installation))
    assert record_finding(installation, claimed(installation, opened), finding, START) is None


def test_what_was_found_out_counts_for_the_next_case_too(installation: Installation) -> None:
    without_backup, with_backup = sms_account(installation), sms_account(installation, "ANNA", backup="voice")
    by_hand(installation, update(ContactPoint).values(finding=Finding.LANDLINE))
    assert opened_for(installation, without_backup).held_for is HeldFor.NO_USABLE_CONTACT
    assert seen(installation, opened_for(installation, with_backup)).channel is Channel.VOICE


def test_what_was_found_out_in_between_stops_the_code_too(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    by_hand(installation, update(ContactPoint).values(finding=Finding.LANDLINE))
    assert claim(installation, opened.owed[0], START) is None
    assert seen(installation, opened).channel is Channel.EMAIL
    (row,) = rows(installation, select(Message.status).where(Message.id == opened.owed[0]))
    assert row.status is MessageStatus.FAILED


def test_nobody_is_asked_where_the_policy_refuses_nothing(installation: Installation) -> None:
    tolerant = with_rules(installation, Channel.SMS, refuses=frozenset())
    assert not claimed(tolerant, opened_for(tolerant, sms_account(tolerant))).unexamined


def test_a_new_version_of_a_contact_point_is_examined_anew(installation: Installation) -> None:
    ref = sms_account(installation)
    by_hand(installation, update(ContactPoint).values(finding=Finding.MOBILE))
    sms_account(installation, ref, phone="+12025550199")
    assert claimed(installation, opened_for(installation, ref)).unexamined
