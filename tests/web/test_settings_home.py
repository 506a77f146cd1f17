"""Additional Settings: preference and backup, contact points confirmed by a code, and the reset passphrase."""

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from foundation import clock
from models.accounts import Account, ContactPoint
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel, ContactKind, MessageKind
from tests.installations import (
    PASSPHRASE,
    address_of,
    deliver_all,
    email_account,
    factor_address_of,
    rows,
    sms_account,
    wrong,
)
from tests.web.browser import field_of, heading_of, text_of, title_of
from tests.web.settings import enter, followed
from workflows.installation import Installation
from workflows.parcels import Parcel
from workflows.passphrases import passphrase_matches

NEW_ADDRESS = "dana@somewhere-else.example"
HOME = {"name": "Dana", "line1": "48 Orchard Lane", "city": "Millbrook", "state": "vt", "zip": "05450"}


def options_of(page: str, menu: str) -> list[str]:
    inside = page.partition(f'<select id="{menu}"')[2].partition("</select>")[0]
    return re.findall(r'<option value="([a-z]+)"', inside)


def sent(installation: Installation, kind: MessageKind) -> Parcel:
    """Delivers what is queued, and answers with the one message of this kind."""
    queued = rows(installation, select(Message.id).where(Message.status == MessageStatus.QUEUED))
    (parcel,) = (
        each for each in deliver_all(installation, [row.id for row in queued], clock.now()) if each.kind is kind
    )
    return parcel


def current(installation: Installation, kind: ContactKind) -> list[str]:
    statement = select(ContactPoint.value).where(ContactPoint.kind == kind, ContactPoint.replaced_at.is_(None))
    return [row.value for row in rows(installation, statement)]


def passphrase_hash(installation: Installation) -> str | None:
    (row,) = rows(installation, select(Account.passphrase_hash))
    hashed: str | None = row.passphrase_hash
    return hashed


def chosen(installation: Installation) -> tuple[Channel | None, Channel | None]:
    (row,) = rows(installation, select(Account.preference, Account.backup))
    return row.preference, row.backup


# --- Preference and backup


