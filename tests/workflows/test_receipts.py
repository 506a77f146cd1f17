"""What vendors say later: stored once, settled once, never backwards; and what a failure leads to."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count, permutations
from uuid import UUID

import pytest
from sqlalchemy import select

from models.base import AnyRow
from models.cases import Actor, CaseState, HeldFor
from models.messages import Delivery, DeliveryReceipt, Message, MessageStatus, Outcome
from policy.vocabulary import Channel, Fate, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    START,
    code_parcel,
    deliver_all,
    email_account,
    letter_account,
    rows,
    sms_account,
)
from tests.workflows.racing import at_once
from workflows import breaker
from workflows.closing import cancel
from workflows.codes import resend
from workflows.delivery import Then, claim, record_failed, record_sent
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.parcels import Parcel
from workflows.receipts import Said, settle, take
from workflows.upkeep import overdue
from workflows.views import case_view, case_with_history

numbers = count()


def sent(installation: Installation, ref: str) -> Parcel:
    """A case whose messages were sent; the vendor's ids are those of the messages."""
    return code_parcel(
        deliver_all(installation, open_case(installation, ref, actor=Actor.AGENT, now=START).owed, START)
    )


def word(parcel: Parcel, fate: Fate, provider_id: str | None = None, event_id: str | None = None) -> Said:
    return Said(
        vendor="sandbox",
        event_id=event_id or f"event-{next(numbers)}",
        message_id=parcel.message_id,
        provider_id=provider_id or str(parcel.message_id),
        fate=fate,
        word=f"said {fate}",
        said_at=START,
    )


def hear(installation: Installation, *words: Said, now: datetime = START) -> tuple[UUID, ...]:
    return tuple(owed for receipt in take(installation, words, now) for owed in settle(installation, receipt, now))


def row_of(installation: Installation, parcel: Parcel) -> AnyRow:
    (row,) = rows(installation, select(Message.__table__).where(Message.id == parcel.message_id))
    return row


def events_of(installation: Installation, parcel: Parcel) -> list[str]:
    assert parcel.reference is not None
    return [event.event for event in case_with_history(installation, parcel.reference)[1]]


# --- Once, and never backwards


def test_a_word_is_stored_once_however_often_it_comes(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    said = word(parcel, Fate.DELIVERED)
    first, again = take(installation, [said, said], START), take(installation, [said], START)
    assert (len(first), again) == (1, ())
    assert len(rows(installation, select(DeliveryReceipt.id))) == 1


def test_a_word_is_settled_once_by_however_many_workers(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation, backup="email"))
    (receipt,) = take(installation, [word(parcel, Fate.UNREACHABLE)], START)
    at_once(*[lambda: settle(installation, receipt, START)] * 4)
    assert events_of(installation, parcel).count("undelivered") == 1
    assert events_of(installation, parcel).count("fell_back") == 1


@pytest.mark.parametrize("order", list(permutations([Fate.UNDER_WAY, Fate.DELIVERED, Fate.UNREACHABLE])))
def test_in_whatever_order_words_come_the_last_stage_counts(
    installation: Installation, order: tuple[Fate, ...]
) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, *(word(parcel, fate) for fate in order))
    assert row_of(installation, parcel).delivery is Delivery.FAILED
    assert events_of(installation, parcel).count("undelivered") == 1


