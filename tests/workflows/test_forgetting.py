"""Visits, what security keys were to sign and counts of addresses are deleted a day after they are over."""

from sqlalchemy import func, select

from models.access import CrowdedAddress, PortalSession
from models.accounts import AccountEvent
from tests.installations import DAY, HOUR, MINUTE, SECOND, START, TOTP_SECRET, rows, sms_account
from tests.workflows.visits import visit
from workflows import portal
from workflows.installation import Installation
from workflows.showing_factors import Shown
from workflows.sign_in import verify
from workflows.upkeep import sweep


def count(installation: Installation, table: type[PortalSession | CrowdedAddress]) -> int:
    (row,) = rows(installation, select(func.count().label("number")).select_from(table))
    return int(row.number)


def test_a_visit_is_deleted_a_day_after_its_end_and_stays_in_the_history(installation: Installation) -> None:
    sms_account(installation)
    visit(installation)
    sweep(installation, START + HOUR + DAY - SECOND)
    assert count(installation, PortalSession) == 1
    sweep(installation, START + HOUR + DAY)
    assert count(installation, PortalSession) == 0
    events = [each.event for each in rows(installation, select(AccountEvent.event))]
    assert sorted(events) == ["portal_entered", "portal_link_made"]


def test_a_link_that_was_never_used_is_deleted_too(installation: Installation) -> None:
    sms_account(installation)
    portal.make_link(installation, "DANA", START)
    sweep(installation, START + 5 * MINUTE + DAY)
    assert count(installation, PortalSession) == 0


def test_the_count_of_an_address_is_deleted_after_its_hour(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    verify(installation, "DANA", Shown("000000"), address="192.0.2.10", now=START)
    sweep(installation, START + HOUR - SECOND)
    assert count(installation, CrowdedAddress) == 1
    sweep(installation, START + HOUR)
    assert count(installation, CrowdedAddress) == 0