def test_the_menus_hold_what_can_be_chosen_and_the_page_says_why_not_the_rest(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    enter(installation, client)
    page = client.get("/settings")
    assert options_of(page.text, "preference") == options_of(page.text, "backup") == ["none", "email", "sms", "voice"]
    assert "Letter There is no postal address for this account." in text_of(page)


def test_outside_the_united_states_the_region_is_the_reason(installation: Installation, client: TestClient) -> None:
    email_account(installation)
    enter(installation, client, "JONAS")
    page = client.get("/settings")
    assert options_of(page.text, "preference") == ["none", "email"]
    assert "Outside the United States, resets go by e-mail only" in text_of(page)
    assert "/settings/contact/phone" not in page.text


def test_what_is_chosen_is_saved_and_told(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    page = followed(client, client.post("/settings/preference", data={"preference": "voice"}))
    assert "Saved. We have told your other contact points." in text_of(page)
    assert '<option value="voice" selected>' in page.text
    client.post("/settings/backup", data={"backup": "email"})
    assert chosen(installation) == (Channel.VOICE, Channel.EMAIL)
    client.post("/settings/backup", data={"backup": "none"})
    assert chosen(installation) == (Channel.VOICE, None)
    notices = rows(installation, select(Message.id).where(Message.kind == MessageKind.NOTICE_CHANGED))
    assert len(notices) == 3 * 3


@pytest.mark.parametrize(("form", "channel"), [("preference", "mail"), ("backup", "sms")])
def test_what_cannot_be_chosen_is_refused_with_the_reason_at_the_menu(
    installation: Installation, client: TestClient, form: str, channel: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post(f"/settings/{form}", data={form: channel})
    assert answer.status_code == 409
    assert f'id="{form}-problem"' in answer.text
    assert title_of(answer).startswith("Error: ")
    assert chosen(installation) == (Channel.SMS, None)


def test_a_channel_that_does_not_exist_is_refused(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    assert client.post("/settings/preference", data={"preference": "pigeon"}).status_code == 422
    assert chosen(installation) == (Channel.SMS, None)


# --- Contact points


def test_destinations_are_masked_on_every_page(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    for path in ("/settings", "/settings/contact/phone", "/settings/contact/two_factor_email", "/settings/sms"):
        page = client.get(path).text
        for secret in ("2025550142", factor_address_of("DANA"), address_of("DANA")):
            assert secret not in page
    assert "••• ••• ••42" in client.get("/settings").text


def test_a_new_address_counts_when_its_code_came_back(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post("/settings/contact/two_factor_email", data={"address": f" {NEW_ADDRESS.upper()} "})
    page = followed(client, answer)
    assert heading_of(page) == "Confirm your new 2-Factor Auth Email"
    assert "A code is on its way." in text_of(page)
    code = sent(installation, MessageKind.CONTACT_CODE).code or ""
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [factor_address_of("DANA")]
    refused = client.post("/settings/contact/two_factor_email/code", data={"code": wrong(code)})
    assert refused.status_code == 400
    assert "This code is not right. Tries left:" in text_of(refused)
    assert wrong(code) not in field_of(refused, "code")
    half = client.post("/settings/contact/two_factor_email/code", data={"code": code[:4]})
    assert "it was not counted as a try" in text_of(half)
    typed = f"{code[:4]}-{code[4:]} "
    done = followed(client, client.post("/settings/contact/two_factor_email/code", data={"code": typed}))
    assert "Saved." in text_of(done)
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [NEW_ADDRESS]
    twice = client.post("/settings/contact/two_factor_email/code", data={"code": code})
    assert (twice.status_code, "Nothing waits for a code" in text_of(twice)) == (409, True)


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("two_factor_email", {"address": "no address"}, "address"),
        ("two_factor_email", {"address": address_of("DANA")}, "address"),
        ("two_factor_email", {"address": factor_address_of("DANA")}, "address"),
        ("two_factor_email", {}, "address"),
        ("phone", {"number": "12"}, "number"),
        ("phone", {"number": "+49 30 901820"}, "number"),
        ("phone", {"number": "<script>"}, "number"),
        ("postal_address", HOME | {"state": "Vermont"}, "state"),
        ("postal_address", HOME | {"zip": "5450"}, "zip"),
        ("postal_address", HOME | {"line1": " "}, "line1"),
        ("postal_address", HOME | {"city": "Mill\x07brook"}, "city"),
    ],
)
def test_what_is_no_new_contact_point_is_refused_at_its_field_and_kept(
    installation: Installation, client: TestClient, kind: str, fields: dict[str, str], field: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post(f"/settings/contact/{kind}", data=fields)
    assert answer.status_code in {400, 409}
    assert 'aria-invalid="true" autofocus' in field_of(answer, field)
    assert f'href="#{field}"' in answer.text
    assert "<script>" not in answer.text
    assert rows(installation, select(ContactPoint.id).where(ContactPoint.proposed_until.is_not(None))) == []
    if fields.get(field, "").isalnum():
        assert f'value="{fields[field]}"' in field_of(answer, field)


def test_a_number_is_taken_as_people_of_its_country_write_it_and_can_be_called(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    enter(installation, client)
    client.post("/settings/contact/phone", data={"number": "(202) 555-0147", "by": "voice"})
    parcel = sent(installation, MessageKind.CONTACT_CODE)
    assert (parcel.channel, parcel.permit.destination) == (Channel.VOICE, "+12025550147")
    client.post("/settings/contact/phone/again", data={"by": "sms"})
    again = sent(installation, MessageKind.CONTACT_CODE)
    assert (again.channel, again.code) == (Channel.SMS, parcel.code)
    followed(client, client.post("/settings/contact/phone/code", data={"code": again.code or ""}))
    assert current(installation, ContactKind.PHONE) == ["+12025550147"]


def test_a_letter_goes_to_a_new_postal_address(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    page = followed(client, client.post("/settings/contact/postal_address", data=HOME))
    assert "••• in Millbrook, VT" in text_of(page)
    assert sent(installation, MessageKind.CONTACT_CODE).channel is Channel.MAIL


def test_codes_are_not_sent_without_end(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    client.post("/settings/contact/phone", data={"number": "+1 202 555 0147"})
    answers = [client.post("/settings/contact/phone/again", data={"by": "sms"}) for _ in range(4)]
    assert answers[-1].status_code in {409, 429}
    assert "send" in text_of(answers[-1])


def test_a_contact_point_is_removed_after_asking_once_more(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    asked = client.get("/settings/contact/phone/remove")
    assert heading_of(asked) == "Remove your phone number?"
    assert current(installation, ContactKind.PHONE) != []
    assert followed(client, client.post("/settings/contact/phone/remove")).status_code == 200
    assert current(installation, ContactKind.PHONE) == []
    assert chosen(installation) == (None, None)


@pytest.mark.parametrize("kind", ["primary_email", "pigeon"])
def test_what_is_not_the_customers_to_change_is_not_there(
    installation: Installation, client: TestClient, kind: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    assert client.get(f"/settings/contact/{kind}").status_code in {404, 422}
    for form in ("", "/again", "/code", "/remove"):
        assert client.post(f"/settings/contact/{kind}{form}").status_code in {404, 405, 422}
    assert current(installation, ContactKind.PRIMARY_EMAIL) == [address_of("DANA")]


# --- Passphrase


def test_a_passphrase_is_typed_twice_and_never_shown(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post("/settings/passphrase", data={"passphrase": PASSPHRASE, "again": f" {PASSPHRASE}\t"})
    page = followed(client, answer)
    assert "A passphrase is set." in text_of(page)
    hashed = passphrase_hash(installation)
    assert hashed is not None
    assert passphrase_matches(PASSPHRASE, hashed)
    for path in ("/settings", "/settings/passphrase"):
        assert PASSPHRASE not in client.get(path).text


@pytest.mark.parametrize(
    ("typed", "again", "field", "said"),
    [
        (PASSPHRASE, PASSPHRASE.upper(), "again", "The two passphrases differ."),
        ("", "", "passphrase", "A passphrase has 8 to 200 characters."),
        ("short", "short", "passphrase", "A passphrase has 8 to 200 characters."),
        ("password1", "password1", "passphrase", "too easy to guess. This is a very common password."),
    ],
)
def test_a_passphrase_that_cannot_be_set_is_refused_with_advice_and_not_kept_on_the_page(
    installation: Installation, client: TestClient, typed: str, again: str, field: str, said: str
) -> None:
    sms_account(installation)
    enter(installation, client)
    answer = client.post("/settings/passphrase", data={"passphrase": typed, "again": again})
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert f'id="{field}-problem"' in answer.text
    assert "value=" not in field_of(answer, "passphrase") + field_of(answer, "again")
    assert passphrase_hash(installation) is None


def test_the_meter_measures_without_setting_anything(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    enter(installation, client)
    weak = client.post("/settings/passphrase/strength", data={"passphrase": "password1"}).json()
    strong = client.post("/settings/passphrase/strength", data={"passphrase": PASSPHRASE}).json()
    assert (weak["score"], bool(weak["advice"])) == (0, True)
    assert strong["score"] == 4
    assert client.post("/settings/passphrase/strength", data={"passphrase": 2000 * "x"}).status_code == 422
    assert passphrase_hash(installation) is None


def test_a_passphrase_is_removed_after_asking_once_more(installation: Installation, client: TestClient) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    enter(installation, client)
    assert heading_of(client.get("/settings/passphrase/remove")) == "Remove your reset passphrase?"
    assert passphrase_hash(installation) is not None
    client.post("/settings/passphrase/remove")
    assert passphrase_hash(installation) is None
