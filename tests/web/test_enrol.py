"""From a completed reset to a new second step: the button, the link, the proof again; and what was stolen."""

import pytest
from httpx2 import Response
from sqlalchemy import delete, select, update
from starlette.testclient import TestClient

from foundation import clock
from models.access import Enrolment
from models.cases import Actor, CaseState, Proof
from models.factors import Authenticator
from models.messages import Message
from policy.vocabulary import MessageKind, ProofKind
from tests.installations import (
    HOUR,
    PASSPHRASE,
    TOTP_SECRET,
    Started,
    by_hand,
    deliver_all,
    rows,
    sms_account,
    start_case,
    wrong,
)
from tests.web.browser import browser, heading_of, prove, text_of
from workflows.granting import enrolment_token
from workflows.installation import Installation
from workflows.proving import attest_password, prove_passphrase
from workflows.views import case_view


def completed(installation: Installation, client: TestClient, **columns: str) -> Started:
    """A reset that this browser has proven, completed."""
    sms_account(installation, **columns)
    case = start_case(installation, "DANA", clock.now())
    attest_password(installation, case.reference, signed_in_at=clock.now(), now=clock.now())
    prove(client, case)
    if columns.get("passphrase"):
        client.post(f"/reset/{case.reference}/passphrase", data={"passphrase": columns["passphrase"]})
    assert case_view(installation, case.reference).state is CaseState.COMPLETED
    return case


def link(installation: Installation, case: Started) -> str:
    return f"/reset/{case.reference}/enrol/{enrolment_token(installation, case.id)}"


def is_let_in(answer: Response) -> bool:
    """Whether the browser goes on to the settings with a cookie for them."""
    if answer.status_code != 303:
        return False
    assert answer.headers["location"].endswith("/settings/authentication")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/settings" in cookie
    return cookie.startswith("visit=")


def newest_code(installation: Installation) -> str:
    ids = rows(installation, select(Message.id).where(Message.kind == MessageKind.ENROLMENT_CODE))
    parcels = deliver_all(installation, [each.id for each in ids], clock.now())
    return parcels[-1].code or ""


def test_the_browser_that_proved_the_reset_goes_on_from_its_page(
    installation: Installation, client: TestClient
) -> None:
    case = completed(installation, client)
    page = client.get(f"/reset/{case.reference}")
    assert "Set up a new second step" in text_of(page)
    assert is_let_in(client.post(f"/reset/{case.reference}/enrol"))


def test_a_browser_that_gave_only_the_code_is_asked_for_the_passphrase(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation, passphrase=PASSPHRASE)
    case = start_case(installation, "DANA", clock.now())
    prove(client, case)
    # The passphrase is given somewhere else.
    prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=clock.now())
    refused = client.post(f"/reset/{case.reference}/enrol")
    assert (refused.status_code, "set-cookie" in refused.headers) == (409, False)
    assert "In this browser only the code was given" in text_of(refused)
    assert 'name="passphrase"' in client.get(link(installation, case)).text
    assert is_let_in(client.post(link(installation, case), data={"passphrase": PASSPHRASE}))


def test_nobody_else_sees_that_button_or_may_press_it(installation: Installation, client: TestClient) -> None:
    case = completed(installation, client)
    with browser(installation) as stranger:
        answer = stranger.post(f"/reset/{case.reference}/enrol")
        assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
        assert answer.headers["location"] == f"/?reference={case.reference}"
        assert "enrol" not in stranger.get("/", params={"reference": case.reference}).text


def test_the_link_with_the_session_needs_one_more_button(installation: Installation, client: TestClient) -> None:
    case = completed(installation, client)
    page = client.get(link(installation, case))
    assert heading_of(page) == "Set up a new second step"
    assert "password" not in page.text
    assert 'name="code"' not in page.text


def test_the_link_alone_grants_nothing_and_asks_for_the_passphrase(
    installation: Installation, client: TestClient
) -> None:
    case = completed(installation, client, passphrase=PASSPHRASE)
    address = link(installation, case)
    with browser(installation) as stranger:
        assert 'name="passphrase"' in stranger.get(address).text
        refused = stranger.post(address, data={"passphrase": "violet harbor lamp"})
        assert refused.status_code == 400
        assert "This passphrase is not right. Tries left: 9." in text_of(refused)
        assert not is_let_in(stranger.post(address, data={"code": case.code}))
        assert is_let_in(stranger.post(address, data={"passphrase": PASSPHRASE}))


