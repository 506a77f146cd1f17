"""Coming to the settings, and what stands in the way: links, visits, a second factor, an open reset, foreign forms."""

import logging
import re
from uuid import uuid4

import pyotp
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from foundation import clock
from models.accounts import Account
from models.cases import CaseState
from policy.vocabulary import Channel
from tests.installations import PASSPHRASE, TOTP_SECRET, email_account, rows, sms_account, start_case, wrong
from tests.web.browser import heading_of, prove, text_of, title_of
from tests.web.settings import enter, followed, hidden, link, show_app
from workflows import portal
from workflows.installation import Installation
from workflows.proving import attest_password
from workflows.views import case_view

PAGES = (
    "/settings",
    "/settings/authentication",
    "/settings/app/new",
    "/settings/key/new",
    "/settings/sms",
    "/settings/recovery-codes",
    "/settings/passphrase",
    "/settings/passphrase/remove",
    "/settings/contact/phone",
    "/settings/contact/two_factor_email",
    "/settings/contact/postal_address",
    "/settings/contact/phone/remove",
    "/settings/confirm",
)
FORMS = (
    "/settings/preference",
    "/settings/backup",
    "/settings/passphrase",
    "/settings/passphrase/remove",
    "/settings/passphrase/strength",
    "/settings/contact/phone",
    "/settings/contact/two_factor_email",
    "/settings/contact/postal_address",
    "/settings/contact/phone/again",
    "/settings/contact/phone/code",
    "/settings/contact/phone/remove",
    "/settings/app/new",
    "/settings/key/new",
    "/settings/key/options",
    "/settings/sms",
    "/settings/sms/send",
    "/settings/recovery-codes",
    "/settings/recovery-codes/file",
    f"/settings/factors/{uuid4()}/name",
    f"/settings/factors/{uuid4()}/restore",
    f"/settings/factors/{uuid4()}/remove",
    "/settings/confirm",
    "/settings/confirm/sms",
    "/settings/confirm/options",
    "/settings/leave",
)


def preference_of(installation: Installation) -> Channel | None:
    (row,) = rows(installation, select(Account.preference))
    chosen: Channel | None = row.preference
    return chosen


# --- Links and visits


