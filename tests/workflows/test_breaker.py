"""A channel that cannot work is stopped, is tried now and then, and starts by itself; meanwhile its messages wait."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.cases import Actor, ResetCase
from models.messages import ChannelBreaker, Message, MessageStatus, Outcome
from policy.vocabulary import Channel
from tests.installations import MINUTE, SECOND, START, by_hand, email_account, rows, sms_account
from tests.workflows.racing import at_once
from workflows.breaker import Stopped, stopped
from workflows.closing import cancel
from workflows.delivery import Then, claim, record_failed, record_sent
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.parcels import Parcel

PROBE = 30 * SECOND


def codes_queued(installation: Installation, count: int) -> list[UUID]:
    """Messages over e-mail that are due at once, one an account."""
    refs = [email_account(installation, f"A{number}") for number in range(count)]
    return [open_case(installation, ref, actor=Actor.AGENT, now=START).owed[0] for ref in refs]


def fail(installation: Installation, message_id: UUID, outcome: Outcome, now: datetime = START) -> Parcel:
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    record_failed(installation, parcel, outcome, "http_401", now)
    return parcel


def work(installation: Installation, message_id: UUID, now: datetime) -> None:
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    record_sent(installation, parcel, "sendgrid", str(message_id), now)


def row_of(installation: Installation, message_id: UUID) -> Message:
    (row,) = rows(installation, select(Message.__table__).where(Message.id == message_id))
    return row  # type: ignore[return-value] # its columns are the same


def test_a_fault_of_ours_stops_the_channel_at_once_and_says_so(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = codes_queued(installation, 2)
    fail(installation, first, Outcome.MISCONFIGURED)
    assert stopped(installation) == [Stopped(Channel.EMAIL, START, "http_401", START + PROBE)]
    assert [record.levelname for record in caplog.records if "email is stopped: http_401" in record.message] == [
        "ERROR"
    ]
    assert claim(installation, second, START + SECOND) is None


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.UNAVAILABLE, Outcome.UNKNOWN])
def test_five_failures_in_a_row_stop_the_channel(installation: Installation, outcome: Outcome) -> None:
    messages = codes_queued(installation, 5)
    for message_id in messages[:4]:
        fail(installation, message_id, outcome)
    assert stopped(installation) == []
    fail(installation, messages[4], outcome)
    assert [each.channel for each in stopped(installation)] == [Channel.EMAIL]


def test_a_success_in_between_begins_the_count_anew(installation: Installation) -> None:
    messages = codes_queued(installation, 9)
    for message_id in messages[:4]:
        fail(installation, message_id, Outcome.NOT_SENT)
    work(installation, messages[4], START)
    for message_id in messages[5:]:
        fail(installation, message_id, Outcome.NOT_SENT)
    assert stopped(installation) == []


def test_a_recipient_who_is_refused_says_that_the_channel_works(installation: Installation) -> None:
    messages = codes_queued(installation, 6)
    for message_id in messages[:4]:
        fail(installation, message_id, Outcome.NOT_SENT)
    fail(installation, messages[4], Outcome.REJECTED)
    fail(installation, messages[5], Outcome.NOT_SENT)
    assert stopped(installation) == []


def test_what_waits_for_a_stopped_channel_is_not_spent(installation: Installation) -> None:
    first, second = codes_queued(installation, 2)
    fail(installation, first, Outcome.MISCONFIGURED)
    assert claim(installation, second, START + SECOND) is None
    row = row_of(installation, second)
    assert (row.status, row.attempts) == (MessageStatus.QUEUED, 0)
    assert START + PROBE <= row.due_at <= START + PROBE + 2 * SECOND


def test_one_message_tries_and_if_it_fails_the_wait_doubles_up_to_five_minutes(installation: Installation) -> None:
    messages = codes_queued(installation, 9)
    fail(installation, messages[0], Outcome.MISCONFIGURED)
    now, waits = START, []
    for message_id in messages[1:]:
        probe_at = stopped(installation)[0].probe_at
        waits.append((probe_at - now).total_seconds())
        now = probe_at
        fail(installation, message_id, Outcome.MISCONFIGURED, now)
    assert waits == [30, 60, 120, 240, 300, 300, 300, 300]


def test_of_threads_that_would_try_at_once_one_does(installation: Installation) -> None:
    messages = codes_queued(installation, 6)
    fail(installation, messages[0], Outcome.MISCONFIGURED)
    tries = [lambda each=each: claim(installation, each, START + PROBE) for each in messages[1:]]
    assert sum(parcel is not None for parcel in at_once(*tries)) == 1


def test_a_message_that_nobody_needs_any_more_is_not_the_one_that_tries(installation: Installation) -> None:
    messages = codes_queued(installation, 3)
    fail(installation, messages[0], Outcome.MISCONFIGURED)
    (row,) = rows(installation, select(Message.case_id).where(Message.id == messages[1]))
    (case,) = rows(installation, select(ResetCase.reference).where(ResetCase.id == row.case_id))
    cancel(installation, case.reference, actor=Actor.AGENT, now=START, how="by telephone")
    assert claim(installation, messages[1], START + PROBE) is None
    assert claim(installation, messages[2], START + PROBE) is not None


def test_when_the_one_goes_through_all_go(installation: Installation) -> None:
    messages = codes_queued(installation, 4)
    fail(installation, messages[0], Outcome.MISCONFIGURED)
    work(installation, messages[1], START + PROBE)
    assert stopped(installation) == []
    for message_id in messages[2:]:
        work(installation, message_id, START + PROBE + SECOND)


def test_one_channel_does_not_stop_another(installation: Installation) -> None:
    fail(installation, codes_queued(installation, 1)[0], Outcome.MISCONFIGURED)
    texted = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    assert claim(installation, texted.owed[0], START) is not None


def test_a_worker_that_dies_on_a_stopped_channel_leaves_its_message_in_doubt_and_waiting(
    installation: Installation,
) -> None:
    first, second = codes_queued(installation, 2)
    assert claim(installation, second, START) is not None
    fail(installation, first, Outcome.MISCONFIGURED, START + MINUTE - SECOND)
    assert claim(installation, second, START + MINUTE) is None
    row = row_of(installation, second)
    assert (row.status, row.in_doubt_since) == (MessageStatus.QUEUED, START)


def test_there_is_a_breaker_for_each_channel(installation: Installation) -> None:
    assert {row.channel for row in rows(installation, select(ChannelBreaker.channel))} == set(Channel)


def test_the_longest_wait_is_five_minutes_however_long_it_lasts(installation: Installation) -> None:
    messages = codes_queued(installation, 1)
    now = START
    for _ in range(40):
        fail(installation, messages[0], Outcome.MISCONFIGURED, now)
        probe_at, due_at = stopped(installation)[0].probe_at, row_of(installation, messages[0]).due_at
        assert probe_at - now <= timedelta(minutes=5)
        now = max(probe_at, due_at)


def test_a_message_in_doubt_does_not_try_while_a_fresh_one_waits(installation: Installation) -> None:
    ids = codes_queued(installation, 7)
    others = update(Message).where(Message.id.not_in(ids)).values(status=MessageStatus.CANCELLED)
    by_hand(installation, others)
    for message_id in ids[:5]:
        fail(installation, message_id, Outcome.UNKNOWN)
    assert claim(installation, ids[0], START + PROBE) is None
    assert row_of(installation, ids[0]).status is MessageStatus.QUEUED
    fail(installation, ids[5], Outcome.UNKNOWN, START + PROBE)
    fail(installation, ids[6], Outcome.UNKNOWN, START + 3 * PROBE)
    assert claim(installation, ids[0], START + 10 * MINUTE) is not None


def test_a_refusal_of_ours_says_nothing_of_the_channel(installation: Installation) -> None:
    first, second = codes_queued(installation, 2)
    fail(installation, first, Outcome.MISCONFIGURED)
    parcel = claim(installation, second, START + PROBE)
    assert parcel is not None
    record_failed(installation, parcel, Outcome.REJECTED, "malformed_destination", START + PROBE, then=Then.UNASKED)
    assert [each.channel for each in stopped(installation)] == [Channel.EMAIL]
