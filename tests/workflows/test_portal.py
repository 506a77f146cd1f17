"""The link to the settings pages works once and for a short while, and its visit ends."""

import pytest
from sqlalchemy import select

from models.access import PortalSession
from tests.installations import HOUR, MINUTE, SECOND, START, rows, sms_account, start_case
from tests.workflows.racing import at_once
from tests.workflows.visits import visit
from workflows import portal
from workflows.accounts import UnknownAccount
from workflows.installation import Installation
from workflows.proving import attest_password, prove_code


def token_of(installation: Installation) -> str:
    sms_account(installation)
    return portal.make_link(installation, "DANA", START).url.rpartition("/")[2]


def test_a_link_works_once(installation: Installation) -> None:
    token = token_of(installation)
    assert portal.link_works(installation, token, START)
    cookie = portal.enter(installation, token, START)
    assert cookie is not None
    assert not portal.link_works(installation, token, START)
    assert portal.enter(installation, token, START) is None
    found = portal.visit_of(installation, cookie, START)
    assert found is not None
    assert (found.ref, found.factor_at) == ("DANA", None)


def test_of_two_who_open_a_link_at_once_one_comes_in(installation: Installation) -> None:
    token = token_of(installation)
    done = at_once(*[lambda: portal.enter(installation, token, START)] * 4)
    assert sum(each is not None for each in done) == 1


def test_a_link_is_over_after_five_minutes(installation: Installation) -> None:
    token = token_of(installation)
    assert portal.link_works(installation, token, START + 5 * MINUTE - SECOND)
    assert portal.enter(installation, token, START + 5 * MINUTE) is None


def test_a_visit_ends_after_an_hour_or_when_it_is_left(installation: Installation) -> None:
    cookie = portal.enter(installation, token_of(installation), START) or ""
    assert portal.visit_of(installation, cookie, START + HOUR - SECOND)
    assert portal.visit_of(installation, cookie, START + HOUR) is None
    found = portal.visit_of(installation, cookie, START)
    assert found is not None
    portal.leave(installation, found, START + MINUTE)
    assert portal.visit_of(installation, cookie, START + MINUTE) is None


def test_what_was_never_given_out_opens_nothing(installation: Installation) -> None:
    sms_account(installation)
    for shown in ("", "x" * 43, "\x00"):
        assert portal.enter(installation, shown, START) is None
        assert portal.visit_of(installation, shown, START) is None
    with pytest.raises(UnknownAccount):
        portal.make_link(installation, "NOBODY", START)


def test_neither_token_is_stored(installation: Installation) -> None:
    token = token_of(installation)
    cookie = portal.enter(installation, token, START) or ""
    stored = str(rows(installation, select(PortalSession.__table__)))
    assert token not in stored
    assert cookie not in stored


def test_a_completed_reset_ends_all_visits_and_links(installation: Installation) -> None:
    sms_account(installation)
    cookie = portal.enter(installation, portal.make_link(installation, "DANA", START).url.rpartition("/")[2], START)
    visit(installation)
    link = portal.make_link(installation, "DANA", START)
    case = start_case(installation, "DANA")
    attest_password(installation, case.reference, signed_in_at=START, now=START)
    from models.cases import Actor, CaseState

    done = prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + SECOND)
    assert done.state is CaseState.COMPLETED
    assert portal.visit_of(installation, cookie or "", START + SECOND) is None
    assert portal.enter(installation, link.url.rpartition("/")[2], START + SECOND) is None
