"""A mail becomes a case, an answer, or something for a person; it is kept whatever it is, and decided once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.accounts import Account
from models.base import AnyRow
from models.cases import Actor, AskedThrough
from models.inbound import InboundMail, Verdict
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    START,
    address_of,
    by_hand,
    deliver_all,
    email_account,
    factor_address_of,
    rows,
    start_case,
)
from tests.workflows.racing import at_once
from workflows.delivery import claim
from workflows.installation import Installation
from workflows.intake import OF_ANOTHER_ACCOUNT, Decided, Reading, Request, Stored, decide, store, stored
from workflows.parcels import Parcel
from workflows.upkeep import overdue
from workflows.views import account_view, case_with_history, list_mails

RAW = b"From: somebody\r\n\r\nI lost my phone \xff\x00"
STRANGER = "nobody@elsewhere.example"


def kept(installation: Installation, delivery_id: str, now: datetime = START) -> UUID:
    mail_id = store(installation, "maildir", delivery_id, RAW, now)
    assert mail_id is not None
    return mail_id


def decided(
    installation: Installation,
    sender: str | None,
    now: datetime = START,
    *,
    asks: Request = Request.RESET,
    accounts: tuple[str, ...] = (),
) -> Decided:
    """What became of a mail that arrived now and was read like this."""
    delivery_id = f"{sender} {asks} {now.isoformat()}"
    reading = Reading(asks, ("lost … my phone",), sender, "<1@mail.example>", accounts=accounts)
    answer = decide(installation, kept(installation, delivery_id, now), reading, now)
    assert answer is not None
    return answer


def mail_row(installation: Installation) -> AnyRow:
    (row,) = rows(installation, select(InboundMail.__table__))
    return row


def answers_to(installation: Installation, sender: str) -> int:
    statement = select(Message.id).join(InboundMail).where(InboundMail.sender == sender)
    return len(rows(installation, statement))


def test_a_mail_is_kept_as_it_came_before_anybody_reads_it(installation: Installation) -> None:
    mail_id = kept(installation, "1")
    row = mail_row(installation)
    assert (row.id, row.raw, row.verdict, row.received_at) == (mail_id, RAW, Verdict.RECEIVED, START)
    assert stored(installation, mail_id) == Stored("maildir", RAW)


def test_a_delivery_is_stored_once(installation: Installation) -> None:
    assert store(installation, "maildir", "1", RAW, START) is not None
    assert store(installation, "maildir", "1", RAW, START + HOUR) is None
    assert store(installation, "imap", "1", RAW, START) is not None
    assert store(installation, "maildir", "2", RAW, START) is not None
    assert len(list_mails(installation)) == 3


def test_threads_that_bring_one_delivery_store_it_once(installation: Installation) -> None:
    ids = at_once(*[lambda: store(installation, "maildir", "1", RAW, START)] * 4)
    assert len([each for each in ids if each]) == 1
    assert mail_row(installation).id in ids


@pytest.mark.parametrize("of", [address_of, factor_address_of])
def test_a_request_from_an_address_of_one_account_opens_a_case(
    installation: Installation, of: Callable[[str], str]
) -> None:
    email_account(installation)
    answer = decided(installation, of("JONAS"))
    assert (answer.verdict, answer.reasons) == (Verdict.OPENED, ("lost … my phone",))
    (line,) = account_view(installation, "JONAS").cases
    view, events, messages = case_with_history(installation, line.reference)
    assert (view.id, view.asked_through) == (answer.case_id, AskedThrough.INBOX)
    assert (events[0].actor, events[0].at) == (Actor.CUSTOMER, START)
    assert len(answer.owed) == len(messages)
    assert answer.answer is not None
    assert {each.status for each in messages} == {MessageStatus.QUEUED}
    assert mail_row(installation).case_id == view.id


@pytest.mark.parametrize("numbers", [("c40718",), ("40718",), ("40718", "c40718")])
def test_a_request_that_names_the_sender_s_own_account_opens_a_case(
    installation: Installation, numbers: tuple[str, ...]
) -> None:
    email_account(installation, "C-40718")
    assert decided(installation, address_of("C-40718"), accounts=numbers).verdict is Verdict.OPENED


@pytest.mark.parametrize("numbers", [("40719",), ("407",), ("d40718",), ("40718", "40719")])
def test_a_request_that_names_another_account_is_held_and_answered(
    installation: Installation, numbers: tuple[str, ...]
) -> None:
    email_account(installation, "C-40718")
    answer = decided(installation, address_of("C-40718"), accounts=numbers)
    assert (answer.verdict, answer.reasons[-1]) == (Verdict.HELD, OF_ANOTHER_ACCOUNT)
    assert answers_to(installation, address_of("C-40718")) == 1


def test_a_second_request_joins_the_open_case(installation: Installation) -> None:
    email_account(installation)
    first = decided(installation, address_of("JONAS"))
    second = decided(installation, factor_address_of("JONAS"), START + HOUR)
    assert (second.verdict, second.case_id) == (Verdict.JOINED, first.case_id)


def test_a_request_by_mail_joins_a_case_that_support_has_opened(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    answer = decided(installation, address_of("JONAS"))
    assert (answer.verdict, answer.case_id) == (Verdict.JOINED, case.id)
    _, events, _ = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].actor, events[-1].facts) == (
        "asked_again",
        Actor.CUSTOMER,
        {"through": "inbox"},
    )


def test_an_address_that_was_replaced_belongs_to_nobody_any_more(installation: Installation) -> None:
    email_account(installation)
    email_account(installation, primary_email="new@primary.example")
    assert decided(installation, address_of("JONAS")).verdict is Verdict.HELD


def test_a_request_from_an_unknown_address_is_held_and_answered(installation: Installation) -> None:
    answer = decided(installation, STRANGER)
    assert (answer.verdict, answer.case_id, answer.owed) == (Verdict.HELD, None, ())
    assert answer.answer is not None
    assert answer.reasons == ("lost … my phone", "the address belongs to no account")
    row = mail_row(installation)
    assert (row.verdict, row.judged_at, row.sender) == (Verdict.HELD, START, STRANGER)
    assert row.reasons == "lost … my phone; the address belongs to no account"


def test_a_request_from_an_address_of_several_accounts_is_held_and_answered(installation: Installation) -> None:
    for ref in ("JONAS", "HANNA"):
        email_account(installation, ref, primary_email="both@primary.example")
    answer = decided(installation, "both@primary.example")
    assert (answer.verdict, answer.case_id, answer.owed) == (Verdict.HELD, None, ())
    assert answer.answer is not None
    assert answer.reasons[-1] == "the address belongs to several accounts"
    assert account_view(installation, "JONAS").cases == account_view(installation, "HANNA").cases == ()


def test_a_request_for_an_account_whose_resets_are_disabled_is_held_and_answered(installation: Installation) -> None:
    email_account(installation)
    by_hand(installation, update(Account).values(resets_disabled_at=START))
    answer = decided(installation, address_of("JONAS"))
    assert (answer.verdict, answer.case_id, answer.owed) == (Verdict.HELD, None, ())
    assert answer.answer is not None
    assert answer.reasons[-1] == "resets are disabled for this account until a supervisor lifts that"


def test_a_request_without_one_sender_is_held_and_not_answered(installation: Installation) -> None:
    answer = decided(installation, None)
    assert (answer.verdict, answer.owed, answer.answer) == (Verdict.HELD, (), None)


@pytest.mark.parametrize(
    ("asks", "verdict"),
    [
        (Request.SOMETHING_ELSE, Verdict.HELD),
        (Request.AUTOMATIC, Verdict.AUTOMATIC),
        (Request.UNREADABLE, Verdict.UNREADABLE),
    ],
)
def test_what_asks_for_no_reset_opens_nothing_and_is_not_answered(
    installation: Installation, asks: Request, verdict: Verdict
) -> None:
    email_account(installation)
    answer = decided(installation, address_of("JONAS"), asks=asks)
    assert (answer.verdict, answer.case_id, answer.owed, answer.answer) == (verdict, None, (), None)
    assert mail_row(installation).raw == RAW
    assert account_view(installation, "JONAS").cases == ()


def test_a_mail_is_decided_once(installation: Installation) -> None:
    email_account(installation)
    mail_id = kept(installation, "1")
    reading = Reading(Request.RESET, (), address_of("JONAS"))
    assert decide(installation, mail_id, reading, START) is not None
    assert decide(installation, mail_id, reading, START + MINUTE) is None
    assert stored(installation, mail_id) is None
    assert answers_to(installation, address_of("JONAS")) == 1


def test_of_threads_that_judge_at_once_one_decides(installation: Installation) -> None:
    email_account(installation)
    mail_id = kept(installation, "1")
    reading = Reading(Request.RESET, (), address_of("JONAS"))
    answers = at_once(*[lambda: decide(installation, mail_id, reading, START)] * 4)
    assert [each.verdict for each in answers if each] == [Verdict.OPENED]
    assert answers_to(installation, address_of("JONAS")) == 1


def answer_parcel(installation: Installation, answer: Decided) -> Parcel:
    assert answer.answer is not None
    (parcel,) = deliver_all(installation, [answer.answer], START + MINUTE)
    return parcel


def test_known_and_unknown_senders_get_the_same_answer(installation: Installation) -> None:
    email_account(installation)
    known, unknown = (decided(installation, sender) for sender in (address_of("JONAS"), STRANGER))
    assert (known.verdict, unknown.verdict) == (Verdict.OPENED, Verdict.HELD)
    one, other = (answer_parcel(installation, each) for each in (known, unknown))
    assert (one.permit.destination, other.permit.destination) == (address_of("JONAS"), STRANGER)
    assert replace(other, message_id=one.message_id, permit=one.permit, thread=one.thread) == one


def test_the_answer_goes_by_mail_to_the_sender_and_holds_nothing_of_a_case(installation: Installation) -> None:
    email_account(installation)
    parcel = answer_parcel(installation, decided(installation, address_of("JONAS")))
    assert (parcel.channel, parcel.requested_at, parcel.in_reply_to) == (Channel.EMAIL, START, "<1@mail.example>")
    assert (parcel.case_id, parcel.reference, parcel.customer_name, parcel.code) == (None,) * 4
    assert (parcel.token, parcel.stop_token, parcel.challenge_id) == (None,) * 3


def test_an_address_is_answered_once_in_24_hours(installation: Installation) -> None:
    for now, answers in (
        (START, 1),
        (START + MINUTE, 1),
        (START + DAY - SECOND, 1),
        (START + DAY + SECOND, 2),
        (START + DAY + HOUR, 2),
    ):
        decided(installation, STRANGER, now)
        assert answers_to(installation, STRANGER) == answers
    decided(installation, "another@elsewhere.example", START + DAY + HOUR)
    assert answers_to(installation, "another@elsewhere.example") == 1


def test_an_answer_is_withheld_in_the_same_way_from_known_and_unknown(installation: Installation) -> None:
    email_account(installation)
    for sender in (address_of("JONAS"), STRANGER):
        for now in (START, START + HOUR):
            decided(installation, sender, now)
        assert answers_to(installation, sender) == 1


def test_mails_of_one_stranger_that_are_judged_at_once_get_one_answer(installation: Installation) -> None:
    strangers = [f"stranger-{number}@elsewhere.example" for number in range(10)]
    for stranger in strangers:
        reading = Reading(Request.RESET, (), stranger)
        mails = [kept(installation, f"{stranger} {number}") for number in range(2)]
        at_once(*[partial(decide, installation, mail_id, reading, START) for mail_id in mails])
    assert {answers_to(installation, each) for each in strangers} == {1}


def test_an_answer_is_due_at_the_same_moment_whether_or_not_a_case_was_opened_first(installation: Installation) -> None:
    email_account(installation)
    for sender in (address_of("JONAS"), STRANGER):
        answer = decided(installation, sender).answer
        assert answer is not None
        assert claim(installation, answer, START + 4 * SECOND) is None
        assert answer not in overdue(installation, START + 4 * SECOND).messages
        assert answer in overdue(installation, START + 5 * SECOND).messages
        assert claim(installation, answer, START + 5 * SECOND) is not None
