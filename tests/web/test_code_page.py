"""The page for reference and code: what it shows, what a right and a wrong code lead to, what is said in each case."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from foundation import clock
from models.cases import Actor
from notifiers.phrases import long_time
from tests.installations import (
    DAY,
    MINUTE,
    PASSPHRASE,
    Started,
    deliver_all,
    email_account,
    letter_account,
    sms_account,
    start_case,
    wrong,
)
from tests.web.browser import field_of, heading_of, prove, text_of, title_of, type_code
from workflows import closing, codes, opening, proving
from workflows.installation import Installation
from workflows.upkeep import sweep
from workflows.views import case_view, case_with_history

UNKNOWN = "R-7K2M-9QXW"


def started(installation: Installation, **columns: object) -> Started:
    return start_case(installation, sms_account(installation, "DANA", **columns), clock.now())


def test_the_first_page_asks_for_one_reference_and_one_code(client: TestClient) -> None:
    page = client.get("/")
    assert (page.status_code, heading_of(page)) == (200, "Enter your code")
    code = field_of(page, "code")
    assert all(part in code for part in ('type="text"', 'inputmode="numeric"', 'autocomplete="one-time-code"'))
    assert "maxlength" not in code
    assert 'value=""' in field_of(page, "reference")


def test_the_reference_in_the_address_is_filled_in(client: TestClient) -> None:
    assert f'value="{UNKNOWN}"' in field_of(client.get("/", params={"reference": UNKNOWN}), "reference")


def test_the_page_says_where_the_code_went_and_until_when_it_works(
    installation: Installation, client: TestClient
) -> None:
    now = clock.now()
    case = start_case(installation, sms_account(installation), now)
    text = text_of(client.get("/", params={"reference": case.reference.lower()}))
    assert "by text message to ••• ••• ••42" in text
    assert f"works until {long_time(now + 10 * MINUTE)}" in text
    assert f"Sent on {long_time(now)}" in text
    assert "Send the code again" in text


def test_a_code_that_has_not_left_yet_is_on_its_way(installation: Installation, client: TestClient) -> None:
    opened = opening.open_case(installation, letter_account(installation), actor=Actor.AGENT, now=clock.now())
    text = text_of(client.get("/", params={"reference": opened.reference}))
    assert "A code is on its way to you, by letter to ••• in Millbrook, VT." in text


def test_a_code_that_has_run_out_gives_way_to_the_offer_of_a_new_one(
    installation: Installation, client: TestClient
) -> None:
    case = start_case(installation, sms_account(installation), clock.now() - 11 * MINUTE)
    text = text_of(client.get("/", params={"reference": case.reference}))
    assert "We can send you a new code by text message to ••• ••• ••42. Send a new code" in text
    assert "works until" not in text


def test_the_right_code_lets_the_browser_in(installation: Installation, client: TestClient) -> None:
    case = started(installation, passphrase=PASSPHRASE)
    answer = type_code(client, f" {case.reference.lower()} ", f"{case.code[:4]} {case.code[4:]}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/reset/{case.reference}")
    assert heading_of(client.get(answer.headers["location"])) == "Enter your reset passphrase"
    (proof,) = case_view(installation, case.reference).proofs
    assert proof.how == "code typed"


def test_a_wrong_code_says_how_many_tries_are_left_and_keeps_the_reference_only(
    installation: Installation, client: TestClient
) -> None:
    case = started(installation)
    typed = wrong(case.code)
    page = type_code(client, case.reference, typed)
    assert page.status_code == 400
    assert text_of(page).count("This code is not right. You have 4 tries left.") == 2
    assert '<a href="#code">' in page.text
    code = field_of(page, "code")
    assert 'aria-invalid="true" autofocus' in code
    assert 'aria-describedby="code-hint code-problem"' in code
    assert 'id="code-problem"' in page.text
    assert typed not in page.text
    assert f'value="{case.reference}"' in field_of(page, "reference")
    assert title_of(page).startswith("Error: ")


def test_the_last_tries_are_counted_down_and_then_a_new_code_is_offered(
    installation: Installation, client: TestClient
) -> None:
    case = started(installation)
    texts = [text_of(type_code(client, case.reference, wrong(case.code))) for _ in range(5)]
    assert "You have 1 try left." in texts[3]
    assert "This was the last try for it: ask for a new code." in texts[4]
    assert "Send a new code" in texts[4]
    spent = type_code(client, case.reference, case.code)
    assert spent.status_code == 409
    assert "No code works at the moment" in text_of(spent)
    assert "Send a new code" in text_of(spent)


def test_the_last_try_of_the_case_closes_it_and_the_page_says_so(
    installation: Installation, client: TestClient
) -> None:
    case = started(installation)
    for _ in range(5):
        type_code(client, case.reference, wrong(case.code))
    again = codes.resend(installation, case.reference, actor=Actor.CUSTOMER, now=clock.now())
    deliver_all(installation, again.owed, clock.now())
    answers = [type_code(client, case.reference, wrong(case.code)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 410]
    assert heading_of(answers[-1]) == "This reset was refused"


@pytest.mark.parametrize("typed", [UNKNOWN, "", "nonsense", "<script>alert(1)</script>", "R-\x00"])
def test_an_unknown_reference_says_to_check_both_and_is_kept(client: TestClient, typed: str) -> None:
    page = type_code(client, typed, "12345678")
    assert page.status_code == 404
    assert text_of(page).count("Check the reference and the code") == 2
    assert "autofocus" in field_of(page, "reference")
    assert "<script>alert" not in page.text
    if typed == UNKNOWN:
        assert f'value="{UNKNOWN}"' in field_of(page, "reference")
    assert "12345678" not in page.text


@pytest.mark.parametrize("typed", ["", "  "])
def test_no_code_at_all_is_no_try(installation: Installation, client: TestClient, typed: str) -> None:
    case = started(installation)
    page = type_code(client, case.reference, typed)
    assert page.status_code == 400
    assert "Type the code that we sent you." in text_of(page)
    assert "You have 4 tries left." in text_of(type_code(client, case.reference, wrong(case.code)))


def completed(installation: Installation, case: Started) -> None:
    now = clock.now()
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=now)
    proving.prove_passphrase(installation, case.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=now)


def cancelled(installation: Installation, case: Started) -> None:
    closing.cancel(installation, case.reference, actor=Actor.AGENT, now=clock.now(), how="by telephone")


def swept(installation: Installation, case: Started) -> None:
    assert case_view(installation, case.reference).is_open
    sweep(installation, clock.now())


def unswept(installation: Installation, case: Started) -> None:
    assert case_view(installation, case.reference).is_open


Close = Callable[[Installation, Started], None]
CLOSED: dict[str, tuple[Close, timedelta, str]] = {
    "completed": (completed, timedelta(), "Your two-factor sign-in has been reset"),
    "cancelled": (cancelled, timedelta(), "This reset was stopped"),
    "expired": (swept, 2 * DAY, "The time for this reset is over"),
    "expired, not swept": (unswept, 2 * DAY, "The time for this reset is over"),
}


@pytest.mark.parametrize(("close", "age", "heading"), CLOSED.values(), ids=CLOSED)
def test_a_closed_case_says_so_and_when_it_closed(
    installation: Installation, client: TestClient, close: Close, age: timedelta, heading: str
) -> None:
    case = start_case(installation, sms_account(installation, passphrase=PASSPHRASE), clock.now() - age)
    close(installation, case)
    shown = client.get("/", params={"reference": case.reference})
    tried = type_code(client, case.reference, case.code)
    view = case_view(installation, case.reference)
    for page in (shown, tried):
        assert (page.status_code, heading_of(page)) == (410, heading)
    assert long_time(view.closed_at or view.expires_at) in text_of(tried)
    assert "set-cookie" not in tried.headers


def test_a_code_that_is_typed_twice_leads_to_the_same_case(installation: Installation, client: TestClient) -> None:
    case = started(installation, passphrase=PASSPHRASE)
    prove(client, case)
    again = type_code(client, case.reference, case.code)
    assert heading_of(client.get(again.headers["location"])) == "Enter your reset passphrase"


def test_who_has_not_proven_the_case_is_told_to_use_the_browser_in_which_it_was_done(
    installation: Installation, client: TestClient
) -> None:
    case = started(installation, passphrase=PASSPHRASE)
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=clock.now())
    answer = type_code(client, case.reference, case.code)
    assert answer.headers["location"] == f"/reset/{case.reference}"
    answer = client.get(answer.headers["location"])
    assert answer.headers["location"] == f"/?reference={case.reference}"
    page = client.get(answer.headers["location"])
    assert (page.status_code, heading_of(page)) == (409, "The code was entered already")


def test_a_held_case_sends_its_customer_to_the_support(installation: Installation, client: TestClient) -> None:
    ref = email_account(installation, primary_email_verified=None, two_factor_email_verified=None, preference=None)
    opened = opening.open_case(installation, ref, actor=Actor.AGENT, now=clock.now())
    assert opened.held_for
    text = text_of(client.get("/", params={"reference": opened.reference}))
    assert f"Please contact us, and name the reference {opened.reference}" in text
    assert "Send" not in text


def test_looking_at_the_page_changes_nothing(installation: Installation, client: TestClient) -> None:
    case = started(installation)
    before = case_with_history(installation, case.reference)
    client.get("/", params={"reference": case.reference})
    assert case_with_history(installation, case.reference) == before