def test_looking_at_a_link_uses_nothing_up_and_pressing_its_button_does(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    here = link(installation)
    for _ in range(2):
        asked = client.get(here)
        assert asked.status_code == 200
        assert "set-cookie" not in asked.headers
        assert "data-auto" in asked.text
    assert client.post(here).status_code == 303
    for again in (client.get(here), client.post(here)):
        assert again.status_code == 410
        assert heading_of(again) == "This link no longer works"
        assert "go back to your account at" in text_of(again)


def test_a_link_works_for_its_minutes_only(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    made = clock.now() - installation.policy.sign_in.link_valid
    old = portal.make_link(installation, "DANA", made).url
    assert client.post(old).status_code == 410


def test_the_cookie_is_for_the_settings_only_and_no_script_reads_it(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    cookie = client.post(link(installation)).headers["set-cookie"]
    assert cookie.startswith("visit=")
    for part in ("HttpOnly", "Path=/settings;", "SameSite=lax", "Max-Age=3600"):
        assert part in cookie


@pytest.mark.parametrize("cookie", [None, "", "anything", "x" * 4000])
def test_without_a_visit_every_page_and_form_says_how_to_come_in(
    installation: Installation, client: TestClient, cookie: str | None
) -> None:
    sms_account(installation)
    headers = {} if cookie is None else {"Cookie": f"visit={cookie}"}
    for method, paths in (("GET", PAGES), ("POST", FORMS)):
        for path in paths:
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, heading_of(answer)) == (403, "Open your settings again"), path


def test_leaving_ends_the_visit_also_for_a_copy_of_the_cookie(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    cookie = client.cookies["visit"]
    assert heading_of(client.post("/settings/leave")) == "You have left your settings"
    assert "visit" not in client.cookies
    assert client.get("/settings", headers={"Cookie": f"visit={cookie}"}).status_code == 403


def test_every_form_of_somebody_else_is_refused(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    for path in (*FORMS, link(installation)):
        answer = client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, heading_of(answer)) == (403, "This form came from another page"), path
    assert client.get("/settings").status_code == 200


def test_pages_have_titles_of_their_own_and_nothing_inline(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    answers = [client.get(path) for path in PAGES]
    assert [answer.status_code for answer in answers] == [200] * len(PAGES)
    assert len({title_of(answer) for answer in answers}) == len(PAGES)
    for answer in answers:
        heading_of(answer)
        for inline in ("style=", "<style", "onclick", "http-equiv"):
            assert inline not in answer.text
        assert answer.text.count("<script") == answer.text.count('<script src="/static/')
        assert answer.headers["cache-control"] == "no-store"


def test_only_pages_whose_script_asks_the_server_may_connect(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    may = {path for path in PAGES if "connect-src 'self'" in client.get(path).headers["content-security-policy"]}
    assert may == {"/settings/key/new", "/settings/passphrase", "/settings/confirm"}


# --- A second factor first


def test_a_change_without_a_second_factor_leads_to_showing_one_and_back(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    refused = client.post("/settings/preference", data={"preference": "voice"})
    assert refused.headers["location"] == "/settings/confirm?next=/settings"
    assert preference_of(installation) is Channel.SMS
    back = show_app(client)
    assert back.headers["location"] == "/settings?done=confirmed"
    saved = followed(client, client.post("/settings/preference", data={"preference": "voice"}))
    assert "Saved. We have told your other contact points." in text_of(saved)
    assert preference_of(installation) is Channel.VOICE


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/settings/app/new", "/settings/app/new"),
        ("/settings/contact/phone", "/settings/contact/phone"),
        ("/settings/contact/phone/remove", "/settings/contact/phone/remove"),
        ("/settings/recovery-codes", "/settings/recovery-codes"),
    ],
)
def test_a_form_is_shown_only_after_a_second_factor(
    installation: Installation, client: TestClient, path: str, page: str
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    assert client.get(path).headers["location"] == f"/settings/confirm?next={page}"
    assert followed(client, show_app(client, page)).status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/settings/../support/mails",
        "/settings/leave",
        "/settings\r\nSet-Cookie: a=b",
        "/settings/contact/phone?x=//evil.example",
        "",
    ],
)
def test_after_a_second_factor_nobody_is_led_out_of_the_settings(
    installation: Installation, client: TestClient, elsewhere: str
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    assert 'name="next" value="/settings"' in client.get("/settings/confirm", params={"next": elsewhere}).text
    assert show_app(client, elsewhere).headers["location"] == "/settings?done=confirmed"


def test_a_wrong_code_is_told_at_the_field_and_soon_makes_wait(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    assert client.post("/settings/confirm", data={"code": "  "}).status_code == 400
    right = pyotp.TOTP(TOTP_SECRET).at(clock.now())
    for _ in range(installation.policy.sign_in.wrong_before_waiting):
        assert client.post("/settings/confirm", data={"code": wrong(right)}).status_code in {400, 429}
    waiting = client.post("/settings/confirm", data={"code": wrong(right)})
    assert waiting.status_code == 429
    assert "please wait" in text_of(waiting)
    assert 'aria-invalid="true" autofocus' in waiting.text
    assert title_of(waiting).startswith("Error: ")


def test_a_clock_that_is_off_is_explained_until_it_is_right(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    behind = pyotp.TOTP(TOTP_SECRET).at(int(clock.now().timestamp()) - 180)
    assert client.post("/settings/confirm", data={"code": behind}).status_code == 400
    for path in ("/settings/confirm", "/settings/authentication"):
        assert "your phone’s clock is 3 minutes slow" in text_of(client.get(path))
    show_app(client)
    assert "minutes slow" not in text_of(client.get("/settings/confirm"))


def test_a_used_recovery_code_is_replaced_and_the_new_one_shown_once(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    made = client.post("/settings/recovery-codes").text
    code = made.partition("<code>")[2].partition("</code>")[0]
    answer = client.post("/settings/confirm", data={"code": code.lower(), "next": "/settings/passphrase"})
    assert (answer.status_code, heading_of(answer)) == (200, "Your new recovery code")
    new = answer.text.partition("<code>")[2].partition("</code>")[0]
    assert new not in {"", code}
    assert new not in made
    assert "you have 10 recovery codes" in text_of(answer)
    assert 'href="/settings/passphrase"' in answer.text
    assert client.post("/settings/confirm", data={"code": code}).status_code == 400
    assert heading_of(client.post("/settings/confirm", data={"code": new})) == "Your new recovery code"


def test_a_code_by_text_message_is_offered_only_where_it_is_enrolled(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    assert "text message" not in text_of(client.get("/settings/confirm"))
    assert client.post("/settings/confirm/sms").status_code == 409
    assert client.post("/settings/confirm/options").status_code == 409


# --- While a reset is open, and after one


def test_while_a_reset_is_open_the_settings_are_closed_until_a_second_factor_stops_it(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    case = start_case(installation, "DANA", clock.now())
    for answer in (
        client.post("/settings/preference", data={"preference": "voice"}),
        client.get("/settings/contact/phone"),
        client.post("/settings/passphrase", data={"passphrase": PASSPHRASE, "again": PASSPHRASE}),
    ):
        assert (answer.status_code, heading_of(answer)) == (409, "Your settings are closed while a reset is open")
    assert "A reset is open" in text_of(client.get("/settings"))
    assert preference_of(installation) is Channel.SMS
    made = portal.make_link(installation, "DANA", clock.now()).url
    client.post(made)
    later = pyotp.TOTP(TOTP_SECRET).at(int(clock.now().timestamp()) + 30)
    assert client.post("/settings/confirm", data={"code": later}).status_code == 303
    assert case_view(installation, case.reference).state is CaseState.CANCELLED
    assert client.post("/settings/preference", data={"preference": "voice"}).status_code == 303


def test_after_a_reset_second_steps_are_set_up_and_nothing_else(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    case = start_case(installation, "DANA", clock.now())
    attest_password(installation, case.reference, signed_in_at=clock.now(), now=clock.now())
    prove(client, case)
    enter(installation, client)
    refused = client.get("/settings/app/new")
    assert (refused.status_code, heading_of(refused)) == (409, "Set up a new second step first")
    assert "Open the link in our message" in text_of(refused)
    enrolling = followed(client, client.post(f"/reset/{case.reference}/enrol"))
    assert heading_of(enrolling) == "Enable Two-Factor Authentication"
    only = client.post("/settings/preference", data={"preference": "voice"})
    assert (only.status_code, 'href="/settings/authentication"' in only.text) == (409, True)
    page = client.get("/settings/app/new")
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text))
    fields = {"sealed": hidden(page, "sealed"), "code": pyotp.TOTP(secret).at(clock.now())}
    assert client.post("/settings/app/new", data=fields).status_code == 303
    assert client.get("/settings/recovery-codes").status_code == 200
    assert client.post("/settings/preference", data={"preference": "voice"}).status_code == 409


# --- What is written down


def test_nothing_that_is_typed_or_shown_reaches_a_log(
    installation: Installation, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    email_account(installation, "JONAS", totp_secret=TOTP_SECRET)
    with caplog.at_level(logging.DEBUG):
        here = link(installation, "JONAS")
        client.get(here)
        client.post(here)
        token = here.rpartition("/")[2]
        code = pyotp.TOTP(TOTP_SECRET).at(clock.now())
        client.post("/settings/confirm", data={"code": code})
        made = client.post("/settings/recovery-codes").text
        recovery = made.partition("<code>")[2].partition("</code>")[0]
        client.post("/settings/passphrase/strength", data={"passphrase": PASSPHRASE})
        client.post("/settings/passphrase", data={"passphrase": PASSPHRASE, "again": PASSPHRASE})
        client.post("/settings/contact/two_factor_email", data={"address": "new@somewhere.example"})
        offered = client.get("/settings/app/new").text
        sealed = offered.partition('name="sealed" value="')[2].partition('"')[0]
    # What the test's own client writes is not ours.
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name != "httpx2")
    assert "GET /settings/enter/{token} 200" in ours
    assert recovery
    assert sealed
    for secret in (token, code, recovery, PASSPHRASE, "new@somewhere.example", sealed, client.cookies["visit"]):
        assert secret not in ours
