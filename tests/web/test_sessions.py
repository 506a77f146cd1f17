"""The session's cookie: to whom browsers show it, and what is worth none."""

from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import Response

from foundation.keyring import from_keys, new_key
from foundation.settings import Settings
from models.database import Database
from policy import rules
from tests.installations import DAY, SECOND, START
from web import sessions
from web.site import Site, of_installation
from workflows.installation import Installation

REFERENCE = "R-7K2M-9QXW"
CASE = uuid4()


def site(public_url: str = "https://reset.northfold.example") -> Site:
    """A site whose database nobody asks."""
    settings = Settings(data_dir=Path("nowhere"), public_url=public_url)
    return of_installation(Installation(settings, Database("sqlite://"), rules.load(), from_keys([new_key()])))


def granted(of: Site) -> Morsel[str]:
    response = Response()
    sessions.grant(response, of, CASE, REFERENCE, START, passphrase_given=False)
    return SimpleCookie(response.headers["set-cookie"])[sessions.COOKIE]


def test_the_cookie_is_for_this_browser_and_the_pages_of_this_case_only() -> None:
    cookie = granted(site())
    assert cookie["path"] == f"/reset/{REFERENCE}"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "lax"
    assert cookie["max-age"] == str(10 * 86400)
    assert cookie["domain"] == ""


@pytest.mark.parametrize(("public_url", "secure"), [("https://a.example", True), ("http://127.0.0.1:8420", "")])
def test_the_cookie_is_secure_where_the_site_is(public_url: str, secure: object) -> None:
    assert granted(site(public_url))["secure"] == secure


def test_the_cookie_tells_nothing() -> None:
    value = granted(site()).value
    assert REFERENCE not in value
    assert str(START.year) not in value


@pytest.mark.parametrize(("age", "counts"), [(timedelta(), True), (10 * DAY - SECOND, True), (10 * DAY, False)])
def test_the_session_lasts_ten_days(age: timedelta, counts: bool) -> None:
    of = site()
    assert (sessions.session_of(of, granted(of).value, CASE, START + age) is not None) is counts


@pytest.mark.parametrize("given", [False, True])
def test_the_session_knows_whether_the_passphrase_was_given_in_it(given: bool) -> None:
    of, response = site(), Response()
    sessions.grant(response, of, CASE, REFERENCE, START, passphrase_given=given)
    cookie = SimpleCookie(response.headers["set-cookie"])[sessions.COOKIE].value
    assert sessions.session_of(of, cookie, CASE, START) == sessions.Session(given)


def test_a_session_of_another_case_or_of_another_purpose_or_key_counts_as_none() -> None:
    of = site()
    keyring = of.installation.keyring
    moment = START.isoformat().encode()
    assert sessions.session_of(of, granted(of).value, uuid4(), START) is None
    assert sessions.session_of(of, keyring.seal(moment, purpose="challenge", row=CASE), CASE, START) is None
    assert sessions.session_of(of, granted(site()).value, CASE, START) is None


@pytest.mark.parametrize("value", [None, "", "x", "gAAAAAB", "é", 5000 * "A"])
def test_what_is_no_session_counts_as_none(value: str | None) -> None:
    assert sessions.session_of(site(), value, CASE, START) is None


def test_an_altered_session_counts_as_none() -> None:
    of = site()
    value = granted(of).value
    for at in range(len(value) - 4):  # in the last four, padding, some bits say nothing
        altered = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        assert sessions.session_of(of, altered, CASE, START) is None