def test_a_status_never_moves_backwards(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    for fate in (Fate.DELIVERED, Fate.UNDER_WAY):
        hear(installation, word(parcel, fate))
    assert row_of(installation, parcel).delivery is Delivery.DELIVERED


def test_a_word_about_an_earlier_try_or_of_nobody_changes_nothing(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    strange = Said("sandbox", "e", UUID(int=1), "nobody's", Fate.UNREACHABLE, "said", None)
    hear(installation, word(parcel, Fate.UNREACHABLE, provider_id="of another try"), strange)
    assert row_of(installation, parcel).delivery is None
    assert "undelivered" not in events_of(installation, parcel)
    assert overdue(installation, START + DAY).receipts == ()


def test_another_vendors_word_with_the_same_id_changes_nothing(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    forged = Said("lob", "e", parcel.message_id, str(parcel.message_id), Fate.UNREACHABLE, "said", None)
    hear(installation, forged)
    assert row_of(installation, parcel).delivery is None


def test_a_word_without_our_id_is_known_by_the_vendors(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, Said("sandbox", "e", None, str(parcel.message_id), Fate.DELIVERED, "said", None))
    assert row_of(installation, parcel).delivery is Delivery.DELIVERED


def test_a_word_that_comes_before_the_receipt_waits_for_it(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation, backup="email"), actor=Actor.AGENT, now=START)
    parcel = claim(installation, opened.owed[0], START)
    assert parcel is not None
    (receipt,) = take(installation, [word(parcel, Fate.UNREACHABLE)], START)
    assert settle(installation, receipt, START) == ()
    record_sent(installation, parcel, "sandbox", str(parcel.message_id), START)
    assert overdue(installation, START + MINUTE).receipts == (receipt,)
    assert len(settle(installation, receipt, START + MINUTE)) == 1


def test_a_word_about_a_message_in_doubt_tells_that_the_vendor_has_it(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    parcel = claim(installation, opened.owed[0], START)
    assert parcel is not None
    record_failed(installation, parcel, Outcome.UNKNOWN, "ReadTimeoutError", START)
    hear(installation, word(parcel, Fate.UNDER_WAY, provider_id="sg-1"), now=START + SECOND)
    row = row_of(installation, parcel)
    assert (row.status, row.provider_id, row.in_doubt_since) == (MessageStatus.SENT, "sg-1", None)
    assert claim(installation, parcel.message_id, START + MINUTE) is None


# --- What a failure leads to


def test_a_code_that_cannot_arrive_takes_the_backup_channel_and_the_history_says_why(
    installation: Installation,
) -> None:
    parcel = sent(installation, sms_account(installation, backup="email"))
    owed = hear(installation, word(parcel, Fate.UNREACHABLE), now=START + MINUTE)
    (again,) = deliver_all(installation, owed, START + MINUTE)
    assert (again.channel, again.kind) == (Channel.EMAIL, MessageKind.RESET_CODE)
    assert again.code != parcel.code
    assert parcel.reference is not None
    events = case_with_history(installation, parcel.reference)[1]
    assert [event.event for event in events[-2:]] == ["undelivered", "fell_back"]
    assert events[-2].facts == {
        "channel": "sms",
        "what": "reset_code",
        "word": "said unreachable",
        "said_at": START.isoformat(),
        "again": False,
    }


def test_a_failure_whose_time_the_vendor_does_not_tell_is_in_the_history_without_one(
    installation: Installation,
) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, replace(word(parcel, Fate.UNREACHABLE), said_at=None))
    assert parcel.reference is not None
    undelivered = case_with_history(installation, parcel.reference)[1][-2]
    assert undelivered.facts is not None
    assert (undelivered.event, undelivered.facts["said_at"]) == ("undelivered", None)


def test_without_a_backup_channel_the_case_waits_for_a_supervisor(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, word(parcel, Fate.UNREACHABLE))
    assert parcel.reference is not None
    assert case_view(installation, parcel.reference).held_for is HeldFor.UNDELIVERABLE


@pytest.mark.parametrize(
    ("fate", "times", "wait"),
    [
        (Fate.AGAIN, 2, 30 * SECOND),
        (Fate.EXPIRED, 2, timedelta()),
        (Fate.UNANSWERED, 3, MINUTE),
        (Fate.OURS, 3, MINUTE),
    ],
)
def test_some_failures_are_tried_again_so_often_with_the_same_code(
    installation: Installation, fate: Fate, times: int, wait: timedelta
) -> None:
    parcel = sent(installation, sms_account(installation, preference="voice", backup="email"))
    now = START
    for number in range(1, times):
        hear(installation, word(parcel, fate, provider_id=f"try {number}" if number > 1 else None), now=now)
        row = row_of(installation, parcel)
        assert (row.status, row.due_at, row.provider_id) == (MessageStatus.QUEUED, now + wait, None)
        now = now + max(wait, SECOND) if fate is not Fate.OURS else now + 5 * MINUTE
        (again,) = deliver_again(installation, parcel, f"try {number + 1}", now)
        assert (again.code == parcel.code) == (now < START + 10 * MINUTE)
    hear(installation, word(parcel, fate, provider_id=f"try {times}"), now=now)
    row = row_of(installation, parcel)
    assert (row.status, row.delivery) == (MessageStatus.SENT, Delivery.FAILED)
    falls_back = "fell_back" in events_of(installation, parcel)
    assert falls_back == (fate is not Fate.UNANSWERED)


def deliver_again(installation: Installation, parcel: Parcel, provider_id: str, now: datetime) -> list[Parcel]:
    again = claim(installation, parcel.message_id, now)
    assert again is not None
    record_sent(installation, again, "sandbox", provider_id, now)
    return [again]


def test_trying_again_is_not_another_send_of_the_customers(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, word(parcel, Fate.AGAIN))
    deliver_again(installation, parcel, "try 2", START + MINUTE)
    assert row_of(installation, parcel).sent_at is not None
    assert len(rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))) == 1


