"""What a claimed message holds, and the messages that must not go: obsolete ones, and those whose contact changed."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Executable, insert, select, update

from foundation.keyring import WrongPlace
from models.accounts import ContactPoint
from models.base import AnyRow, new_id
from models.cases import Actor, AskedThrough, CaseState, Challenge, HeldFor
from models.messages import Message, MessageStatus, Outcome
from policy.permits import PostalAddress
from policy.vocabulary import Channel, ContactKind, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    PHONE,
    START,
    by_hand,
    code_parcel,
    deliver_all,
    email_account,
    letter_account,
    rows,
    sms_account,
    start_case,
    wrong,
)
from workflows.answers import Problem
from workflows.closing import cancel, stop_token
from workflows.codes import resend
from workflows.delivery import claim, record_failed
from workflows.installation import Installation
from workflows.opening import Opened, open_case
from workflows.parcels import Parcel
from workflows.proving import prove_code, prove_link
from workflows.upkeep import sweep
from workflows.views import case_view, case_with_history


def opened_for(installation: Installation, ref: str, now: datetime = START) -> Opened:
    return open_case(installation, ref, actor=Actor.AGENT, now=now)


def claimed(installation: Installation, message_id: UUID, now: datetime = START) -> Parcel:
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    return parcel


def sent_again(installation: Installation, reference: str, now: datetime) -> UUID:
    """The message that a second sending queued."""
    (message_id,) = resend(installation, reference, actor=Actor.CUSTOMER, now=now).owed
    return message_id


def status_of(installation: Installation, message_id: UUID) -> MessageStatus:
    (row,) = rows(installation, select(Message.status).where(Message.id == message_id))
    status: MessageStatus = row.status
    return status


def test_a_parcel_with_a_code_holds_all_that_its_text_needs(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, preference="email"))
    parcel = code_parcel(deliver_all(installation, opened.owed, START + MINUTE))
    assert (parcel.kind, parcel.channel, parcel.case_id) == (MessageKind.RESET_CODE, Channel.EMAIL, opened.case_id)
    assert (parcel.requested_at, parcel.started_at, parcel.valid_until) == (START, START + MINUTE, START + MINUTE + DAY)
    assert (parcel.reference, parcel.customer_name) == (opened.reference, "Customer DANA")
    assert (parcel.asked_through, parcel.hold_until) == (AskedThrough.SUPPORT, None)
    assert parcel.stop_token == stop_token(installation, opened.case_id)
    assert parcel.permit.destination == "dana@factor.example"
    assert (parcel.permit.channel, parcel.permit.until) == (Channel.EMAIL, parcel.valid_until)


def test_a_letter_goes_to_the_whole_postal_address(installation: Installation) -> None:
    opened = opened_for(installation, letter_account(installation, postal_line2="Box 7"))
    parcel = code_parcel(deliver_all(installation, opened.owed, START))
    address = PostalAddress("Customer RUTH", "48 Orchard Lane", "Box 7", "Millbrook", "VT", "05450", "US")
    assert (parcel.permit.destination, parcel.valid_until) == (address, START + HOUR + 21 * DAY)


def test_a_letter_beyond_the_contiguous_states_is_valid_for_longer(installation: Installation) -> None:
    opened = opened_for(installation, letter_account(installation, postal_state="HI", postal_zip="96813"))
    assert code_parcel(deliver_all(installation, opened.owed, START)).valid_until == START + HOUR + 30 * DAY


def test_a_notice_holds_no_code_and_no_link_that_proves(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    notices = [
        each for each in deliver_all(installation, opened.owed, START) if each.kind is not MessageKind.RESET_CODE
    ]
    assert {each.permit.destination for each in notices} == {"dana@primary.example", "dana@factor.example"}
    assert {(each.code, each.token, each.valid_until, each.challenge_id) for each in notices} == {(None,) * 4}
    assert {each.reference for each in notices} == {opened.reference}


def test_what_is_printed_of_a_parcel_holds_no_secret_and_no_address(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    for parcel in deliver_all(installation, opened.owed, START):
        secrets = (parcel.code, parcel.token, parcel.stop_token, parcel.customer_name, PHONE, "dana@")
        assert not [secret for secret in secrets if secret and secret in repr(parcel)]
        assert opened.reference in repr(parcel)


def test_the_code_of_a_cancelled_case_is_not_sent(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    (code,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    assert claim(installation, code.id, START) is None
    assert status_of(installation, code.id) is MessageStatus.CANCELLED


def test_the_code_of_a_proven_case_is_not_sent(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    message_id = sent_again(installation, case.reference, START + MINUTE)
    prove_link(installation, case.reference, case.token, now=START + MINUTE)
    assert claim(installation, message_id, START + MINUTE) is None
    assert status_of(installation, message_id) is MessageStatus.CANCELLED


def test_a_code_that_was_replaced_is_not_sent(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    old = sent_again(installation, case.reference, START + MINUTE)
    for _ in range(5):
        prove_code(installation, case.reference, wrong(case.code), actor=Actor.CUSTOMER, now=START + MINUTE)
    new = sent_again(installation, case.reference, START + 2 * MINUTE)
    assert claim(installation, old, START + 2 * MINUTE) is None
    assert status_of(installation, old) is MessageStatus.CANCELLED
    assert claimed(installation, new, START + 2 * MINUTE).code != case.code


def test_no_message_brings_a_code_whose_tries_are_spent(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    message_id = sent_again(installation, case.reference, START + MINUTE)
    for _ in range(5):
        prove_code(installation, case.reference, wrong(case.code), actor=Actor.CUSTOMER, now=START + MINUTE)
    parcel = claim(installation, message_id, START + 2 * MINUTE)
    assert parcel is None or parcel.code != case.code


def test_a_code_is_not_sent_in_a_case_whose_time_is_over(installation: Installation) -> None:
    opened = opened_for(installation, email_account(installation))
    (code,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    assert claim(installation, code.id, START + 3 * DAY) is None
    assert status_of(installation, code.id) is MessageStatus.CANCELLED
    sweep(installation, START + 3 * DAY)
    assert case_view(installation, opened.reference).state is CaseState.EXPIRED


def test_the_old_contact_gets_no_code_after_falling_back(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    (first,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    second = sent_again(installation, opened.reference, START)
    record_failed(installation, claimed(installation, first.id), Outcome.REJECTED, "30005", START)
    assert claim(installation, second, START) is None
    assert status_of(installation, second) is MessageStatus.CANCELLED


def test_a_notice_of_a_closed_case_still_goes_but_cannot_stop_it_any_more(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    cancel(installation, opened.reference, actor=Actor.CUSTOMER, now=START, how="stop link")
    notices = deliver_all(installation, opened.owed, START)
    assert [each.kind for each in notices] == [MessageKind.NOTICE_OPENED] * 2
    assert {each.stop_token for each in notices} == {None}


PHONE_ROW = ContactPoint.kind == ContactKind.PHONE
CHANGES: dict[str, tuple[Executable, HeldFor, str]] = {
    "its number was edited": (
        update(ContactPoint).where(PHONE_ROW).values(value="+12025550199"),
        HeldFor.CONTACT_CHANGED,
        "the contact point has changed",
    ),
    "its version was edited": (
        update(ContactPoint).where(PHONE_ROW).values(version=2),
        HeldFor.CONTACT_CHANGED,
        "the contact point has changed",
    ),
    "it was replaced": (
        update(ContactPoint).where(PHONE_ROW).values(replaced_at=START),
        HeldFor.CONTACT_CHANGED,
        "the contact point has changed",
    ),
    "it is not verified any more": (
        update(ContactPoint).where(PHONE_ROW).values(verified_at=None),
        HeldFor.NOT_ALLOWED,
        "The phone number has not been verified.",
    ),
}


@pytest.mark.parametrize(("change", "held_for", "why"), CHANGES.values(), ids=CHANGES)
def test_nothing_is_sent_to_a_contact_that_changed_and_the_case_is_held(
    installation: Installation, change: Executable, held_for: HeldFor, why: str
) -> None:
    opened = opened_for(installation, sms_account(installation, backup="email"))
    by_hand(installation, change)
    (code,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    assert claim(installation, code.id, START) is None
    assert status_of(installation, code.id) is MessageStatus.FAILED
    view, events, _ = case_with_history(installation, opened.reference)
    assert (view.state, view.held_for) == (CaseState.REQUESTED, held_for)
    assert (events[-1].event, events[-1].facts) == ("held", {"held_for": held_for, "why": why})
    answer = resend(installation, opened.reference, actor=Actor.AGENT, now=START + MINUTE)
    assert (answer.problem, answer.owed) == (Problem.HELD, ())


def test_a_new_version_beside_the_pinned_one_gets_nothing(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    (old,) = rows(installation, select(ContactPoint.__table__).where(PHONE_ROW))
    new = old._asdict() | {"id": new_id(), "version": 2, "value": "+12025550199"}
    by_hand(
        installation,
        update(ContactPoint).where(PHONE_ROW).values(replaced_at=START),
        insert(ContactPoint).values(new),
    )
    parcels = deliver_all(installation, opened.owed, START)
    assert {each.channel for each in parcels} == {Channel.EMAIL}
    assert case_view(installation, opened.reference).held_for is HeldFor.CONTACT_CHANGED


def test_a_notice_to_a_contact_that_changed_does_not_go_and_holds_nothing(installation: Installation) -> None:
    opened = opened_for(installation, sms_account(installation))
    by_hand(
        installation,
        update(ContactPoint).where(ContactPoint.kind == ContactKind.PRIMARY_EMAIL).values(replaced_at=START),
        update(ContactPoint).where(ContactPoint.kind == ContactKind.TWO_FACTOR_EMAIL).values(verified_at=None),
    )
    (parcel,) = deliver_all(installation, opened.owed, START)
    assert parcel.kind is MessageKind.RESET_CODE
    _, _, messages = case_with_history(installation, opened.reference)
    assert {each.status for each in messages} == {MessageStatus.SENT, MessageStatus.CANCELLED, MessageStatus.FAILED}
    assert case_view(installation, opened.reference).held_for is None


def test_a_code_that_ran_out_while_its_message_waited_is_renewed_and_that_is_not_a_send(
    installation: Installation,
) -> None:
    opened = opened_for(installation, sms_account(installation))
    (code,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    first = claimed(installation, code.id)
    record_failed(installation, first, Outcome.UNKNOWN, "timeout", START)
    now = START + 10 * MINUTE
    second = claimed(installation, code.id, now)
    assert second.code != first.code
    assert (second.message_id, second.valid_until) == (first.message_id, now + 10 * MINUTE)
    view, events, messages = case_with_history(installation, opened.reference)
    assert [line.event for line in events] == ["open", "code_renewed"]
    assert [each.kind for each in messages].count(MessageKind.RESET_CODE) == 1
    assert view.code is not None
    assert view.code.valid_until == second.valid_until
    for minutes in (11, 12):
        sent_again(installation, opened.reference, START + minutes * MINUTE)
    assert first.code is not None
    assert second.code is not None
    old, new = (
        prove_code(installation, opened.reference, each, actor=Actor.CUSTOMER, now=now)
        for each in (first.code, second.code)
    )
    assert (old.problem, new.problem) == (Problem.WRONG_CODE, None)


def test_a_code_that_was_lost_with_its_worker_is_renewed_after_its_life(installation: Installation) -> None:
    opened_for(installation, email_account(installation))
    (code,) = rows(installation, select(Message.id).where(Message.kind == MessageKind.RESET_CODE))
    first = claimed(installation, code.id)
    second = claimed(installation, code.id, START + DAY)
    assert second.code != first.code
    assert second.valid_until == START + 2 * DAY


def challenge_of(installation: Installation, opened: Opened) -> AnyRow:
    (row,) = rows(installation, select(Challenge.__table__).where(Challenge.case_id == opened.case_id))
    return row


def test_a_secret_that_was_copied_from_another_case_is_refused(installation: Installation) -> None:
    mine = opened_for(installation, email_account(installation))
    other = opened_for(installation, email_account(installation, "HANNA"))
    source, target = challenge_of(installation, mine), challenge_of(installation, other)
    copied = update(Challenge).where(Challenge.id == target.id).values(sealed_secret=source.sealed_secret)
    by_hand(installation, copied)
    with pytest.raises(WrongPlace):
        deliver_all(installation, other.owed, START)
    by_hand(installation, update(Challenge).values(expires_at=START + DAY))
    with pytest.raises(WrongPlace):
        prove_code(installation, other.reference, "12345678", actor=Actor.CUSTOMER, now=START)
