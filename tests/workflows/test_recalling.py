"""A letter that has not left yet is stopped when its case is closed; what is too late is said."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from models.cases import Actor
from models.messages import Message, MessageStatus, Outcome
from policy.vocabulary import Channel
from tests.installations import HOUR, MINUTE, SECOND, START, letter_account, rows, sms_account, start_case
from tests.workflows.racing import at_once
from workflows.closing import cancel
from workflows.delivery import claim, record_failed, record_sent
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.recalling import Recall, due, record
from workflows.upkeep import overdue
from workflows.views import case_with_history


def stopped_case(installation: Installation) -> str:
    case = start_case(installation, letter_account(installation))
    cancel(installation, case.reference, actor=Actor.CUSTOMER, now=START + MINUTE, how="stop link")
    return case.reference


def the_recall(installation: Installation) -> Recall:
    (message_id,) = overdue(installation, START + MINUTE).recalls
    recall = due(installation, message_id, START + MINUTE)
    assert recall is not None
    return recall


def events_of(installation: Installation, reference: str) -> list[str]:
    return [event.event for event in case_with_history(installation, reference)[1]]


def test_the_letter_of_a_case_that_was_stopped_is_recalled(installation: Installation) -> None:
    stopped_case(installation)
    recall = the_recall(installation)
    assert (recall.channel, recall.provider_id) == (Channel.MAIL, str(recall.message_id))


def test_the_history_says_whether_it_was_stopped(installation: Installation) -> None:
    reference = stopped_case(installation)
    record(installation, the_recall(installation), START + MINUTE, stopped=True)
    assert events_of(installation, reference)[-1] == "letter_stopped"


def test_the_history_says_that_it_was_too_late(installation: Installation) -> None:
    reference = stopped_case(installation)
    record(installation, the_recall(installation), START + MINUTE, stopped=False)
    assert events_of(installation, reference)[-1] == "letter_not_stopped"


def test_it_is_settled_once(installation: Installation) -> None:
    reference = stopped_case(installation)
    recall = the_recall(installation)
    at_once(*[lambda: record(installation, recall, START + MINUTE, stopped=True)] * 3)
    assert events_of(installation, reference).count("letter_stopped") == 1
    assert due(installation, recall.message_id, START + MINUTE) is None
    assert overdue(installation, START + 2 * MINUTE).recalls == ()


def test_it_is_rung_for_again_until_the_letter_has_left(installation: Installation) -> None:
    stopped_case(installation)
    for now in (START + MINUTE, START + 2 * MINUTE, START + HOUR - SECOND):
        assert len(overdue(installation, now).recalls) == 1
        assert overdue(installation, now).recalls == ()
    assert overdue(installation, START + HOUR).recalls == ()


def test_the_letter_of_an_open_case_is_left_alone(installation: Installation) -> None:
    start_case(installation, letter_account(installation))
    assert overdue(installation, START + MINUTE).recalls == ()


def test_nothing_else_is_recalled(installation: Installation) -> None:
    case = start_case(installation, sms_account(installation))
    cancel(installation, case.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    assert overdue(installation, START + MINUTE).recalls == ()


def test_a_letter_that_was_on_its_way_to_the_vendor_is_recalled_too(installation: Installation) -> None:
    opened = open_case(installation, letter_account(installation), actor=Actor.AGENT, now=START)
    parcel = claim(installation, opened.owed[0], START)
    assert parcel is not None
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    record_sent(installation, parcel, "lob", "ltr_1", START)
    assert due(installation, parcel.message_id, START + MINUTE) is not None
    assert due(installation, UUID(int=0), START + MINUTE) is None


def tried_and_stopped(installation: Installation, outcome: Outcome) -> UUID:
    """The letter of a case that was stopped after an attempt that ended like this."""
    opened = open_case(installation, letter_account(installation), actor=Actor.AGENT, now=START)
    parcel = claim(installation, opened.owed[0], START)
    assert parcel is not None
    record_failed(installation, parcel, outcome, "fault", START)
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    return parcel.message_id


def to_be_looked_for(installation: Installation, message_id: UUID, now: datetime) -> bool:
    recall = due(installation, message_id, now)
    return recall is not None and recall.provider_id is None


def status_of(installation: Installation, message_id: UUID) -> MessageStatus:
    (row,) = rows(installation, select(Message.status).where(Message.id == message_id))
    status: MessageStatus = row.status
    return status


@pytest.mark.parametrize("status", [MessageStatus.QUEUED, MessageStatus.CANCELLED])
def test_a_letter_in_doubt_is_looked_for_until_its_date(installation: Installation, status: MessageStatus) -> None:
    message_id = tried_and_stopped(installation, Outcome.UNKNOWN)
    if status is MessageStatus.CANCELLED:
        assert claim(installation, message_id, START + MINUTE) is None
    assert status_of(installation, message_id) is status
    assert overdue(installation, START + SECOND).recalls == (message_id,)
    assert to_be_looked_for(installation, message_id, START + SECOND)
    assert to_be_looked_for(installation, message_id, START + HOUR - SECOND)
    assert not to_be_looked_for(installation, message_id, START + HOUR)


def test_a_letter_whose_worker_died_is_looked_for_when_its_lease_has_run_out(installation: Installation) -> None:
    opened = open_case(installation, letter_account(installation), actor=Actor.AGENT, now=START)
    message_id = opened.owed[0]
    assert claim(installation, message_id, START) is not None
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    assert not to_be_looked_for(installation, message_id, START + SECOND)
    assert claim(installation, message_id, START + MINUTE) is None
    assert status_of(installation, message_id) is MessageStatus.CANCELLED
    assert to_be_looked_for(installation, message_id, START + 2 * MINUTE)


def test_a_letter_in_doubt_is_left_to_the_worker_who_sends_it_again(installation: Installation) -> None:
    opened = open_case(installation, letter_account(installation), actor=Actor.AGENT, now=START)
    first = claim(installation, opened.owed[0], START)
    assert first is not None
    record_failed(installation, first, Outcome.UNKNOWN, "fault", START)
    second = claim(installation, first.message_id, START + MINUTE)
    assert second is not None
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START + MINUTE, how="stop link")
    assert due(installation, first.message_id, START + MINUTE) is None
    record_sent(installation, second, "lob", "ltr_1", START + MINUTE)
    recall = due(installation, first.message_id, START + MINUTE)
    assert recall is not None
    assert recall.provider_id == "ltr_1"


def test_a_letter_that_the_vendor_never_had_is_not_looked_for(installation: Installation) -> None:
    message_id = tried_and_stopped(installation, Outcome.NOT_SENT)
    assert overdue(installation, START + SECOND).recalls == ()
    assert not to_be_looked_for(installation, message_id, START + MINUTE)
    assert claim(installation, message_id, START + MINUTE) is None
    assert not to_be_looked_for(installation, message_id, START + 2 * MINUTE)