def test_where_the_password_was_a_proof_another_browser_cannot_go_on(
    installation: Installation, client: TestClient
) -> None:
    case = completed(installation, client)
    with browser(installation) as stranger:
        page = stranger.get(link(installation, case))
        assert "Open this link in that one" in text_of(page)
        assert "<input" not in page.text
        assert stranger.post(f"{link(installation, case)}/code").status_code == 409
        assert not is_let_in(stranger.post(link(installation, case), data={"code": case.code}))


def test_without_a_passphrase_it_asks_for_a_new_code(installation: Installation, client: TestClient) -> None:
    case = completed(installation, client)
    by_hand(installation, delete(Proof).where(Proof.kind == ProofKind.PASSWORD))
    address = link(installation, case)
    with browser(installation) as stranger:
        early = stranger.post(address, data={"code": case.code})
        assert early.status_code == 409
        assert "A code is on its way to you" in text_of(stranger.post(f"{address}/code"))
        code = newest_code(installation)
        assert stranger.post(address, data={"code": wrong(code)}).status_code == 400
        assert stranger.post(address, data={"code": "12"}).status_code == 400
        assert is_let_in(stranger.post(address, data={"code": code}))


def test_a_link_that_was_used_or_is_too_old_says_so_and_what_to_do(
    installation: Installation, client: TestClient
) -> None:
    case = completed(installation, client)
    address = link(installation, case)
    by_hand(installation, update(Enrolment).values(used_at=clock.now()))
    used = client.get(address)
    assert (used.status_code, heading_of(used)) == (410, "Your new second step is set up")
    by_hand(installation, update(Enrolment).values(used_at=None, ends_at=clock.now() - HOUR))
    for late in (client.get(address), client.post(address, data={"code": "1"}), client.post(f"{address}/code")):
        assert late.status_code == 410
        assert "Ask for a reset again" in text_of(late)


@pytest.mark.parametrize("token", ["x", "A" * 22, "%00", "..%2f"])
def test_a_token_of_nobody_leads_nowhere(installation: Installation, client: TestClient, token: str) -> None:
    case = completed(installation, client)
    assert client.get(f"/reset/{case.reference}/enrol/{token}").status_code == 404


def test_while_the_reset_is_open_the_link_leads_nowhere_new(installation: Installation, client: TestClient) -> None:
    sms_account(installation)
    case = start_case(installation, "DANA", clock.now())
    page = client.get(link(installation, case))
    assert page.status_code == 410
    assert "there is nothing to set up" in text_of(page)


def test_looking_at_the_link_changes_nothing(installation: Installation, client: TestClient) -> None:
    case = completed(installation, client)
    for _ in range(3):
        client.get(link(installation, case))
    assert rows(installation, select(Enrolment.used_at)) == [(None,)]
    assert is_let_in(client.post(f"/reset/{case.reference}/enrol"))


# --- Stolen


def proven(installation: Installation, client: TestClient) -> Started:
    sms_account(installation, totp_secret=TOTP_SECRET, passphrase=PASSPHRASE)
    case = start_case(installation, "DANA", clock.now())
    prove(client, case)
    return case


def test_what_was_stolen_is_stopped_from_the_page_of_the_reset(installation: Installation, client: TestClient) -> None:
    case = proven(installation, client)
    address = f"/reset/{case.reference}/stolen"
    assert address in client.get(f"/reset/{case.reference}").text
    page = client.get(address)
    assert "Authenticator app" in text_of(page)
    (factor,) = rows(installation, select(Authenticator.id))
    answer = client.post(address, data={"factor": str(factor.id)})
    assert answer.status_code == 303
    assert "It does not sign in any more" in text_of(client.get(address))
    (stopped,) = rows(installation, select(Authenticator.suspended_at))
    assert stopped.suspended_at is not None


def test_a_stranger_neither_sees_nor_stops_what_exists(installation: Installation, client: TestClient) -> None:
    case = proven(installation, client)
    (factor,) = rows(installation, select(Authenticator.id))
    with browser(installation) as stranger:
        assert stranger.get(f"/reset/{case.reference}/stolen").status_code == 303
        assert stranger.post(f"/reset/{case.reference}/stolen", data={"factor": str(factor.id)}).status_code == 303
    assert rows(installation, select(Authenticator.suspended_at)) == [(None,)]
    assert client.post(f"/reset/{case.reference}/stolen", data={"factor": "nonsense"}).status_code == 422


def test_the_page_before_the_code_names_what_may_still_work_and_not_what_exists(
    installation: Installation, client: TestClient
) -> None:
    sms_account(installation)
    case = start_case(installation, "DANA", clock.now())
    page = text_of(client.get("/", params={"reference": case.reference}))
    for hint in ("a recovery code", "a second security key", "sets its clock by itself"):
        assert hint in page
    assert hint in text_of(client.get("/"))
