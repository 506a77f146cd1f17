"""The pages of a proven case: the passphrase, where the reset stands in each state, stopping it."""

import re
from dataclasses import replace

import pytest
from fastapi import Response
from starlette.testclient import TestClient

from foundation import clock
from models.cases import Actor, CaseState
from notifiers.phrases import long_time
from policy.vocabulary import ProofKind
from tests.installations import (
    DAY,
    HOUR,
    PASSPHRASE,
    Started,
    email_account,
    sms_account,
    start_case,
)
from tests.web.browser import browser, field_of, heading_of, prove, text_of, type_code
from web import sessions
from web.site import of_installation
from workflows import closing, proving
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.views import case_view, case_with_history


@pytest.fixture
def case(installation: Installation) -> Started:
    """A case that needs the passphrase."""
    return start_case(installation, sms_account(installation, passphrase=PASSPHRASE), clock.now())


@pytest.fixture
def plain_case(installation: Installation) -> Started:
    """A case whose account has no passphrase."""
    return start_case(installation, email_account(installation), clock.now())


def give(client: TestClient, case: Started, passphrase: str) -> tuple[int, str]:
    answer = client.post(f"/reset/{case.reference}/passphrase", data={"passphrase": passphrase})
    if answer.status_code == 303:
        answer = client.get(answer.headers["location"])
    return answer.status_code, text_of(answer)


def steps_of(text: str) -> list[tuple[str, str]]:
    return re.findall(r"<li[^>]*><b>([^:<]*):</b> ([^<]*)</li>", text)


def test_the_passphrase_page_shows_where_the_reset_stands(
    installation: Installation, client: TestClient, case: Started
) -> None:
    page = prove(client, case)
    assert (page.status_code, heading_of(page)) == (200, "Enter your reset passphrase")
    field = field_of(page, "passphrase")
    assert 'type="password"' in field
    assert 'autocomplete="off"' in field
    assert "maxlength" not in field
    assert "Spaces at its ends do not matter." in text_of(page)
    assert steps_of(page.text) == [
        ("Done", "You give the code"),
        ("Now", "You give your reset passphrase"),
        ("To come", "We remove your old second steps"),
        ("To come", "You set up a new second step"),
    ]
    assert page.text.count('aria-current="step"') == 1
    assert long_time(case_view(installation, case.reference).expires_at) in text_of(page)
    assert f'href="/reset/{case.reference}/stop"' in page.text


def test_the_right_passphrase_completes_the_reset(
    installation: Installation, client: TestClient, case: Started
) -> None:
    prove(client, case)
    status, text = give(client, case, f"  {PASSPHRASE} ")
    assert status == 200
    assert "Your two-factor sign-in has been reset" in text
    assert "Now set up a new second step" in text
    assert steps_of(client.get(f"/reset/{case.reference}").text) == [
        ("Done", "You give the code"),
        ("Done", "You give your reset passphrase"),
        ("Done", "We remove your old second steps"),
        ("Now", "You set up a new second step"),
    ]
    assert case_view(installation, case.reference).state is CaseState.COMPLETED
    assert case_with_history(installation, case.reference)[1][-1].event == "complete"


def test_a_wrong_passphrase_says_how_many_tries_are_left_and_is_not_kept(client: TestClient, case: Started) -> None:
    prove(client, case)
    page = client.post(f"/reset/{case.reference}/passphrase", data={"passphrase": "amber harbour lamp"})
    assert page.status_code == 400
    assert text_of(page).count("This passphrase is not right. You have 9 tries left.") == 2
    assert "aria-invalid" in field_of(page, "passphrase")
    assert "amber" not in page.text


def test_no_passphrase_at_all_is_no_try(client: TestClient, case: Started) -> None:
    prove(client, case)
    assert give(client, case, " ")[0] == 400
    assert "Type your reset passphrase." in give(client, case, "")[1]
    assert "You have 9 tries left." in give(client, case, "amber")[1]


def test_the_last_wrong_passphrase_closes_the_case(client: TestClient, case: Started) -> None:
    prove(client, case)
    answers = [give(client, case, "amber") for _ in range(10)]
    assert [status for status, _ in answers] == [400] * 9 + [200]
    assert "This reset was refused" in answers[-1][1]


def test_without_a_passphrase_the_page_says_until_when_it_waits(
    installation: Installation, client: TestClient, plain_case: Started
) -> None:
    page = prove(client, plain_case)
    assert heading_of(page) == "Nothing more to do for now"
    hold_until = case_view(installation, plain_case.reference).hold_until
    assert hold_until
    assert f"we wait until {long_time(hold_until)} before" in text_of(page)
    assert f'<time datetime="{hold_until.isoformat(timespec="seconds")}">' in page.text
    assert steps_of(page.text) == [
        ("Done", "You give the code"),
        ("Now", "We wait, so that it can still be stopped"),
        ("To come", "We remove your old second steps"),
        ("To come", "You set up a new second step"),
    ]


def test_when_the_wait_is_over_it_is_being_finished(installation: Installation, client: TestClient) -> None:
    then = clock.now() - 25 * HOUR
    case = start_case(installation, email_account(installation), then)
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=then)
    let_in(installation, client, case)
    page = client.get(f"/reset/{case.reference}")
    assert heading_of(page) == "Your reset is being finished"
    assert ("Now", "We remove your old second steps") in steps_of(page.text)


