"""The page of held mail: who has a link gets in for a while, sees why a mail is held, and decides under their name."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from foundation import clock
from models.inbound import Verdict
from tests.installations import PASSPHRASE, address_of, email_account, sms_account
from tests.web.browser import browser, heading_of, text_of
from workflows.entering import LINK_LIFE, PASS_LIFE, Agent, link_for, pass_for
from workflows.installation import Installation
from workflows.intake import Reading, Request, decide, store
from workflows.views import list_cases, mail_view

TEXT = f"""Hello, I am locked out.
My passphrase is {PASSPHRASE}
{PASSPHRASE}
The code was 4821 7306, call +12025550142 or write to me@home.example.
"""


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    with browser(installation) as made:
        yield made


def held_mail(installation: Installation, sender: str = address_of("DANA")) -> UUID:
    raw = f"From: {sender}\r\nSubject: <b>Help</b>\r\n\r\n{TEXT}".encode()
    mail_id = store(installation, "maildir", str(uuid4()), raw, clock.now())
    assert mail_id is not None
    decide(installation, mail_id, Reading(Request.UNSURE, ("locked out",), sender), clock.now())
    return mail_id


def enter(installation: Installation, client: TestClient, name: str = "kim") -> None:
    link = link_for(installation, name, clock.now()).removeprefix(installation.settings.public_url)
    assert "kim" not in client.get(link).headers.get("set-cookie", "")
    response = client.post(link)
    assert (response.status_code, response.headers["location"]) == (303, "/support/mails")


def test_without_a_pass_there_is_nothing_to_see_and_nothing_to_do(
    installation: Installation, client: TestClient
) -> None:
    mail_id = held_mail(installation)
    for path in ("/support/mails", f"/support/mails/{mail_id}", "/support/enter/anything"):
        assert client.get(path).status_code == 403
    for path in (f"/support/mails/{mail_id}/dismiss", f"/support/mails/{mail_id}/open-case"):
        assert client.post(path, data={"account": "DANA"}).status_code == 403
    assert mail_view(installation, mail_id)[0].verdict is Verdict.HELD


def test_a_link_asks_before_it_lets_anybody_in(installation: Installation, client: TestClient) -> None:
    link = link_for(installation, "kim", clock.now())
    asked = client.get(link)
    assert "You go on as kim." in text_of(asked)
    assert "set-cookie" not in asked.headers
    assert client.get("/support/mails").status_code == 403


def test_a_link_and_a_pass_work_for_their_time_only(installation: Installation, client: TestClient) -> None:
    second = timedelta(seconds=1)
    old = link_for(installation, "kim", clock.now() - LINK_LIFE)
    assert client.get(old).status_code == client.post(old).status_code == 403
    assert client.get(link_for(installation, "kim", clock.now() - LINK_LIFE + 60 * second)).status_code == 200
    for age, status in ((PASS_LIFE, 403), (PASS_LIFE - 60 * second, 200)):
        client.cookies.set("agent", pass_for(installation, Agent("kim"), clock.now() - age), path="/support")
        assert client.get("/support/mails").status_code == status
        client.cookies.clear()


def test_a_link_is_no_pass_and_a_pass_no_link(installation: Installation, client: TestClient) -> None:
    token = link_for(installation, "kim", clock.now()).rpartition("/")[2]
    client.cookies.set("agent", token, path="/support")
    assert client.get("/support/mails").status_code == 403
    assert client.get(f"/support/enter/{pass_for(installation, Agent('kim'), clock.now())}").status_code == 403


def test_the_page_shows_why_a_mail_is_held_and_hides_what_nobody_may_read(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    mail_id = held_mail(installation)
    enter(installation, client)
    assert f"/support/mails/{mail_id}" in client.get("/support/mails").text
    page = client.get(f"/support/mails/{mail_id}")
    said = text_of(page)
    assert heading_of(page) == "Held mail"
    assert "locked out" in said
    assert "Nothing proves the sender" in said
    assert "Hello, I am locked out." in said
    for secret in (PASSPHRASE, "4821", "12025550142", "me@home.example"):
        assert secret not in page.text
    assert f"From {address_of('DANA')} Accounts with this address DANA" in said
    assert "<b>Help</b>" not in page.text


def test_an_agent_opens_a_case_under_their_name(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    mail_id = held_mail(installation)
    enter(installation, client)
    response = client.post(f"/support/mails/{mail_id}/open-case", data={"account": " DANA "})
    assert response.status_code == 303
    (case,) = list_cases(installation)
    said = text_of(client.get(response.headers["location"]))
    assert case.reference in said
    assert "Decided by kim" in said
    again = client.post(f"/support/mails/{mail_id}/open-case", data={"account": "DANA"})
    assert again.status_code == 409
    assert "This mail is not held: it is opened." in text_of(again)


def test_an_unknown_account_is_named_and_the_mail_stays_held(installation: Installation, client: TestClient) -> None:
    email_account(installation)
    mail_id = held_mail(installation)
    enter(installation, client)
    response = client.post(f"/support/mails/{mail_id}/open-case", data={"account": "<NOBODY>"})
    assert response.status_code == 409
    assert "No account has the ref <NOBODY>." in text_of(response)
    assert mail_view(installation, mail_id)[0].verdict is Verdict.HELD


def test_an_agent_dismisses_a_mail(installation: Installation, client: TestClient) -> None:
    mail_id = held_mail(installation)
    enter(installation, client)
    assert client.post(f"/support/mails/{mail_id}/dismiss").headers["location"] == "/support/mails"
    assert "No mail is held." in text_of(client.get("/support/mails"))
    assert mail_view(installation, mail_id)[0].decided_by == "kim"


def test_a_mail_that_nobody_knows_is_not_found(installation: Installation, client: TestClient) -> None:
    enter(installation, client)
    assert client.get(f"/support/mails/{uuid4()}").status_code == 404
    assert client.post(f"/support/mails/{uuid4()}/dismiss").status_code == 404


def test_a_page_of_somebody_else_decides_nothing(installation: Installation, client: TestClient) -> None:
    mail_id = held_mail(installation)
    enter(installation, client)
    response = client.post(f"/support/mails/{mail_id}/dismiss", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert mail_view(installation, mail_id)[0].verdict is Verdict.HELD