def test_a_fault_of_ours_that_shows_later_stops_the_channel(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    hear(installation, word(parcel, Fate.OURS))
    assert [(each.channel, each.reason) for each in breaker.stopped(installation)] == [(Channel.SMS, "said ours")]


def test_a_letter_that_was_rejected_later_goes_again_with_new_dates_and_a_code_of_its_own(
    installation: Installation,
) -> None:
    parcel = sent(installation, letter_account(installation))
    hear(installation, word(parcel, Fate.OURS))
    now = START + 30 * MINUTE
    (again,) = deliver_again(installation, parcel, "try 2", now)
    assert (again.leaves_at, again.valid_until) == (now + HOUR, now + HOUR + 21 * DAY)
    assert again.code != parcel.code


def test_a_notice_that_cannot_arrive_is_in_the_history_and_changes_nothing_else(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation, backup="email"), actor=Actor.AGENT, now=START)
    parcels = deliver_all(installation, opened.owed, START)
    notice = next(each for each in parcels if each.kind is MessageKind.NOTICE_OPENED)
    assert hear(installation, word(notice, Fate.UNREACHABLE)) == ()
    assert events_of(installation, notice)[-1] == "undelivered"
    assert case_view(installation, opened.reference).channel is Channel.SMS


def test_a_failure_in_a_case_that_is_over_is_in_the_history_and_moves_nothing(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation, backup="email"))
    assert parcel.reference is not None
    cancel(installation, parcel.reference, actor=Actor.AGENT, now=START, how="by telephone")
    hear(installation, word(parcel, Fate.UNREACHABLE))
    view = case_view(installation, parcel.reference)
    assert (view.state, view.channel) == (CaseState.CANCELLED, Channel.SMS)
    assert events_of(installation, parcel)[-1] == "undelivered"


# --- Whose word it is


def in_doubt(installation: Installation, message_id: UUID, now: datetime = START) -> Parcel:
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    record_failed(installation, parcel, Outcome.UNKNOWN, "ReadTimeoutError", now)
    return parcel


def test_a_late_word_about_an_earlier_try_is_not_taken_for_the_try_in_doubt(installation: Installation) -> None:
    parcel = sent(installation, sms_account(installation))
    first = str(parcel.message_id)
    hear(installation, word(parcel, Fate.AGAIN, first), now=START + SECOND)
    in_doubt(installation, parcel.message_id, START + MINUTE)
    hear(installation, word(parcel, Fate.UNDER_WAY, first), now=START + MINUTE + SECOND)
    assert row_of(installation, parcel).status is MessageStatus.QUEUED
    assert claim(installation, parcel.message_id, START + 3 * MINUTE) is not None


def told_of_and_in_doubt_again(installation: Installation) -> Parcel:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    parcel = in_doubt(installation, opened.owed[0])
    hear(installation, word(parcel, Fate.AGAIN, "SM1"), now=START + SECOND)
    in_doubt(installation, opened.owed[0], START + MINUTE)
    return parcel


def test_a_try_that_the_vendor_told_of_is_an_earlier_one_for_the_next(installation: Installation) -> None:
    parcel = told_of_and_in_doubt_again(installation)
    hear(installation, word(parcel, Fate.UNDER_WAY, "SM1"), now=START + 2 * MINUTE)
    assert row_of(installation, parcel).status is MessageStatus.QUEUED


def test_a_try_that_the_vendor_told_of_is_one_of_those_that_are_allowed(installation: Installation) -> None:
    parcel = told_of_and_in_doubt_again(installation)
    hear(installation, word(parcel, Fate.AGAIN, "SM2"), now=START + 2 * MINUTE)
    assert row_of(installation, parcel).status is MessageStatus.SENT


