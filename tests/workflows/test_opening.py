"""Opening a case: one an account, a contact point pinned, the code on its way, everybody else told."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.accounts import Account, ContactPoint
from models.base import AnyRow
from models.cases import Actor, CaseState, HeldFor, ResetCase
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel, ContactKind, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    START,
    VERIFIED,
    by_hand,
    deliver_all,
    email_account,
    letter_account,
    rows,
    sms_account,
    start_case,
)
from tests.workflows.racing import at_once
from workflows.accounts import UnknownAccount, contacts_of
from workflows.cases import is_pinned
from workflows.closing import cancel
from workflows.codes import resend
from workflows.history import broken_lines
from workflows.installation import Installation
from workflows.opening import Opened, ResetsDisabled, open_case
from workflows.views import account_view, case_view, case_with_history

EMAIL, SMS, MAIL = Channel.EMAIL, Channel.SMS, Channel.MAIL
PRIMARY, FACTOR = ContactKind.PRIMARY_EMAIL, ContactKind.TWO_FACTOR_EMAIL


def opened_for(installation: Installation, ref: str, now: datetime = START) -> Opened:
    return open_case(installation, ref, actor=Actor.AGENT, now=now)


def case_row(installation: Installation, case_id: UUID) -> AnyRow:
    (row,) = rows(installation, select(ResetCase.__table__).where(ResetCase.id == case_id))
    return row


def messages_of(installation: Installation, case_id: UUID, kind: MessageKind) -> list[AnyRow]:
    statement = (
        select(Message.__table__, ContactPoint.kind.label("to"))
        .join(ContactPoint, ContactPoint.id == Message.contact_id)
        .where(Message.case_id == case_id, Message.kind == kind)
        .order_by(Message.id)
    )
    return rows(installation, statement)


def test_the_contact_point_of_the_preference_is_pinned(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    case = case_row(installation, opened.case_id)
    with installation.database.read() as connection:
        (phone,) = (each for each in contacts_of(connection, case.account_id) if each.kind is ContactKind.PHONE)
    assert (case.channel, case.contact_id, case.contact_version) == (SMS, phone.id, 1)
    assert is_pinned(installation, case.id, case.contact_digest, phone)


def test_a_new_case_is_requested_and_its_first_line_says_how_and_where_to(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    case, events, _ = case_with_history(installation, opened.reference)
    assert (case.state, case.opened_at, case.held_for) == (CaseState.REQUESTED, START, None)
    (line,) = events
    assert (line.event, line.from_state, line.to_state, line.actor) == ("open", None, case.state, Actor.AGENT)
    assert line.facts == {"channel": "sms", "through": "support", "why": "the reset preference"}


def test_all_messages_that_a_new_case_owes_are_to_be_rung_for(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    stored = rows(installation, select(Message.id).where(Message.case_id == opened.case_id))
    assert sorted(opened.owed) == sorted(row.id for row in stored)
    assert len(opened.owed) == 3


def test_a_second_asking_joins_the_open_case_and_owes_nothing_new(installation: Installation) -> None:
    ref = sms_account(installation)
    first, second = opened_for(installation, ref), opened_for(installation, ref, START + MINUTE)
    assert (first.joined, second.joined) == (False, True)
    assert (second.case_id, second.reference, second.owed) == (first.case_id, first.reference, ())
    _, events, messages = case_with_history(installation, first.reference)
    assert [line.event for line in events] == ["open", "asked_again"]
    assert len(messages) == 3


def test_threads_that_ask_at_once_share_one_case(installation: Installation) -> None:
    ref = sms_account(installation)
    answers = at_once(*[lambda: opened_for(installation, ref)] * 6)
    assert len({each.case_id for each in answers}) == 1
    assert sorted(each.joined for each in answers) == [False, True, True, True, True, True]
    assert len(account_view(installation, ref).cases) == 1
    with installation.database.read() as connection:
        assert not list(broken_lines(connection))


def test_a_closed_case_leaves_room_for_a_new_one(installation: Installation) -> None:
    ref = email_account(installation)
    first = opened_for(installation, ref)
    cancel(installation, first.reference, actor=Actor.AGENT, now=START + MINUTE, how="by telephone")
    second = opened_for(installation, ref, START + HOUR)
    assert not second.joined
    assert second.reference != first.reference


def test_a_case_whose_time_is_over_is_not_joined_also_where_no_sweep_has_met_it(installation: Installation) -> None:
    ref = email_account(installation)
    first = opened_for(installation, ref)
    second = opened_for(installation, ref, START + 3 * DAY)
    assert not second.joined
    assert case_view(installation, first.reference).state is CaseState.EXPIRED
    assert case_view(installation, second.reference).expires_at == START + 6 * DAY


def test_two_accounts_have_cases_of_their_own(installation: Installation) -> None:
    one, other = (opened_for(installation, email_account(installation, ref)) for ref in ("JONAS", "HANNA"))
    assert not one.joined
    assert not other.joined
    assert one.reference != other.reference


NOTICES: dict[str, tuple[Any, dict[str, str], list[tuple[ContactKind, Channel]]]] = {
    "both addresses hear of a code by SMS": (sms_account, {}, [(PRIMARY, EMAIL), (FACTOR, EMAIL)]),
    "the primary address hears of a code to the second one": (email_account, {}, [(PRIMARY, EMAIL)]),
    "the phone hears of a code by e-mail": (
        sms_account,
        {"preference": "email"},
        [(PRIMARY, EMAIL), (ContactKind.PHONE, SMS)],
    ),
    "the address hears of a code in a letter": (letter_account, {}, [(PRIMARY, EMAIL)]),
    "an address that was never verified hears of nothing": (
        sms_account,
        {"primary_email_verified": ""},
        [(FACTOR, EMAIL)],
    ),
    "a phone outside the region hears of nothing": (
        email_account,
        {"phone": "+493012345678", "phone_verified": VERIFIED},
        [(PRIMARY, EMAIL)],
    ),
    "a letter goes where no other address exists": (
        letter_account,
        {"preference": ""},
        [(ContactKind.POSTAL_ADDRESS, MAIL)],
    ),
    "nobody is told where the code went to the only contact": (letter_account, {"primary_email": ""}, []),
}


@pytest.mark.parametrize(("account", "columns", "told"), NOTICES.values(), ids=NOTICES)
def test_every_other_verified_contact_is_told(
    installation: Installation, account: Any, columns: dict[str, str], told: list[tuple[ContactKind, Channel]]
) -> None:
    opened = opened_for(installation, account(installation, **columns))
    notices = messages_of(installation, opened.case_id, MessageKind.NOTICE_OPENED)
    assert sorted((each.to, each.channel) for each in notices) == sorted(told)


def test_a_case_without_a_usable_contact_is_held_and_tells_what_can_be_told(installation: Installation) -> None:
    ref = sms_account(installation, preference="", primary_email_verified="", two_factor_email_verified="")
    opened = opened_for(installation, ref)
    assert opened.held_for is HeldFor.NO_USABLE_CONTACT
    case, events, messages = case_with_history(installation, opened.reference)
    assert (case.channel, case.destination, case.code) == (None, None, None)
    assert case.expires_at == START + 3 * DAY
    assert [(each.kind, each.channel) for each in messages] == [(MessageKind.NOTICE_OPENED, SMS)]
    assert events[0].facts == {
        "held_for": "no_usable_contact",
        "through": "support",
        "why": "The primary e-mail address has not been verified.",
    }


def test_an_account_whose_resets_are_disabled_is_refused(installation: Installation) -> None:
    ref = email_account(installation)
    by_hand(installation, update(Account).values(resets_disabled_at=START))
    with pytest.raises(ResetsDisabled):
        opened_for(installation, ref)
    assert account_view(installation, ref).cases == ()


def test_an_unknown_account_is_named(installation: Installation) -> None:
    with pytest.raises(UnknownAccount, match="no account has the ref NOBODY-9"):
        opened_for(installation, "NOBODY-9")


OPEN_FOR: dict[str, tuple[Any, dict[str, str], timedelta]] = {
    "email": (email_account, {}, 3 * DAY),
    "sms": (sms_account, {}, DAY),
    "voice": (sms_account, {"preference": "voice"}, DAY),
    "a letter to Vermont": (letter_account, {}, HOUR + 26 * DAY),
    "a letter to Alaska": (letter_account, {"postal_state": "AK", "postal_zip": "99501"}, HOUR + 35 * DAY),
    "a letter to Puerto Rico": (
        letter_account,
        {"country": "PR", "postal_state": "PR", "postal_zip": "00901"},
        HOUR + 35 * DAY,
    ),
    "a letter to a ship in the Pacific": (
        letter_account,
        {"postal_state": "AP", "postal_zip": "96201"},
        HOUR + 35 * DAY,
    ),
}


@pytest.mark.parametrize(("account", "columns", "time"), OPEN_FOR.values(), ids=OPEN_FOR)
def test_a_case_stays_open_as_long_as_its_channel_needs(
    installation: Installation, account: Any, columns: dict[str, str], time: timedelta
) -> None:
    opened = opened_for(installation, account(installation, **columns))
    assert case_view(installation, opened.reference).expires_at == START + time


def test_without_a_preference_the_code_goes_to_the_two_factor_address(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, preference=""))
    case = case_row(installation, opened.case_id)
    (code,) = messages_of(installation, opened.case_id, MessageKind.RESET_CODE)
    assert (code.to, code.channel, case.least_hold_seconds) == (FACTOR, EMAIL, 0)


def test_without_any_of_both_it_goes_to_the_primary_address_and_the_case_waits_72_hours(
    installation: Installation,
) -> None:
    opened = opened_for(installation, letter_account(installation, preference=""))
    case = case_row(installation, opened.case_id)
    (code,) = messages_of(installation, opened.case_id, MessageKind.RESET_CODE)
    assert (code.to, code.channel) == (PRIMARY, EMAIL)
    assert timedelta(seconds=case.least_hold_seconds) == 72 * HOUR


def test_a_preference_that_the_region_forbids_now_gives_way_to_the_two_factor_address_with_a_hold(
    installation: Installation,
) -> None:
    ref = sms_account(installation)
    by_hand(installation, update(Account).values(country="DE"))
    opened = opened_for(installation, ref)
    case = case_row(installation, opened.case_id)
    (code,) = messages_of(installation, opened.case_id, MessageKind.RESET_CODE)
    assert (code.to, code.channel, opened.held_for) == (FACTOR, EMAIL, None)
    assert timedelta(seconds=case.least_hold_seconds) == 72 * HOUR


def test_sends_of_an_earlier_case_delay_the_first_code_but_not_the_notices(installation: Installation) -> None:
    ref = sms_account(installation)
    first = start_case(installation, ref)
    for minutes in (5, 10):
        resend(installation, first.reference, actor=Actor.AGENT, now=START + minutes * MINUTE)
    cancel(installation, first.reference, actor=Actor.AGENT, now=START + 11 * MINUTE, how="by telephone")
    now = START + 15 * MINUTE
    second = opened_for(installation, ref, now)
    (code,) = messages_of(installation, second.case_id, MessageKind.RESET_CODE)
    assert (code.due_at, code.rung_at) == (START + HOUR, None)
    assert case_view(installation, second.reference).expires_at == START + HOUR + DAY
    told = {each.due_at for each in messages_of(installation, second.case_id, MessageKind.NOTICE_OPENED)}
    assert told == {now}
    early, late = (deliver_all(installation, [code.id], when) for when in (START + 59 * MINUTE, START + HOUR))
    assert (len(early), len(late)) == (0, 1)


def test_a_letter_of_an_earlier_case_delays_the_next_one_to_24_hours_after_it(installation: Installation) -> None:
    ref = letter_account(installation)
    first = start_case(installation, ref)
    cancel(installation, first.reference, actor=Actor.AGENT, now=START + HOUR, how="by telephone")
    second = opened_for(installation, ref, START + 2 * HOUR)
    (code,) = messages_of(installation, second.case_id, MessageKind.RESET_CODE)
    assert (code.status, code.due_at) == (MessageStatus.QUEUED, START + DAY)
    assert case_view(installation, second.reference).expires_at == START + HOUR + 27 * DAY


def test_sends_over_another_channel_delay_nothing(installation: Installation) -> None:
    ref = sms_account(installation)
    first = start_case(installation, ref)
    for minutes in (5, 10):
        resend(installation, first.reference, actor=Actor.AGENT, now=START + minutes * MINUTE)
    cancel(installation, first.reference, actor=Actor.AGENT, now=START + 11 * MINUTE, how="by telephone")
    by_hand(installation, update(Account).values(preference=Channel.VOICE))
    second = opened_for(installation, ref, START + 15 * MINUTE)
    (code,) = messages_of(installation, second.case_id, MessageKind.RESET_CODE)
    assert code.due_at == START + 15 * MINUTE
