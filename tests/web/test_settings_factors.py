"""Authentication: setting up apps, text messages and recovery codes, naming, removing and restoring second steps."""

import re
from html import unescape
from uuid import UUID, uuid4

import pyotp
import pytest
from httpx2 import Response
from sqlalchemy import select, update
from starlette.testclient import TestClient

from foundation import clock
from models.factors import Algorithm, Authenticator, AuthenticatorKind, TotpApp
from models.messages import Message, MessageStatus
from policy.vocabulary import MessageKind
from tests.installations import START, TOTP_SECRET, by_hand, deliver_all, email_account, rows, sms_account, wrong
from tests.web.browser import field_of, heading_of, text_of
from tests.web.settings import enter, followed, hidden, show_app
from workflows.importing_totp import import_totp
from workflows.installation import Installation

WEAK = "otpauth://totp/DANA?secret=JBSWY3DPEHPK3PXP"  # 80 bits


def secret_of(page: Response) -> str:
    """The secret that the page shows in groups of four."""
    shown = page.text.partition('<code class="key">')[2].partition("</code>")[0]
    return "".join(re.findall(r"<span>([A-Z2-7]{1,4})</span>", shown))


def enrolled(installation: Installation) -> list[tuple[AuthenticatorKind, str]]:
    statement = select(Authenticator.kind, Authenticator.label).where(Authenticator.revoked_at.is_(None))
    return [(row.kind, row.label) for row in rows(installation, statement)]


def id_of(installation: Installation, kind: AuthenticatorKind = AuthenticatorKind.TOTP) -> UUID:
    (row,) = rows(installation, select(Authenticator.id).where(Authenticator.kind == kind))
    found: UUID = row.id
    return found


def add_app(client: TestClient, name: str = "My phone") -> Response:
    """Sets an app up, as its owner does."""
    page = client.get("/settings/app/new")
    code = pyotp.TOTP(secret_of(page)).at(clock.now())
    return client.post("/settings/app/new", data={"sealed": hidden(page, "sealed"), "code": code, "name": name})


# --- Apps