@pytest.mark.parametrize("fate", [Fate.DELIVERED, Fate.UNREACHABLE])
def test_a_mail_that_was_given_up_in_doubt_is_known_again_by_the_vendors_word(
    installation: Installation, fate: Fate
) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    in_doubt(installation, opened.owed[0])
    again = claim(installation, opened.owed[0], START + MINUTE)
    assert again is not None
    record_failed(installation, again, Outcome.UNKNOWN, "ReadTimeoutError", START + MINUTE, then=Then.NOTHING)
    assert row_of(installation, again).status is MessageStatus.FAILED
    hear(installation, word(again, fate, provider_id="sg-1"), now=START + 2 * MINUTE)
    row = row_of(installation, again)
    assert (row.status, row.provider_id) == (MessageStatus.SENT, "sg-1")
    assert row.delivery is (Delivery.DELIVERED if fate is Fate.DELIVERED else Delivery.FAILED)


def two_with_one_id(installation: Installation, *owed: UUID) -> list[Parcel]:
    """Both were in doubt and looked for theirs at once, and the vendor names the same thing for both."""
    now = START + MINUTE
    parcels = [in_doubt(installation, each) for each in owed]
    for again in [claim(installation, each, now) for each in owed]:
        assert again is not None
        record_sent(installation, again, "twilio", "one id", now)
    return parcels


def test_an_sms_whose_id_another_message_holds_has_reached_its_recipient_and_gets_the_words_that_name_it(
    installation: Installation,
) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    again = resend(installation, opened.reference, actor=Actor.CUSTOMER, now=START)
    first, second = two_with_one_id(installation, opened.owed[0], again.owed[0])
    statuses = [(row_of(installation, each).status, row_of(installation, each).provider_id) for each in (first, second)]
    assert statuses == [(MessageStatus.SENT, "one id"), (MessageStatus.SENT, None)]
    said = Said("twilio", "event", second.message_id, "one id", Fate.DELIVERED, "delivered", None)
    hear(installation, said, now=START + 3 * MINUTE)
    assert [row_of(installation, each).delivery for each in (first, second)] == [None, Delivery.DELIVERED]
    said = Said("twilio", "another event", first.message_id, "its own", Fate.DELIVERED, "delivered", None)
    hear(installation, said, now=START + 3 * MINUTE)
    assert row_of(installation, first).provider_id == "its own"


def test_a_call_that_is_another_messages_is_made_after_all(installation: Installation) -> None:
    accounts = [sms_account(installation, ref, preference="voice") for ref in ("A", "B")]
    cases = [open_case(installation, each, actor=Actor.AGENT, now=START) for each in accounts]
    first, second = two_with_one_id(installation, *(case.owed[0] for case in cases))
    assert row_of(installation, first).status is MessageStatus.SENT
    assert row_of(installation, second).status is MessageStatus.QUEUED
    third = claim(installation, second.message_id, START + 4 * MINUTE)
    assert third is not None
    assert (third.in_doubt_since, third.known_ids) == (START, frozenset({"one id"}))


def test_a_call_whose_vendor_names_an_id_that_was_known_before_was_made_and_is_not_made_again(
    installation: Installation,
) -> None:
    accounts = [sms_account(installation, ref, preference="voice") for ref in ("A", "B")]
    cases = [open_case(installation, each, actor=Actor.AGENT, now=START) for each in accounts]
    _, second = two_with_one_id(installation, *(case.owed[0] for case in cases))
    third = claim(installation, second.message_id, START + 4 * MINUTE)
    assert third is not None
    record_sent(installation, third, "twilio", "one id", START + 4 * MINUTE)
    assert row_of(installation, second).status is MessageStatus.SENT


