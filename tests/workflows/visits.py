"""Visits to the settings pages, as the tests of the workflows make them."""

from datetime import datetime

from tests.installations import START, TOTP_SECRET
from workflows import portal
from workflows.installation import Installation
from workflows.portal import Visit
from workflows.showing_factors import Shown
from workflows.sign_in import Outcome, confirm


def visit(installation: Installation, ref: str = "DANA", now: datetime = START) -> Visit:
    """A visit that the billing system's link begins; no second factor was shown in it."""
    link = portal.make_link(installation, ref, now)
    cookie = portal.enter(installation, link.url.rpartition("/")[2], now)
    return seen(installation, cookie or "", now)


def seen(installation: Installation, cookie: str, now: datetime = START) -> Visit:
    """The visit of this cookie, as the next request finds it."""
    found = portal.visit_of(installation, cookie, now)
    assert found is not None
    return found


def visit_with_factor(installation: Installation, ref: str = "DANA", now: datetime = START) -> Visit:
    """A visit in which the imported app's code was shown."""
    import pyotp

    link = portal.make_link(installation, ref, now)
    cookie = portal.enter(installation, link.url.rpartition("/")[2], now) or ""
    shown = Shown(pyotp.TOTP(TOTP_SECRET).at(now))
    assert confirm(installation, seen(installation, cookie, now), shown, now).outcome is Outcome.ACCEPTED
    return seen(installation, cookie, now)
