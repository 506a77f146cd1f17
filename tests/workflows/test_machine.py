"""The state machine's door: what is not allowed is refused and leaves nothing behind."""

import pytest
from sqlalchemy import update

from models.cases import OPEN_STATES, Actor, CaseState, ResetCase
from tests.installations import HOUR, PASSPHRASE, START, email_account, start_case
from workflows.cases import Overtaken, locked
from workflows.installation import Installation
from workflows.machine import Refused, fire, next_triggers, sources_of
from workflows.proving import prove_link
from workflows.views import case_with_history

TOO_EARLY = ("verify_contact", "check_passphrase", "complete", "expire")


def test_what_the_guards_do_not_allow_is_refused_and_leaves_nothing_behind(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    before = case_with_history(installation, case.reference)
    for trigger in TOO_EARLY:
        with (
            pytest.raises(Refused, match=f"{trigger} is not possible while the case is requested"),
            installation.database.begin() as connection,
            locked(installation, connection, case.reference) as row,
        ):
            fire(row, trigger, actor=Actor.AGENT, now=START + HOUR)
    assert case_with_history(installation, case.reference) == before


def test_a_set_passphrase_cannot_be_passed_over(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    prove_link(installation, case.reference, case.token, now=START)
    with (
        pytest.raises(Refused, match="check_passphrase is not possible while the case is contact_verified"),
        installation.database.begin() as connection,
        locked(installation, connection, case.id) as row,
    ):
        fire(row, "check_passphrase", actor=Actor.SUPERVISOR, now=START)


def test_an_unknown_trigger_is_a_bug(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    with (
        pytest.raises(KeyError),
        installation.database.begin() as connection,
        locked(installation, connection, case.id) as row,
    ):
        fire(row, "approve", actor=Actor.SUPERVISOR, now=START)


def test_what_raises_after_a_trigger_takes_it_back(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    before = case_with_history(installation, case.reference)
    with (
        pytest.raises(ZeroDivisionError),
        installation.database.begin() as connection,
        locked(installation, connection, case.id) as row,
    ):
        fire(row, "cancel", actor=Actor.AGENT, now=START)
        raise ZeroDivisionError
    assert case_with_history(installation, case.reference) == before


def test_a_case_that_somebody_changed_without_its_lock_is_not_overwritten(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    before = case_with_history(installation, case.reference)
    with (
        pytest.raises(Overtaken),
        installation.database.begin() as connection,
        locked(installation, connection, case.id) as row,
    ):
        connection.execute(update(ResetCase).values(seq=ResetCase.seq + 1))
        fire(row, "cancel", actor=Actor.AGENT, now=START)
    assert case_with_history(installation, case.reference) == before


def test_every_open_state_can_end_in_three_ways_and_a_closed_one_in_none() -> None:
    for trigger in ("cancel", "deny", "expire"):
        assert sources_of(trigger) == OPEN_STATES
    assert sources_of("complete") == {CaseState.PASSPHRASE_CHECKED}
    assert {state: next_triggers(state) for state in set(CaseState) - OPEN_STATES} == dict.fromkeys(
        set(CaseState) - OPEN_STATES, ()
    )
