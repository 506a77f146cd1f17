"""What the database itself refuses, also from SQL written by hand."""

import re
from itertools import product

import pytest
from sqlalchemy import Enum, inspect

from models import accounts, cases, inbound, messages
from models.base import Base
from models.cases import OPEN_STATES, CaseState
from models.database import Database
from tests.models.bare import REFUSED, Bare, id_of

TABLES = (accounts, cases, inbound, messages)
"""Importing them is what registers them."""
CLOSED_STATES = set(CaseState) - OPEN_STATES


# --- States


@pytest.mark.parametrize("state", list(CaseState))
def test_a_case_takes_every_state_of_the_machine(bare: Bare, state: CaseState) -> None:
    bare.add_account()
    bare.add_case(state=state)
    assert bare.run("SELECT state FROM reset_case") == [(state,)]


def test_a_case_takes_no_other_state(bare: Bare) -> None:
    bare.add_account()
    bare.add_case()
    for state in ("open", "", "REQUESTED", "Completed", "requested "):
        with pytest.raises(REFUSED, match="ck_reset_case_casestate"):
            bare.add_case(2, state=state)
        with pytest.raises(REFUSED, match="ck_reset_case_casestate"):
            bare.run("UPDATE reset_case SET state = ?", state)
    assert bare.run("SELECT state FROM reset_case") == [("requested",)]


def test_a_line_of_history_takes_no_other_state(bare: Bare) -> None:
    bare.add_account()
    bare.add_case()
    with pytest.raises(REFUSED, match="ck_case_event_from_state"):
        bare.add_event(1, from_state="open")
    with pytest.raises(REFUSED, match="ck_case_event_to_state"):
        bare.add_event(1, to_state="open")
    assert bare.run("SELECT seq FROM case_event") == []


def test_every_column_of_words_is_held_to_them_by_a_check(database: Database) -> None:
    looking = inspect(database.engine)
    for table in Base.metadata.tables.values():
        checks = [each["sqltext"] for each in looking.get_check_constraints(table.name)]
        for column in table.columns:
            if isinstance(column.type, Enum):
                about = [check for check in checks if re.search(rf"\b{column.name}\b", check)]
                assert [sorted(re.findall(r"'(\w+)'", check)) for check in about] == [sorted(column.type.enums)]


# --- One open case


@pytest.mark.parametrize(("first", "second"), list(product(sorted(OPEN_STATES), repeat=2)))
def test_an_account_has_one_open_case(bare: Bare, first: CaseState, second: CaseState) -> None:
    bare.add_account(1)
    bare.add_account(2)
    bare.add_case(1, first)
    with pytest.raises(REFUSED, match=r"uq_reset_case_open|reset_case\.account_id"):
        bare.add_case(2, second)
    bare.add_case(3, second, account=2)


@pytest.mark.parametrize("closed", sorted(CLOSED_STATES))
def test_closed_cases_do_not_count_until_somebody_opens_them_again(bare: Bare, closed: CaseState) -> None:
    bare.add_account()
    bare.add_case(1, closed)
    bare.add_case(2, closed)
    bare.add_case(3)
    for state in OPEN_STATES:
        with pytest.raises(REFUSED, match=r"uq_reset_case_open|reset_case\.account_id"):
            bare.run("UPDATE reset_case SET state = ? WHERE id = ?", state, id_of(1))


# --- Ids from elsewhere


def test_two_accounts_have_no_ref_in_common(bare: Bare) -> None:
    bare.add_account(1, "C-1001")
    with pytest.raises(REFUSED, match=r"uq_account_ref|account\.ref"):
        bare.add_account(2, "C-1001")
    bare.add_account(3, "C-1002")


def test_a_delivery_is_stored_once(bare: Bare) -> None:
    bare.add_mail(1, "maildir", "1790000000.M1.host")
    with pytest.raises(REFUSED, match=r"inbound_mail"):
        bare.add_mail(2, "maildir", "1790000000.M1.host")
    bare.add_mail(3, "maildir", "1790000000.M2.host")
    bare.add_mail(4, "imap", "1790000000.M1.host")


def test_one_id_of_a_vendor_belongs_to_one_message(bare: Bare) -> None:
    bare.add_message(1, "sendgrid", "abc")
    with pytest.raises(REFUSED, match=r"message"):
        bare.add_message(2, "sendgrid", "abc")
    bare.add_message(3, "sendgrid", "abd")
    bare.add_message(4, "twilio", "abc")
    bare.add_message(5, None, None)
    bare.add_message(6, None, None)


def test_two_cases_have_no_reference_in_common(bare: Bare) -> None:
    bare.add_account()
    bare.add_case(1, "completed")
    bare.add_case(2, "completed")
    with pytest.raises(REFUSED, match=r"uq_reset_case_reference|reset_case\.reference"):
        bare.run("UPDATE reset_case SET reference = 'R-0001-0000'")