def test_the_qr_code_stands_in_the_page_and_the_key_below_it_in_groups(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    enter(installation, client)
    page = client.get("/settings/app/new")
    assert "<svg " in page.text
    assert 'role="img" aria-label="QR code for your authenticator app.' in page.text
    assert len(secret_of(page)) == 32
    assert "Account: DANA. Issuer: Your hosting company. Codes of 6 digits" in text_of(page)
    assert "<img" not in page.text


def test_the_first_app_counts_after_its_code_and_leads_to_recovery_codes(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    enter(installation, client)
    assert heading_of(client.get("/settings/authentication")) == "Enable Two-Factor Authentication"
    answer = add_app(client)
    assert answer.headers["location"] == "/settings/recovery-codes?done=added"
    assert "Your new second step works from now on." in text_of(followed(client, answer))
    assert enrolled(installation) == [(AuthenticatorKind.TOTP, "My phone")]
    page = client.get("/settings/authentication")
    assert heading_of(page) == "Two-Factor Authentication is on"
    assert "My phone Authenticator app Set up on" in text_of(page)
    assert add_app(client, "").headers["location"] == "/settings/authentication?done=added"


def test_a_wrong_code_keeps_the_same_qr_code_and_name(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    page = client.get("/settings/app/new")
    right = pyotp.TOTP(secret_of(page)).at(clock.now())
    fields = {"sealed": hidden(page, "sealed"), "name": "<b>My phone</b>"}
    again = client.post("/settings/app/new", data=fields | {"code": wrong(right)})
    assert again.status_code == 400
    assert secret_of(again) == secret_of(page)
    assert "aria-invalid" in field_of(again, "code")
    assert "&lt;b&gt;My phone" in field_of(again, "name")
    assert enrolled(installation) == []
    right = pyotp.TOTP(secret_of(page)).at(clock.now())
    fields["sealed"] = hidden(again, "sealed")
    assert client.post("/settings/app/new", data=fields | {"code": right}).status_code == 303


@pytest.mark.parametrize(("ahead", "said"), [(180, "3 minutes fast"), (-300, "5 minutes slow"), (90, "minute")])
def test_a_clock_that_is_off_is_said_in_words(
    installation: Installation, client: TestClient, ahead: int, said: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    page = client.get("/settings/app/new")
    code = pyotp.TOTP(secret_of(page)).at(int(clock.now().timestamp()) + ahead)
    answer = client.post("/settings/app/new", data={"sealed": hidden(page, "sealed"), "code": code})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert "Set it to automatic, then type the next code." in text_of(answer)


def test_a_form_that_is_sent_twice_sets_one_app_up(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    page = client.get("/settings/app/new")
    fields = {"sealed": hidden(page, "sealed"), "code": pyotp.TOTP(secret_of(page)).at(clock.now())}
    assert client.post("/settings/app/new", data=fields).status_code == 303
    twice = client.post("/settings/app/new", data=fields)
    assert "set up already" in text_of(followed(client, twice))
    assert len(enrolled(installation)) == 1


@pytest.mark.parametrize("sealed", ["", "anything", "ü", "x" * 1999])
def test_an_offer_that_is_none_of_ours_is_replaced_by_a_new_one(
    installation: Installation, client: TestClient, sealed: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post("/settings/app/new", data={"sealed": sealed, "code": "123456"})
    assert answer.status_code == 410
    assert "This is a new one: scan it" in text_of(answer)
    assert enrolled(installation) == []


def test_an_offer_of_another_account_is_not_taken(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    email_account(installation)
    enter(installation, client, "JONAS")
    page = client.get("/settings/app/new")
    fields = {"sealed": hidden(page, "sealed"), "code": pyotp.TOTP(secret_of(page)).at(clock.now())}
    enter(installation, client)
    assert client.post("/settings/app/new", data=fields).status_code == 410
    assert enrolled(installation) == []


@pytest.mark.parametrize(("digits", "algorithm"), [(8, Algorithm.SHA256), (6, Algorithm.SHA256), (8, Algorithm.SHA1)])
def test_another_device_gets_the_digits_and_the_hash_that_it_can(
    installation: Installation, client: TestClient, digits: int, algorithm: Algorithm
) -> None:
    import hashlib

    sms_account(installation)
    enter(installation, client)
    page = client.get(f"/settings/app/new?digits={digits}&algorithm={algorithm}")
    app = pyotp.TOTP(secret_of(page), digits=digits, digest=getattr(hashlib, algorithm))
    fields = {"sealed": hidden(page, "sealed"), "code": app.at(clock.now())}
    assert client.post("/settings/app/new", data=fields).status_code == 303
    assert rows(installation, select(TotpApp.digits, TotpApp.algorithm)) == [(digits, algorithm)]


@pytest.mark.parametrize("query", ["digits=7", "digits=40", "algorithm=md5", "digits=x"])
def test_what_no_device_can_is_refused(installation: Installation, client: TestClient, query: str) -> None:
    sms_account(installation)
    enter(installation, client)
    assert client.get(f"/settings/app/new?{query}").status_code == 422


def test_an_app_with_a_weak_secret_is_to_be_replaced(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    import_totp(installation, [("DANA", WEAK)], START)
    enter(installation, client)
    assert "Replace it: its secret is shorter than is safe today." in text_of(client.get("/settings/authentication"))


# --- Security keys


@pytest.mark.parametrize("answer", ["", "{}", "[]", "no json", '{"response": {}}'])
def test_an_answer_that_no_key_gave_is_refused(installation: Installation, client: TestClient, answer: str) -> None:
    sms_account(installation)
    enter(installation, client)
    assert client.post("/settings/key/options").json()["rp"]["id"] == "localhost"
    page = client.post("/settings/key/new", data={"answer": answer, "name": "Blue"})
    assert (page.status_code, heading_of(page)) == (400, "Add a security key")
    assert 'value="Blue"' in field_of(page, "name")
    assert enrolled(installation) == []


def test_the_longest_answer_of_a_key_fits_into_the_form(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    # A registration with a chain of certificates has some 5 KB.
    assert client.post("/settings/key/new", data={"answer": '{"' + 10_000 * "x" + '"}'}).status_code == 400
    assert client.post("/settings/key/new", data={"answer": 20_000 * "x"}).status_code == 413


# --- Text messages


def test_text_messages_are_turned_on_by_a_code_that_was_sent(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    page = followed(client, client.post("/settings/sms/send"))
    assert "A code is on its way." in text_of(page)
    queued = rows(installation, select(Message.id).where(Message.status == MessageStatus.QUEUED))
    (parcel,) = deliver_all(installation, [row.id for row in queued], clock.now())
    assert parcel.kind is MessageKind.SIGN_IN_CODE
    code = parcel.code or ""
    assert client.post("/settings/sms", data={"code": wrong(code)}).status_code == 400
    assert enrolled(installation) == []
    assert client.post("/settings/sms", data={"code": code}).headers["location"].startswith("/settings/recovery-codes")
    assert enrolled(installation) == [(AuthenticatorKind.SMS, "SMS codes")]
    assert client.post("/settings/sms", data={"code": code}).headers["location"].endswith("?done=known")
    assert "Turn off" in text_of(client.get("/settings/authentication"))


def test_where_the_region_has_no_text_messages_none_are_offered(installation: Installation, client: TestClient) -> None:
    email_account(installation)
    enter(installation, client, "JONAS")
    assert "/settings/sms" not in client.get("/settings/authentication").text
    assert "Outside the United States" in text_of(client.get("/settings/sms"))
    assert client.post("/settings/sms/send").status_code == 409
    assert client.post("/settings/sms", data={"code": "12345678"}).status_code == 409


# --- Recovery codes


def test_ten_codes_are_shown_once_and_can_be_downloaded(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    made = client.post("/settings/recovery-codes")
    codes = re.findall(r"<li><code>([^<]+)</code>", made.text)
    assert len(set(codes)) == 10
    assert made.headers["cache-control"] == "no-store"
    assert "I have saved them" in text_of(made)
    file = client.post("/settings/recovery-codes/file", data={"codes": codes})
    assert file.headers["content-disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert file.headers["content-type"].startswith("text/plain")
    assert file.text.split("\r\n")[2:-1] == codes
    page = client.get("/settings/authentication")
    assert "You have 10 recovery codes" in text_of(page)
    assert not any(code in page.text for code in codes)


def test_the_file_holds_codes_and_nothing_else_that_was_sent(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    sent = ["<script>", "AAAA-BBBBB-CCCC-DDDD", "=1+1", "x" * 99, *(["AAAA-BBBBB-CCCC-DDDD"] * 20)]
    file = client.post("/settings/recovery-codes/file", data={"codes": sent})
    assert file.text.split("\r\n")[2:-1] == ["AAAA-BBBBB-CCCC-DDDD"] * 10
    assert client.post("/settings/recovery-codes/file").status_code == 200


def test_without_a_second_step_there_are_no_recovery_codes(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post("/settings/recovery-codes")
    assert (answer.status_code, heading_of(answer)) == (404, "This is no longer there")


# --- Naming, removing, restoring


def test_a_second_step_is_renamed(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    of = f"/settings/factors/{id_of(installation)}"
    assert client.post(f"{of}/name", data={"name": " "}).status_code == 400
    client.post(f"{of}/name", data={"name": "Old <phone>"})
    assert enrolled(installation) == [(AuthenticatorKind.TOTP, "Old <phone>")]
    assert unescape(heading_of(client.get(of))) == "Old <phone>"
    assert "<phone>" not in client.get(of).text


def test_removing_the_last_one_says_what_that_means_and_asks_once_more(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    client.post("/settings/recovery-codes")
    of = f"/settings/factors/{id_of(installation)}/remove"
    assert "It is your last second step." in text_of(client.get(of))
    assert len(enrolled(installation)) == 2
    page = followed(client, client.post(of))
    assert heading_of(page) == "Enable Two-Factor Authentication"
    assert "Removed." in text_of(page)
    assert enrolled(installation) == []
    assert client.get(of).status_code == client.post(of).status_code == 404


def test_one_of_two_is_removed_without_the_warning(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    of = f"/settings/factors/{id_of(installation)}/remove"
    add_app(client)
    assert "last second step" not in text_of(client.get(of))


def test_what_was_stolen_and_found_works_again(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    show_app(client)
    of = id_of(installation)
    by_hand(installation, update(Authenticator).values(suspended_at=clock.now()))
    assert "It does not sign in." in text_of(client.get("/settings/authentication"))
    assert "Let it work again" in text_of(client.get(f"/settings/factors/{of}"))
    assert followed(client, client.post(f"/settings/factors/{of}/restore")).status_code == 200
    assert rows(installation, select(Authenticator.suspended_at)) == [(None,)]


def test_second_steps_of_others_are_not_there(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    email_account(installation)
    foreign = id_of(installation)
    enter(installation, client, "JONAS")
    add_app(client)
    for factor_id in (foreign, uuid4()):
        of = f"/settings/factors/{factor_id}"
        answers = [client.get(of), client.get(f"{of}/remove"), client.post(f"{of}/remove")]
        answers += [client.post(f"{of}/restore"), client.post(f"{of}/name", data={"name": "Mine"})]
        assert {answer.status_code for answer in answers} == {404}
    assert len(enrolled(installation)) == 2
    assert client.get("/settings/factors/no-id").status_code == 422


def test_the_history_is_told_in_plain_words(installation: Installation, client: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    enter(installation, client)
    client.post("/settings/confirm", data={"code": "000000"})
    show_app(client)
    client.post("/settings/preference", data={"preference": "voice"})
    client.post("/settings/recovery-codes")
    said = text_of(client.get("/settings/authentication"))
    for line in (
        "New recovery codes were made you",
        "The way that reset codes take was changed: phone call you",
        "A second step was shown: an authenticator app you",
        "A second step was refused (1 in a row) you",
        "These settings were opened you",
        "A link to these settings was made, after a sign-in your account at Your hosting company",
    ):
        assert line in said