def test_two_that_name_one_id_at_once_both_end_as_sent(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    resent = resend(installation, opened.reference, actor=Actor.CUSTOMER, now=START)
    parcels = [claim(installation, each, START) for each in (opened.owed[0], resent.owed[0])]
    at_once(*[partial(record_sent, installation, each, "twilio", "one id", START) for each in parcels if each])
    found = [row_of(installation, each) for each in parcels if each]
    assert [each.status for each in found] == [MessageStatus.SENT] * 2
    assert {each.provider_id for each in found} == {"one id", None}


def test_a_word_that_names_the_message_in_doubt_takes_the_id_from_the_one_that_had_found_it(
    installation: Installation,
) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    resent = resend(installation, opened.reference, actor=Actor.CUSTOMER, now=START)
    first, second = (in_doubt(installation, each) for each in (opened.owed[0], resent.owed[0]))
    again = claim(installation, first.message_id, START + MINUTE)
    assert again is not None
    record_sent(installation, again, "twilio", "one id", START + MINUTE)
    said = Said("twilio", "event", second.message_id, "one id", Fate.DELIVERED, "delivered", None)
    hear(installation, said, now=START + 2 * MINUTE)
    finder, named = row_of(installation, first), row_of(installation, second)
    assert (finder.status, finder.provider_id, finder.delivery) == (MessageStatus.SENT, None, None)
    assert (named.status, named.provider_id, named.delivery) == (MessageStatus.SENT, "one id", Delivery.DELIVERED)


def test_a_late_word_about_a_try_that_only_a_word_told_of_is_not_taken_for_the_next(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    parcel = in_doubt(installation, opened.owed[0])
    hear(installation, word(parcel, Fate.AGAIN, "SM1"), now=START + SECOND)
    in_doubt(installation, parcel.message_id, START + MINUTE)
    hear(installation, word(parcel, Fate.UNDER_WAY, "SM1"), now=START + MINUTE + SECOND)
    assert row_of(installation, parcel).status is MessageStatus.QUEUED


def test_a_try_that_only_a_word_told_of_counts_among_the_tries(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    parcel = in_doubt(installation, opened.owed[0])
    hear(installation, word(parcel, Fate.AGAIN, "SM1"), now=START + SECOND)
    deliver_again(installation, parcel, "SM2", START + MINUTE)
    hear(installation, word(parcel, Fate.AGAIN, "SM2"), now=START + MINUTE + SECOND)
    assert row_of(installation, parcel).status is MessageStatus.SENT
    assert events_of(installation, parcel)[-1] == "held"


def test_a_word_about_the_try_of_a_slow_worker_tells_that_the_message_went(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    slow = claim(installation, opened.owed[0], START)
    assert slow is not None
    in_doubt(installation, slow.message_id, START + MINUTE)
    record_sent(installation, slow, "sandbox", "sg-1", START + MINUTE + SECOND)
    hear(installation, word(slow, Fate.DELIVERED, "sg-1"), now=START + 2 * MINUTE)
    assert row_of(installation, slow).delivery is Delivery.DELIVERED


def test_what_went_to_the_same_number_before_is_known_when_a_message_is_in_doubt(installation: Installation) -> None:
    first = sent(installation, sms_account(installation, "A"))
    hear(installation, word(first, Fate.AGAIN), now=START + SECOND)
    deliver_again(installation, first, "try 2", START + MINUTE)
    elsewhere = sent(installation, sms_account(installation, "B", phone="+12025550143"))
    opened = open_case(installation, sms_account(installation, "C"), actor=Actor.AGENT, now=START + MINUTE)
    fresh = in_doubt(installation, opened.owed[0], START + MINUTE)
    again = claim(installation, fresh.message_id, START + 2 * MINUTE)
    assert again is not None
    assert fresh.known_ids == frozenset()
    assert again.known_ids >= {str(first.message_id), "try 2"}
    assert str(elsewhere.message_id) not in again.known_ids


def test_a_notice_that_could_not_be_sent_stands_in_the_history(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    parcels = [parcel for id_ in opened.owed if (parcel := claim(installation, id_, START))]
    (notice,) = (each for each in parcels if each.kind is MessageKind.NOTICE_OPENED)
    record_failed(installation, notice, Outcome.REJECTED, "channel_unavailable", START, then=Then.UNASKED)
    assert events_of(installation, notice)[-1] == "notice_unsent"


def test_a_notice_that_was_given_up_in_doubt_stands_in_the_history(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    parcels = [parcel for id_ in opened.owed if (parcel := claim(installation, id_, START))]
    (notice,) = (each for each in parcels if each.kind is MessageKind.NOTICE_OPENED)
    record_failed(installation, notice, Outcome.UNKNOWN, "http_500", START, then=Then.NOTHING)
    assert events_of(installation, notice)[-1] == "notice_in_doubt"
    assert case_view(installation, opened.reference).held_for is None
