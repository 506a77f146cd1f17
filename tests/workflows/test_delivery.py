"""Sending one message: one worker at a time claims it, and each outcome leads to what it should."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.accounts import ContactPoint
from models.base import AnyRow
from models.cases import Actor, CaseState, Challenge, HeldFor
from models.messages import Attempt, ChannelBreaker, Message, MessageStatus, Outcome
from policy.vocabulary import Channel, ContactKind, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PHONE,
    SECOND,
    START,
    VERIFIED,
    by_hand,
    code_parcel,
    deliver_all,
    email_account,
    letter_account,
    make_installation,
    rows,
    sms_account,
)
from tests.servers.postgres import Postgres
from tests.servers.waiting import until
from tests.workflows.racing import at_once
from workflows import challenges
from workflows.answers import Problem
from workflows.cases import locked
from workflows.closing import cancel
from workflows.codes import resend
from workflows.delivery import claim, record_failed, record_sent
from workflows.installation import Installation
from workflows.opening import Opened, open_case
from workflows.parcels import Parcel
from workflows.proving import prove_code
from workflows.upkeep import overdue
from workflows.views import case_view, case_with_history

LEASE = timedelta(seconds=60)


def opened_for(installation: Installation, ref: str) -> Opened:
    return open_case(installation, ref, actor=Actor.AGENT, now=START)


def message_row(installation: Installation, message_id: UUID) -> AnyRow:
    (row,) = rows(installation, select(Message.__table__).where(Message.id == message_id))
    return row


def code_message(installation: Installation, opened: Opened) -> UUID:
    """The newest message with a code of this case."""
    statement = select(Message.id).where(Message.case_id == opened.case_id, Message.kind == MessageKind.RESET_CODE)
    identity: UUID = rows(installation, statement.order_by(Message.id.desc()))[0].id
    return identity


def notice_message(installation: Installation, opened: Opened) -> UUID:
    statement = select(Message.id).where(Message.case_id == opened.case_id, Message.kind == MessageKind.NOTICE_OPENED)
    identity: UUID = rows(installation, statement)[0].id
    return identity


def claimed(installation: Installation, message_id: UUID, now: datetime = START) -> Parcel:
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    return parcel


def attempts_of(installation: Installation, message_id: UUID) -> list[tuple[int, Outcome, str | None]]:
    statement = select(Attempt.number, Attempt.outcome, Attempt.code).where(Attempt.message_id == message_id)
    return [(each.number, each.outcome, each.code) for each in rows(installation, statement.order_by(Attempt.number))]


def taken_at(installation: Installation, parcel: Parcel) -> datetime | None:
    (row,) = rows(installation, select(Challenge.taken_at).where(Challenge.id == parcel.challenge_id))
    moment: datetime | None = row.taken_at
    return moment


def test_a_message_is_claimed_once(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    assert claimed(installation, message_id).attempt == 1
    assert claim(installation, message_id, START) is None
    row = message_row(installation, message_id)
    assert (row.status, row.attempts, row.leased_until) == (MessageStatus.CLAIMED, 1, START + LEASE)


def test_of_threads_that_claim_at_once_one_gets_the_message(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    parcels = at_once(*[lambda: claim(installation, message_id, START)] * 6)
    assert [each.attempt for each in parcels if each] == [1]
    assert message_row(installation, message_id).attempts == 1


def test_a_message_is_not_claimed_before_it_is_due(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    by_hand(installation, update(Message).values(due_at=START + HOUR))
    assert claim(installation, message_id, START + HOUR - SECOND) is None
    assert message_row(installation, message_id).status is MessageStatus.QUEUED
    assert claim(installation, message_id, START + HOUR) is not None


def test_a_message_that_does_not_exist_is_nobodys(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    assert claim(installation, opened.case_id, START) is None


def test_a_sent_message_is_sent_once_and_says_by_whom_and_when(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    parcel = claimed(installation, message_id)
    record_sent(installation, parcel, "sendgrid", "sg-1", START + SECOND)
    row = message_row(installation, message_id)
    assert (row.status, row.sent_at, row.leased_until) == (MessageStatus.SENT, START + SECOND, None)
    assert (row.provider, row.provider_id) == ("sendgrid", "sg-1")
    assert attempts_of(installation, message_id) == [(1, Outcome.SENT, None)]
    assert claim(installation, message_id, START + DAY) is None


def test_after_its_lease_a_message_is_claimed_again_and_the_first_attempt_is_lost(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    first = claimed(installation, message_id)
    assert claim(installation, message_id, START + LEASE - SECOND) is None
    second = claimed(installation, message_id, START + LEASE)
    assert (second.attempt, second.code, second.token) == (2, first.code, first.token)
    assert attempts_of(installation, message_id) == [(1, Outcome.LOST, None)]


def test_a_lost_attempt_may_have_brought_the_code_so_its_life_counts_from_there(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    claimed(installation, message_id)
    second = claimed(installation, message_id, START + 2 * HOUR)
    record_sent(installation, second, "sandbox", "2", START + 2 * HOUR)
    assert (second.valid_until, taken_at(installation, second)) == (START + DAY, START)


def test_of_threads_that_claim_after_the_lease_one_gets_the_message(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    claimed(installation, message_id)
    parcels = at_once(*[lambda: claim(installation, message_id, START + HOUR)] * 4)
    assert [each.attempt for each in parcels if each] == [2]
    assert attempts_of(installation, message_id) == [(1, Outcome.LOST, None)]


@pytest.mark.parametrize(("outcome", "first"), [(Outcome.NOT_SENT, 2), (Outcome.UNKNOWN, 15)])
def test_a_failed_message_waits_longer_after_each_attempt_but_five_minutes_at_most(
    installation: Installation, outcome: Outcome, first: int
) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    now, waits = START, []
    for _ in range(11):
        record_failed(installation, claimed(installation, message_id, now), outcome, "fault", now)
        row = message_row(installation, message_id)
        assert (row.status, row.leased_until, row.rung_at) == (MessageStatus.QUEUED, None, None)
        waits.append((row.due_at - now).total_seconds())
        now = row.due_at
        by_hand(installation, update(ChannelBreaker).values(failures=0, stopped_at=None))
    longest = [min(first * 2**n, 300) for n in range(11)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True)), waits
    assert attempts_of(installation, message_id) == [(number, outcome, "fault") for number in range(1, 12)]


def test_messages_that_failed_together_do_not_come_back_together(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    parcels = [claimed(installation, each) for each in opened.owed]
    for parcel in parcels:
        record_failed(installation, parcel, Outcome.NOT_SENT, "no connection", START)
    assert len({message_row(installation, each.message_id).due_at for each in parcels}) == len(parcels)


def test_a_code_that_reached_no_vendor_begins_its_life_anew(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    first = claimed(installation, message_id)
    record_failed(installation, first, Outcome.NOT_SENT, "no connection", START)
    second = claimed(installation, message_id, START + HOUR)
    assert (second.code, second.valid_until) == (first.code, START + HOUR + DAY)
    assert taken_at(installation, second) is None


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.MISCONFIGURED])
def test_a_vendor_that_refuses_all_the_world_has_not_taken_the_code(
    installation: Installation, outcome: Outcome
) -> None:
    parcel = claimed(installation, code_message(installation, opened_for(installation, email_account(installation))))
    record_failed(installation, parcel, outcome, "503", START)
    assert taken_at(installation, parcel) is None


def test_what_may_have_gone_counts_as_taken(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    first = claimed(installation, message_id)
    record_failed(installation, first, Outcome.UNKNOWN, "timeout", START + SECOND)
    second = claimed(installation, message_id, START + HOUR)
    assert (second.code, second.valid_until, taken_at(installation, second)) == (first.code, START + DAY, START)


def test_a_letter_in_doubt_goes_again_with_its_code_and_its_dates(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, letter_account(installation)))
    first = claimed(installation, message_id)
    record_failed(installation, first, Outcome.UNKNOWN, "timeout", START + SECOND)
    second = claimed(installation, message_id, START + 30 * MINUTE)
    assert (second.code, second.leaves_at, second.valid_until) == (first.code, START + HOUR, START + HOUR + 21 * DAY)


def test_a_vendor_that_names_a_time_is_asked_again_then(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    parcel = claimed(installation, message_id)
    record_failed(installation, parcel, Outcome.UNAVAILABLE, "429", START, timedelta(seconds=90))
    assert message_row(installation, message_id).due_at == START + timedelta(seconds=90)


def test_a_vendor_that_names_a_time_far_away_is_asked_again_within_the_hour(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    record_failed(installation, claimed(installation, message_id), Outcome.UNAVAILABLE, "503", START, 30 * DAY)
    assert message_row(installation, message_id).due_at == START + HOUR


def test_a_vendor_that_names_no_time_is_asked_again_as_after_any_failure(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    record_failed(installation, claimed(installation, message_id), Outcome.UNAVAILABLE, "503", START)
    assert START + SECOND <= message_row(installation, message_id).due_at <= START + 2 * SECOND


def test_a_misconfigured_channel_is_tried_again_every_five_minutes(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    message_id = code_message(installation, opened)
    owed = record_failed(installation, claimed(installation, message_id), Outcome.MISCONFIGURED, "401", START)
    row = message_row(installation, message_id)
    assert (owed, row.status, row.due_at) == ((), MessageStatus.QUEUED, START + 5 * MINUTE)
    assert case_view(installation, opened.reference).held_for is None


def test_a_rejected_code_goes_over_the_backup_channel_that_was_chosen_in_advance(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    first = claimed(installation, code_message(installation, opened))
    now = START + MINUTE
    owed = record_failed(installation, first, Outcome.REJECTED, "30005", now)
    assert message_row(installation, first.message_id).status is MessageStatus.FAILED
    (second,) = deliver_all(installation, owed, now)
    assert (second.channel, second.kind) == (Channel.EMAIL, MessageKind.RESET_CODE)
    assert second.permit.destination == "dana@factor.example"
    view, events, _ = case_with_history(installation, opened.reference)
    assert (view.channel, view.held_for, view.expires_at) == (Channel.EMAIL, None, now + 3 * DAY)
    assert (events[-1].event, events[-1].facts) == ("fell_back", {"channel": "email"})
    assert first.code is not None
    assert second.code is not None
    old, new = (
        prove_code(installation, opened.reference, code, actor=Actor.CUSTOMER, now=now)
        for code in (first.code, second.code)
    )
    assert (old.problem, new.problem) == (Problem.WRONG_CODE, None)


def test_falling_back_never_shortens_a_case(installation: Installation) -> None:
    opened = opened_for(
        installation,
        letter_account(
            installation,
            two_factor_email="ruth@factor.example",
            two_factor_email_verified="2024-03-02",
            backup="email",
        ),
    )
    parcel = claimed(installation, code_message(installation, opened))
    record_failed(installation, parcel, Outcome.REJECTED, "undeliverable", START)
    view = case_view(installation, opened.reference)
    assert (view.channel, view.expires_at) == (Channel.EMAIL, START + HOUR + 26 * DAY)


def test_a_rejected_code_without_a_backup_channel_holds_the_case_for_a_supervisor(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    parcel = claimed(installation, code_message(installation, opened))
    assert record_failed(installation, parcel, Outcome.REJECTED, "30005", START) == ()
    view, events, messages = case_with_history(installation, opened.reference)
    assert (view.held_for, view.channel, view.state) == (HeldFor.UNDELIVERABLE, Channel.SMS, CaseState.REQUESTED)
    assert (events[-1].event, events[-1].facts) == (
        "held",
        {"held_for": "undeliverable", "why": "No backup channel was chosen."},
    )
    assert [each.kind for each in messages].count(MessageKind.RESET_CODE) == 1
    assert resend(installation, opened.reference, actor=Actor.AGENT, now=START + MINUTE).problem is Problem.HELD


def test_a_held_case_runs_the_longest_hold(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    first = code_parcel(deliver_all(installation, opened.owed, START))
    resend(installation, opened.reference, actor=Actor.AGENT, now=START + MINUTE)
    second = claimed(installation, code_message(installation, opened), START + MINUTE)
    record_failed(installation, second, Outcome.REJECTED, "30005", START + MINUTE)
    assert first.code is not None
    prove_code(installation, opened.reference, first.code, actor=Actor.CUSTOMER, now=START + 2 * MINUTE)
    assert case_view(installation, opened.reference).hold_until == START + 2 * MINUTE + 72 * HOUR


def test_a_code_that_the_backup_channel_rejects_too_holds_the_case(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    owed = record_failed(
        installation, claimed(installation, code_message(installation, opened)), Outcome.REJECTED, "30005", START
    )
    assert record_failed(installation, claimed(installation, owed[0]), Outcome.REJECTED, "550", START) == ()
    assert case_view(installation, opened.reference).held_for is HeldFor.UNDELIVERABLE


def test_a_backup_channel_that_cannot_be_used_any_more_holds_the_case(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    parcel = claimed(installation, code_message(installation, opened))
    address = ContactPoint.kind == ContactKind.TWO_FACTOR_EMAIL
    by_hand(installation, update(ContactPoint).where(address).values(verified_at=None))
    assert record_failed(installation, parcel, Outcome.REJECTED, "30005", START) == ()
    _, events, _ = case_with_history(installation, opened.reference)
    assert events[-1].facts == {
        "held_for": "undeliverable",
        "why": "The 2-Factor Auth Email has not been verified.",
    }


def test_a_rejected_notice_ends_and_changes_nothing_in_the_case(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    before = case_view(installation, opened.reference)
    message_id = notice_message(installation, opened)
    assert record_failed(installation, claimed(installation, message_id), Outcome.REJECTED, "550", START) == ()
    assert message_row(installation, message_id).status is MessageStatus.FAILED
    assert case_view(installation, opened.reference) == before


def test_a_rejection_that_comes_after_the_case_has_closed_changes_nothing(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    parcel = claimed(installation, code_message(installation, opened))
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    _, before, _ = case_with_history(installation, opened.reference)
    assert record_failed(installation, parcel, Outcome.REJECTED, "30005", START) == ()
    _, after, _ = case_with_history(installation, opened.reference)
    assert after == before


def test_a_rejection_leaves_a_held_case_to_the_supervisor(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    first = claimed(installation, code_message(installation, opened))
    again = resend(installation, opened.reference, actor=Actor.AGENT, now=START)
    phone = update(ContactPoint).where(ContactPoint.kind == ContactKind.PHONE)
    by_hand(installation, phone.values(value="+12025550199"))
    assert claim(installation, again.owed[0], START) is None
    _, before, _ = case_with_history(installation, opened.reference)
    assert record_failed(installation, first, Outcome.REJECTED, "30005", START) == ()
    view, after, _ = case_with_history(installation, opened.reference)
    assert (view.held_for, view.channel, after) == (HeldFor.CONTACT_CHANGED, Channel.SMS, before)


def test_a_rejection_after_the_proof_does_not_move_the_case_to_another_contact(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    first = code_parcel(deliver_all(installation, opened.owed, START))
    assert first.code is not None
    prove_code(installation, opened.reference, first.code, actor=Actor.CUSTOMER, now=START)
    again = resend(installation, opened.reference, actor=Actor.CUSTOMER, now=START + MINUTE)
    before = case_view(installation, opened.reference)
    second = claimed(installation, again.owed[0], START + MINUTE)
    assert record_failed(installation, second, Outcome.REJECTED, "30005", START + MINUTE) == ()
    after = case_view(installation, opened.reference)
    assert (after.channel, after.destination, after.hold_until) == (
        before.channel,
        before.destination,
        before.hold_until,
    )


def test_a_rejection_does_not_lengthen_a_case_whose_time_is_over(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    parcel = claimed(installation, code_message(installation, opened), START + DAY - SECOND)
    assert record_failed(installation, parcel, Outcome.REJECTED, "30005", START + DAY + SECOND) == ()
    view = case_view(installation, opened.reference)
    assert (view.channel, view.expires_at) == (Channel.SMS, START + DAY)


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.UNKNOWN, Outcome.MISCONFIGURED])
def test_a_worker_that_fails_after_its_lease_leaves_the_next_one_alone(
    installation: Installation, outcome: Outcome
) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    first = claimed(installation, message_id)
    second = claimed(installation, message_id, START + LEASE)
    before = message_row(installation, message_id)
    assert record_failed(installation, first, outcome, "fault", START + LEASE + SECOND) == ()
    assert message_row(installation, message_id) == before
    record_sent(installation, second, "sandbox", "2", START + LEASE + 2 * SECOND)
    assert message_row(installation, message_id).status is MessageStatus.SENT


def test_a_worker_that_succeeds_after_its_lease_leaves_the_next_one_alone(installation: Installation) -> None:
    message_id = code_message(installation, opened_for(installation, email_account(installation)))
    first = claimed(installation, message_id)
    claimed(installation, message_id, START + LEASE)
    before = message_row(installation, message_id)
    record_sent(installation, first, "sandbox", "1", START + LEASE + SECOND)
    assert message_row(installation, message_id) == before


def test_a_worker_that_is_rejected_after_its_lease_leaves_message_and_case_alone(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    message_id = code_message(installation, opened)
    first = claimed(installation, message_id)
    second = claimed(installation, message_id, START + LEASE)
    before = case_view(installation, opened.reference)
    assert record_failed(installation, first, Outcome.REJECTED, "30005", START + LEASE + SECOND) == ()
    assert case_view(installation, opened.reference) == before
    record_sent(installation, second, "sandbox", "2", START + LEASE + 2 * SECOND)
    assert second.code is not None
    answer = prove_code(installation, opened.reference, second.code, actor=Actor.CUSTOMER, now=START + 2 * LEASE)
    assert answer.problem is None


def test_a_notice_is_given_up_after_three_days(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    message_id = notice_message(installation, opened)
    for now, status in (
        (START + 3 * DAY - 10 * MINUTE, MessageStatus.QUEUED),
        (START + 3 * DAY - MINUTE, MessageStatus.FAILED),
    ):
        record_failed(installation, claimed(installation, message_id, now), Outcome.MISCONFIGURED, "401", now)
        assert message_row(installation, message_id).status is status
    assert claim(installation, message_id, START + 4 * DAY) is None


def test_a_notice_that_waited_for_three_days_does_not_go_any_more(installation: Installation) -> None:
    opened = opened_for(installation, letter_account(installation))
    message_id = notice_message(installation, opened)
    assert claim(installation, message_id, START + 3 * DAY + SECOND) is None
    assert message_row(installation, message_id).status is MessageStatus.CANCELLED
    assert claimed(installation, code_message(installation, opened), START + 3 * DAY + SECOND).code


def test_a_code_is_not_given_up_while_its_case_is_open(installation: Installation) -> None:
    opened = opened_for(installation, letter_account(installation))
    message_id = code_message(installation, opened)
    now = START + 20 * DAY
    record_failed(installation, claimed(installation, message_id, now), Outcome.MISCONFIGURED, "401", now)
    assert message_row(installation, message_id).status is MessageStatus.QUEUED
    assert claimed(installation, message_id, now + HOUR).valid_until == now + 2 * HOUR + 21 * DAY


def test_a_message_that_waits_is_rung_for_when_its_time_has_come(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    deliver_all(installation, [notice_message(installation, opened)], START)
    message_id = code_message(installation, opened)
    record_failed(installation, claimed(installation, message_id), Outcome.MISCONFIGURED, "401", START)
    assert overdue(installation, START + 5 * MINUTE - SECOND).messages == ()
    assert overdue(installation, START + 5 * MINUTE).messages == (message_id,)


def test_a_second_claim_and_a_wrong_code_do_not_wait_for_each_other(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.database() as url:
        installation = make_installation(url, tmp_path)
        opened = opened_for(installation, email_account(installation))
        message_id = code_message(installation, opened)
        claimed(installation, message_id)
        by_hand(installation, update(ContactPoint).values(value="other@elsewhere.example"))
        with ThreadPoolExecutor() as threads:
            with installation.database.begin() as connection, locked(installation, connection, opened.case_id) as case:
                # The contact has changed, so this claim will hold the case, for whose row it now has to wait.
                claiming = threads.submit(claim, installation, message_id, START + HOUR)
                until(lambda: waits_for_a_lock(installation), "the claim waits for the case")
                challenge = challenges.current(case)
                assert challenge is not None
                challenges.count_try(connection, challenge)
            assert claiming.result() is None
        assert case_view(installation, opened.reference).held_for is HeldFor.CONTACT_CHANGED
        installation.database.dispose()


def waits_for_a_lock(installation: Installation) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with installation.database.read() as connection:
        return bool(connection.exec_driver_sql(waiting).scalar_one())


def test_the_backup_channels_limits_hold_over_all_cases_of_the_account(installation: Installation) -> None:
    account = letter_account(installation, phone=PHONE, phone_verified=VERIFIED, preference="sms", backup="mail")
    letters = []
    for hours in range(3):
        now = START + hours * HOUR
        opened = open_case(installation, account, actor=Actor.AGENT, now=now)
        parcel = claim(installation, code_message(installation, opened), now)
        assert parcel is not None
        (letter,) = record_failed(installation, parcel, Outcome.REJECTED, "21610", now)
        letters += [claim(installation, letter, now)]
        cancel(installation, opened.reference, actor=Actor.AGENT, now=now, how="test")
    assert [each is not None for each in letters] == [True, False, False]
