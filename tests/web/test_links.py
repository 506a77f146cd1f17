"""The links of messages: opening one changes nothing, its button does; a wrong one leads nowhere."""

import pytest
from starlette.testclient import TestClient

from foundation import clock
from models.cases import Actor, CaseState
from notifiers.phrases import long_time
from tests.installations import (
    DAY,
    PASSPHRASE,
    Started,
    email_account,
    sms_account,
    start_case,
    wrong,
)
from tests.web.browser import heading_of, text_of, type_code
from workflows import closing
from workflows.installation import Installation
from workflows.views import case_view, case_with_history


@pytest.fixture
def case(installation: Installation) -> Started:
    return start_case(installation, email_account(installation, passphrase=PASSPHRASE), clock.now())


def confirm(case: Started) -> str:
    return f"/confirm/{case.reference}/{case.token}"


def stop(installation: Installation, case: Started) -> str:
    return f"/stop/{case.reference}/{closing.stop_token(installation, case.id)}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [confirm, stop])
def test_opening_a_link_changes_nothing(
    installation: Installation, client: TestClient, case: Started, method: str, path: object
) -> None:
    address = confirm(case) if path is confirm else stop(installation, case)
    before = case_with_history(installation, case.reference)
    for _ in range(2):
        answer = client.request(method, address)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert case_with_history(installation, case.reference) == before
    assert type_code(client, case.reference, case.code).status_code == 303


def test_the_link_says_what_was_asked_and_when_and_to_go_on_only_if_one_asked(
    installation: Installation, client: TestClient, case: Started
) -> None:
    text = text_of(client.get(confirm(case)))
    opened_at = case_view(installation, case.reference).opened_at
    assert f"On {long_time(opened_at)}, somebody asked us through our support to reset" in text
    assert "Go on only if you asked for this. I asked for this: go on" in text


def test_the_button_of_the_link_lets_the_browser_in(
    installation: Installation, client: TestClient, case: Started
) -> None:
    answer = client.post(confirm(case))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/reset/{case.reference}")
    assert heading_of(client.get(answer.headers["location"])) == "Enter your reset passphrase"
    (proof,) = case_view(installation, case.reference).proofs
    assert proof.how == "link opened"


def test_a_link_that_is_opened_again_leads_to_the_case(client: TestClient, case: Started) -> None:
    client.post(confirm(case))
    for again in (client.get(confirm(case)), client.post(confirm(case))):
        assert again.headers["location"] == f"/reset/{case.reference}"
        assert "set-cookie" not in again.headers


def test_a_wrong_link_costs_no_try_and_asks_for_the_code(
    installation: Installation, client: TestClient, case: Started
) -> None:
    page = client.post(f"/confirm/{case.reference}/{case.token[:-1]}_")
    assert (page.status_code, heading_of(page)) == (404, "Enter your code")
    assert "This link no longer works." in text_of(page)
    assert case_view(installation, case.reference).state is CaseState.REQUESTED
    assert "You have 4 tries left." in text_of(type_code(client, case.reference, wrong(case.code)))


def test_a_link_that_has_run_out_offers_a_new_code(installation: Installation, client: TestClient) -> None:
    case = start_case(installation, email_account(installation), clock.now() - 2 * DAY)
    page = client.post(confirm(case))
    assert page.status_code == 409
    assert "Send a new code" in text_of(page)


def test_the_stop_link_says_what_will_happen_and_its_button_does_it(
    installation: Installation, client: TestClient, case: Started
) -> None:
    address = stop(installation, case)
    page = client.get(address)
    assert heading_of(page) == "Stop this reset?"
    assert "If you stop it, nothing is changed: you sign in as before" in text_of(page)
    stopped = client.post(address)
    assert (stopped.status_code, heading_of(stopped)) == (200, "This reset was stopped")
    view, events, _ = case_with_history(installation, case.reference)
    assert view.state is CaseState.CANCELLED
    assert (events[-1].actor, events[-1].facts) == (Actor.CUSTOMER, {"how": "stop link"})
    assert "set-cookie" not in stopped.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_links_of_a_closed_case_say_when_it_closed(
    installation: Installation, client: TestClient, case: Started, method: str
) -> None:
    closing.cancel(installation, case.reference, actor=Actor.AGENT, now=clock.now(), how="by telephone")
    closed_at = case_view(installation, case.reference).closed_at
    assert closed_at
    for address in (confirm(case), stop(installation, case)):
        page = client.request(method, address)
        assert (page.status_code, heading_of(page)) == (410, "This reset was stopped")
        assert long_time(closed_at) in text_of(page)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_token_stops_a_case(
    installation: Installation, client: TestClient, case: Started, method: str
) -> None:
    other = start_case(installation, sms_account(installation), clock.now())
    right = closing.stop_token(installation, case.id)
    of_other = closing.stop_token(installation, other.id)
    for token in (of_other, right[:-2], "not-hexadecimal", case.token, "é"):
        assert client.request(method, f"/stop/{case.reference}/{token}").status_code == 404
    assert case_view(installation, case.reference).is_open


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("reference", ["R-7K2M-9QXW", "nonsense", "R-%00"])
def test_links_of_unknown_cases_are_not_found(client: TestClient, method: str, reference: str) -> None:
    for kind in ("confirm", "stop"):
        page = client.request(method, f"/{kind}/{reference}/{64 * '0'}")
        assert (page.status_code, heading_of(page)) == (404, "There is no such page")