def test_where_the_code_alone_does_not_suffice_the_page_asks_for_a_sign_in(
    installation: Installation,
) -> None:
    sets = [each for each in installation.policy.proof_sets if each.proofs != {ProofKind.CODE}]
    strict = replace(installation, policy=installation.policy.model_copy(update={"proof_sets": tuple(sets)}))
    case = start_case(strict, email_account(strict), clock.now())
    with browser(strict) as client:
        page = prove(client, case)
    assert heading_of(page) == "One proof is still missing"
    assert ("Now", "You sign in with your password") in steps_of(page.text)


def let_in(installation: Installation, client: TestClient, case: Started) -> None:
    """A session, for a case that was proven earlier."""
    response = Response()
    sessions.grant(
        response, of_installation(installation), case.id, case.reference, clock.now(), passphrase_given=False
    )
    cookie = response.headers["set-cookie"].split(";")[0].removeprefix(f"{sessions.COOKIE}=")
    client.cookies.set(sessions.COOKIE, cookie, path=f"/reset/{case.reference}")


@pytest.mark.parametrize("path", ["", "/stop"])
def test_the_pages_of_a_case_need_its_session(client: TestClient, case: Started, path: str) -> None:
    answer = client.get(f"/reset/{case.reference}{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?reference={case.reference}")


def test_no_form_of_a_case_works_without_its_session(
    installation: Installation, client: TestClient, case: Started
) -> None:
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=clock.now())
    before = case_with_history(installation, case.reference)
    for path, fields in (("passphrase", {"passphrase": PASSPHRASE}), ("stop", {})):
        answer = client.post(f"/reset/{case.reference}/{path}", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?reference={case.reference}")
    assert case_with_history(installation, case.reference) == before


@pytest.mark.parametrize("reference", ["R-7K2M-9QXW", "nonsense"])
def test_an_unknown_case_is_not_found(client: TestClient, reference: str) -> None:
    assert client.get(f"/reset/{reference}").status_code == 404


def test_stopping_asks_once_more_and_then_stops(installation: Installation, client: TestClient, case: Started) -> None:
    prove(client, case)
    before = case_with_history(installation, case.reference)
    page = client.get(f"/reset/{case.reference}/stop")
    assert heading_of(page) == "Stop this reset?"
    assert f'href="/reset/{case.reference}"' in page.text
    assert case_with_history(installation, case.reference) == before
    answer = client.post(f"/reset/{case.reference}/stop")
    assert heading_of(client.get(answer.headers["location"])) == "This reset was stopped"
    view, events, _ = case_with_history(installation, case.reference)
    assert view.state is CaseState.CANCELLED
    assert (events[-1].actor, events[-1].facts) == (Actor.CUSTOMER, {"how": "case page"})


def test_a_case_that_was_closed_meanwhile_is_shown_as_it_is(
    installation: Installation, client: TestClient, case: Started
) -> None:
    prove(client, case)
    closing.cancel(installation, case.reference, actor=Actor.AGENT, now=clock.now(), how="by telephone")
    assert give(client, case, PASSPHRASE) == (200, text_of(client.get(f"/reset/{case.reference}")))
    assert client.get(f"/reset/{case.reference}/stop").headers["location"] == f"/reset/{case.reference}"
    assert client.post(f"/reset/{case.reference}/stop").headers["location"] == f"/reset/{case.reference}"
    assert heading_of(client.get(f"/reset/{case.reference}")) == "This reset was stopped"


def test_a_case_whose_time_is_over_says_so_before_the_sweep_meets_it(
    installation: Installation, client: TestClient
) -> None:
    then = clock.now() - 2 * DAY
    case = start_case(installation, sms_account(installation, passphrase=PASSPHRASE), then)
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=then)
    let_in(installation, client, case)
    assert case_view(installation, case.reference).is_open
    page = client.get(f"/reset/{case.reference}")
    assert heading_of(page) == "The time for this reset is over"
    assert long_time(case_view(installation, case.reference).expires_at) in text_of(page)


def test_the_session_of_a_case_opens_no_other(installation: Installation, client: TestClient, case: Started) -> None:
    other = start_case(installation, email_account(installation, passphrase=PASSPHRASE), clock.now())
    prove(client, case)
    assert client.get(f"/reset/{other.reference}").status_code == 303
    (cookie,) = client.cookies.jar
    client.cookies.set(sessions.COOKIE, cookie.value or "", path=f"/reset/{other.reference}")
    assert client.get(f"/reset/{other.reference}").status_code == 303
    assert type_code(client, other.reference, other.code).status_code == 303


def test_the_page_says_when_the_reset_was_asked_for_again(
    installation: Installation, client: TestClient, case: Started
) -> None:
    assert "Asked for again" not in text_of(prove(client, case))
    now = clock.now() + HOUR
    open_case(installation, "DANA", actor=Actor.AGENT, now=now)
    said = text_of(client.get(f"/reset/{case.reference}"))
    assert f"Asked for again {long_time(now)}. This reset goes on; there is no second one." in said
