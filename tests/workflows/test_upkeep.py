"""The schedule's work: what is too old expires, ended holds complete, lost doorbells are rung again; twice is once."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.accounts import AccountStatus
from models.cases import Actor, CaseState, Challenge, HeldFor, ResetCase
from models.messages import Message
from policy.vocabulary import MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    SECOND,
    START,
    TOTP_SECRET,
    address_of,
    by_hand,
    deliver_all,
    email_account,
    factor_address_of,
    letter_account,
    rows,
    sms_account,
    start_case,
)
from tests.workflows.racing import at_once
from workflows.cases import locked
from workflows.closing import cancel
from workflows.delivery import claim
from workflows.history import broken_lines
from workflows.importing import import_accounts
from workflows.installation import Installation
from workflows.intake import Reading, Request, decide, store
from workflows.machine import Refused, fire
from workflows.opening import open_case
from workflows.proving import prove_link
from workflows.upkeep import BATCH, Overdue, Swept, count_late, overdue, sweep
from workflows.views import account_view, case_view, case_with_history, list_cases

NOTHING = Swept(0, 0, 0, ())
NOTHING_OVERDUE = Overdue((), (), (), ())
PATIENCE = timedelta(seconds=10)
"""Five times the seconds between two relays."""


def states(installation: Installation) -> dict[str, CaseState]:
    return {case.account: case.state for case in list_cases(installation)}


def test_the_sweep_expires_exactly_what_is_due(installation: Installation) -> None:
    for ref, account in (("SMS", sms_account), ("EMAIL", email_account), ("LETTER", letter_account)):
        start_case(installation, account(installation, ref))
    assert sweep(installation, START + DAY - SECOND) == NOTHING
    assert sweep(installation, START + DAY) == Swept(1, 0, 0, ())
    still_open = {"EMAIL": CaseState.REQUESTED, "LETTER": CaseState.REQUESTED}
    assert states(installation) == {"SMS": CaseState.EXPIRED} | still_open
    assert sweep(installation, START + HOUR + 26 * DAY).expired == 2


def test_an_expired_case_says_when_and_by_whom(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    sweep(installation, START + 4 * DAY)
    view, events, _ = case_with_history(installation, case.reference)
    assert (view.state, view.closed_at) == (CaseState.EXPIRED, START + 4 * DAY)
    line = events[-1]
    assert (line.event, line.from_state, line.to_state) == ("expire", CaseState.REQUESTED, CaseState.EXPIRED)
    assert (line.actor, line.at, line.facts) == (Actor.SYSTEM, START + 4 * DAY, {})


def test_a_case_expires_from_every_open_state(installation: Installation) -> None:
    proven = start_case(installation, email_account(installation, "PROVEN", passphrase=PASSPHRASE))
    prove_link(installation, proven.reference, proven.token, now=START)
    settled = start_case(installation, email_account(installation, "SETTLED"))
    prove_link(installation, settled.reference, settled.token, now=START)
    start_case(installation, email_account(installation, "ASKED"))
    assert sweep(installation, START + 8 * DAY).expired == 3
    assert set(states(installation).values()) == {CaseState.EXPIRED}


def test_expiring_withdraws_the_code(installation: Installation) -> None:
    start_case(installation, email_account(installation))
    sweep(installation, START + 3 * DAY)
    (challenge,) = rows(installation, select(Challenge.replaced_at))
    assert challenge.replaced_at == START + 3 * DAY


def test_sweeping_twice_changes_nothing(installation: Installation) -> None:
    expired = start_case(installation, sms_account(installation, "EXPIRED"))
    completed = start_case(installation, email_account(installation, "COMPLETED"))
    prove_link(installation, completed.reference, completed.token, now=START)
    now = START + DAY
    first = sweep(installation, now)
    assert (first.expired, first.completed) == (1, 1)
    before = [case_with_history(installation, each.reference) for each in (expired, completed)]
    assert sweep(installation, now) == NOTHING
    assert sweep(installation, now + DAY) == NOTHING
    assert [case_with_history(installation, each.reference) for each in (expired, completed)] == before


def test_two_sweeps_at_once_do_what_one_does(installation: Installation) -> None:
    for number in range(4):
        start_case(installation, sms_account(installation, f"EXPIRED-{number}"))
        case = start_case(installation, email_account(installation, f"COMPLETED-{number}"))
        prove_link(installation, case.reference, case.token, now=START)
    done = at_once(*[lambda: sweep(installation, START + DAY)] * 3)
    # A sweep passes over rows that another one has locked, so that what all of them did is what one does.
    assert (sum(each.expired for each in done), sum(each.completed for each in done)) == (4, 4)
    owed = [message_id for each in done for message_id in each.owed]
    assert len(owed) == len(set(owed)) == 2 * 4
    with installation.database.read() as connection:
        assert not list(broken_lines(connection))


def test_an_ended_hold_completes_the_case_and_everybody_else_is_told(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    prove_link(installation, case.reference, case.token, now=START)
    swept = sweep(installation, START + DAY)
    assert (swept.expired, swept.completed) == (0, 1)
    link, notice = deliver_all(installation, swept.owed, START + DAY)
    assert (link.kind, link.permit.destination) == (MessageKind.ENROLMENT_LINK, factor_address_of("JONAS"))
    assert notice.kind is MessageKind.NOTICE_COMPLETED
    assert notice.permit.destination == address_of("JONAS")
    account = account_view(installation, "JONAS")
    assert account.status is AccountStatus.ENROLMENT_PENDING
    assert [each.revoked_at for each in account.authenticators] == [START + DAY]
    _, events, _ = case_with_history(installation, case.reference)
    assert (events[-1].event, events[-1].actor) == ("complete", Actor.SYSTEM)


def test_a_hold_that_ended_long_ago_does_not_complete_the_case_any_more(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    prove_link(installation, case.reference, case.token, now=START)
    assert case_view(installation, case.reference).expires_at == START + 8 * DAY
    assert sweep(installation, START + 8 * DAY) == Swept(1, 0, 0, ())
    assert case_view(installation, case.reference).state is CaseState.EXPIRED
    assert [each.revoked_at for each in account_view(installation, "JONAS").authenticators] == [None]


def test_a_held_case_waits_for_a_supervisor_and_is_not_completed_by_the_sweep(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, totp_secret=TOTP_SECRET))
    prove_link(installation, case.reference, case.token, now=START)
    by_hand(installation, update(ResetCase).values(held_for=HeldFor.CONTACT_CHANGED))
    assert sweep(installation, START + DAY) == NOTHING
    with (
        pytest.raises(Refused),
        installation.database.begin() as connection,
        locked(installation, connection, case.id) as locked_case,
    ):
        fire(locked_case, "complete", actor=Actor.SYSTEM, now=START + DAY)
    assert case_view(installation, case.reference).state is CaseState.PASSPHRASE_CHECKED


def test_not_even_the_machine_completes_a_case_whose_time_is_over(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    prove_link(installation, case.reference, case.token, now=START)
    for now in (START + DAY - SECOND, START + 8 * DAY):
        with (
            pytest.raises(Refused),
            installation.database.begin() as connection,
            locked(installation, connection, case.id) as locked_case,
        ):
            fire(locked_case, "complete", actor=Actor.SYSTEM, now=now)
    assert case_view(installation, case.reference).state is CaseState.PASSPHRASE_CHECKED


def test_a_cancelled_case_is_not_completed_when_its_hold_would_have_ended(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    prove_link(installation, case.reference, case.token, now=START)
    cancel(installation, case.reference, actor=Actor.CUSTOMER, now=START + HOUR, how="stop link")
    assert sweep(installation, START + DAY) == NOTHING
    assert case_view(installation, case.reference).state is CaseState.CANCELLED


def open_more_than_one_batch(installation: Installation) -> int:
    """Cases of accounts without any contact, so that they owe no messages."""
    refs = [f"A-{number:04}" for number in range(BATCH + 1)]
    import_accounts(installation, [{"ref": ref, "name": ref, "country": "DE"} for ref in refs], START)
    for ref in refs:
        open_case(installation, ref, actor=Actor.AGENT, now=START)
    return len(refs)


def test_one_sweep_expires_all_that_is_due_also_beyond_one_batch(installation: Installation) -> None:
    due = open_more_than_one_batch(installation)
    assert sweep(installation, START + 3 * DAY) == Swept(due, 0, 0, ())
    assert set(states(installation).values()) == {CaseState.EXPIRED}


def test_one_sweep_completes_all_that_is_due_also_beyond_one_batch_and_behind_held_cases(
    installation: Installation,
) -> None:
    due = open_more_than_one_batch(installation)
    proven = {"state": CaseState.PASSPHRASE_CHECKED, "proof_set": "code alone", "hold_until": START + DAY}
    by_hand(installation, update(ResetCase).values(proven))
    behind = start_case(installation, email_account(installation))
    prove_link(installation, behind.reference, behind.token, now=START)
    assert sweep(installation, START + DAY).completed == 1
    by_hand(installation, update(ResetCase).values(held_for=None))
    assert sweep(installation, START + DAY) == Swept(0, due, 0, ())


def test_what_was_just_rung_for_is_not_overdue(installation: Installation) -> None:
    open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    assert overdue(installation, START + PATIENCE - SECOND) == NOTHING_OVERDUE


def test_a_message_whose_doorbell_was_lost_is_rung_for_once_per_patience(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    for now in (START + PATIENCE, START + 2 * PATIENCE):
        assert sorted(overdue(installation, now).messages) == sorted(opened.owed)
        assert overdue(installation, now + PATIENCE - SECOND) == NOTHING_OVERDUE


def test_threads_that_look_at_once_ring_once_for_each_message(installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation), actor=Actor.AGENT, now=START)
    found = at_once(*[lambda: overdue(installation, START + PATIENCE)] * 4)
    assert sorted(each for answer in found for each in answer.messages) == sorted(opened.owed)


def test_a_message_that_is_not_due_yet_is_not_rung_for(installation: Installation) -> None:
    open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    by_hand(installation, update(Message).values(due_at=START + DAY, rung_at=None))
    assert overdue(installation, START + DAY - SECOND) == NOTHING_OVERDUE
    assert len(overdue(installation, START + DAY).messages) == 2


def test_a_message_whose_worker_died_is_rung_for_when_its_lease_is_over(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    lost, sent = opened.owed
    claim(installation, lost, START)
    deliver_all(installation, [sent], START)
    assert overdue(installation, START + MINUTE - SECOND) == NOTHING_OVERDUE
    assert overdue(installation, START + MINUTE).messages == (lost,)
    assert overdue(installation, START + MINUTE + SECOND) == NOTHING_OVERDUE


def test_what_is_sent_failed_or_cancelled_is_never_rung_for(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    deliver_all(installation, opened.owed, START)
    assert overdue(installation, START + DAY) == NOTHING_OVERDUE


def test_late_messages_are_counted(installation: Installation) -> None:
    opened = open_case(installation, email_account(installation), actor=Actor.AGENT, now=START)
    assert (count_late(installation, START - SECOND), count_late(installation, START)) == (0, 2)
    deliver_all(installation, opened.owed[:1], START)
    assert count_late(installation, START) == 1


def test_a_mail_that_nobody_judged_is_rung_for_once_per_patience(installation: Installation) -> None:
    mail_id = store(installation, "maildir", "1", b"raw", START)
    assert mail_id is not None
    assert overdue(installation, START + PATIENCE - SECOND) == NOTHING_OVERDUE
    assert overdue(installation, START + PATIENCE) == Overdue((), (mail_id,), (), ())
    assert overdue(installation, START + 2 * PATIENCE - SECOND) == NOTHING_OVERDUE
    decide(installation, mail_id, Reading(Request.SOMETHING_ELSE, ()), START + MINUTE)
    assert overdue(installation, START + DAY) == NOTHING_OVERDUE
