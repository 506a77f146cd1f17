"""A letter that has not left yet is stopped when its case is closed; what is too late is said."""

from uuid import UUID

from models.cases import Actor
from policy.vocabulary import Channel
from tests.installations import HOUR, MINUTE, SECOND, START, letter_account, sms_account, start_case
from tests.workflows.racing import at_once
from workflows.closing import cancel
from workflows.delivery import claim, record_sent
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
