"""An answer to a mail of ours: it joins its case only with the right token and from the customer's own address."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from models.base import AnyRow
from models.cases import Actor, CaseState
from models.inbound import Authenticity, Verdict
from models.messages import DeliveryReceipt, Message
from policy.vocabulary import Fate, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    START,
    Started,
    address_of,
    deliver_all,
    email_account,
    factor_address_of,
    rows,
    start_case,
    with_inbox,
    wrong,
)
from workflows.closing import cancel
from workflows.installation import Installation
from workflows.intake import OF_ANOTHER_ACCOUNT, Decided, Reading, Request, decide, store
from workflows.receipts import settle
from workflows.replies import IN_THREAD, OF_ANOTHER
from workflows.threads import token_of
from workflows.views import case_with_history


@pytest.fixture
def case(installation: Installation) -> Started:
    return start_case(installation, email_account(installation))


def token_in(installation: Installation, case: Started) -> str:
    (row, *_) = rows(installation, select(Message.id).where(Message.case_id == case.id))
    return token_of(installation, row.id)


def replied(
    installation: Installation,
    reading: Reading,
    now: datetime = START + HOUR,
) -> Decided:
    mail_id = store(installation, "maildir", f"{now} {reading.code}", b"From: x\r\n\r\n", now)
    assert mail_id is not None
    answer = decide(installation, mail_id, reading, now)
    assert answer is not None
    return answer


def reading_of(token: str, sender: str, code: str | None = None, *, asks: Request = Request.SOMETHING_ELSE) -> Reading:
    return Reading(asks, (), sender, None, Authenticity.AUTHENTIC, (token,), code=code)


def state_of(installation: Installation, case: Started) -> CaseState:
    return case_with_history(installation, case.reference)[0].state


def events_of(installation: Installation, case: Started) -> list[str]:
    return [each.event for each in case_with_history(installation, case.reference)[1]]


def messages_of(installation: Installation, kind: MessageKind) -> list[AnyRow]:
    return rows(installation, select(Message.id, Message.contact_id).where(Message.kind == kind))


@pytest.mark.parametrize("sender", [address_of("JONAS"), factor_address_of("JONAS")])
def test_a_reply_of_the_customer_that_asks_again_joins_the_case(
    installation: Installation, case: Started, sender: str
) -> None:
    reading = reading_of(token_in(installation, case), sender, asks=Request.RESET)
    answer = replied(installation, reading)
    assert (answer.verdict, answer.case_id) == (Verdict.JOINED, case.id)
    assert events_of(installation, case)[-1] == "asked_again"


def test_a_reply_that_names_another_account_is_held(installation: Installation, case: Started) -> None:
    reading = replace(
        reading_of(token_in(installation, case), address_of("JONAS"), asks=Request.RESET), accounts=("99",)
    )
    answer = replied(installation, reading)
    assert (answer.verdict, answer.case_id, answer.reasons) == (Verdict.HELD, case.id, (OF_ANOTHER_ACCOUNT,))
    assert events_of(installation, case) == ["open"]


def test_a_reply_with_the_token_from_another_address_is_held_and_touches_no_case(
    installation: Installation, case: Started
) -> None:
    email_account(installation, "MALLORY")
    for asks in (Request.RESET, Request.SOMETHING_ELSE):
        reading = reading_of(token_in(installation, case), address_of("MALLORY"), case.code, asks=asks)
        answer = replied(installation, reading, START + HOUR + MINUTE * len(asks))
        assert (answer.verdict, answer.case_id, answer.reasons) == (Verdict.HELD, None, (OF_ANOTHER,))
    assert events_of(installation, case) == ["open"]


def test_a_wrong_token_joins_nothing(installation: Installation, case: Started) -> None:
    right = token_in(installation, case)
    forged = right[:26] + ("b" if right[26] == "a" else "a") + right[27:]
    answer = replied(installation, reading_of(forged, address_of("JONAS")))
    assert (answer.verdict, answer.case_id, answer.reasons) == (Verdict.HELD, None, ())


def test_a_reply_that_asks_for_something_else_is_held_with_its_case_named(
    installation: Installation, case: Started
) -> None:
    answer = replied(installation, reading_of(token_in(installation, case), address_of("JONAS")))
    assert (answer.verdict, answer.case_id, answer.reasons) == (Verdict.HELD, case.id, (IN_THREAD,))


def test_a_code_in_a_reply_does_not_count_and_the_customer_is_told_once_where_it_does(
    installation: Installation, case: Started
) -> None:
    token = token_in(installation, case)
    first, second = (
        replied(installation, reading_of(token, factor_address_of("JONAS"), case.code), START + hours * HOUR)
        for hours in (1, 2)
    )
    assert (first.verdict, second.verdict) == (Verdict.JOINED, Verdict.JOINED)
    assert state_of(installation, case) is CaseState.REQUESTED
    assert len(messages_of(installation, MessageKind.NOTICE_CODE_BY_MAIL)) == 1
    (parcel,) = deliver_all(installation, first.owed, START + 3 * HOUR)
    assert (parcel.kind, parcel.permit.destination) == (MessageKind.NOTICE_CODE_BY_MAIL, factor_address_of("JONAS"))
    assert second.owed == ()


def test_where_the_policy_says_so_a_code_of_a_proven_sender_counts(installation: Installation, case: Started) -> None:
    lenient = with_inbox(installation, codes_by_mail=True)
    replied(lenient, reading_of(token_in(installation, case), factor_address_of("JONAS"), case.code))
    assert state_of(installation, case) is CaseState.PASSPHRASE_CHECKED
    assert case_with_history(installation, case.reference)[1][1].actor is Actor.CUSTOMER


def test_it_never_counts_where_nothing_proves_the_sender(installation: Installation, case: Started) -> None:
    lenient = with_inbox(installation, codes_by_mail=True)
    proven = reading_of(token_in(installation, case), factor_address_of("JONAS"), case.code)
    for authenticity in (Authenticity.UNAUTHENTICATED, Authenticity.FORGED):
        reading = Reading(proven.request, (), proven.sender, None, authenticity, proven.tokens, code=proven.code)
        replied(lenient, reading, START + HOUR * len(authenticity))
    assert state_of(installation, case) is CaseState.REQUESTED


def test_a_wrong_code_in_a_reply_costs_a_try_as_one_that_is_typed(installation: Installation, case: Started) -> None:
    lenient = with_inbox(installation, codes_by_mail=True)
    replied(lenient, reading_of(token_in(installation, case), factor_address_of("JONAS"), wrong(case.code)))
    assert events_of(installation, case)[-1] == "wrong_code"


def test_a_reply_to_a_closed_case_is_a_mail_like_any_other(installation: Installation, case: Started) -> None:
    token = token_in(installation, case)
    cancel(installation, case.reference, actor=Actor.AGENT, now=START + MINUTE, how="test")
    answer = replied(installation, reading_of(token, address_of("JONAS"), asks=Request.RESET))
    assert answer.verdict is Verdict.OPENED
    assert answer.case_id != case.id


def bounce_of(token: str) -> Reading:
    return Reading(Request.AUTOMATIC, ("a bounce",), "mailer-daemon@mx.example", None, tokens=(token,), bounced=True)


def sent_message(installation: Installation) -> UUID:
    (row,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.NOTICE_OPENED))
    return UUID(str(row.id))


def test_a_bounce_with_the_token_is_heard_once_as_a_vendors_word(installation: Installation, case: Started) -> None:
    message_id = sent_message(installation)
    answers = [replied(installation, bounce_of(token_of(installation, message_id)), START + n * HOUR) for n in (1, 2)]
    assert [each.verdict for each in answers] == [Verdict.AUTOMATIC] * 2
    (receipt_id,) = (id_ for each in answers for id_ in each.receipts)
    settle(installation, receipt_id, START + DAY)
    assert events_of(installation, case)[-1] == "undelivered"
    (stored,) = rows(installation, select(DeliveryReceipt.message_id, DeliveryReceipt.fate))
    assert tuple(stored) == (message_id, Fate.UNREACHABLE)


def test_a_forged_bounce_silences_nothing(installation: Installation, case: Started) -> None:
    token = token_of(installation, sent_message(installation))
    for hours, forged in enumerate((token[:-2] + "qq", token[26:] + token[:26], "")):
        assert replied(installation, bounce_of(forged), START + HOUR * hours).receipts == ()
    assert rows(installation, select(DeliveryReceipt.id)) == []
    assert events_of(installation, case) == ["open"]
