"""The button that sends the code again: where it goes, when it is too soon, when it is over."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from foundation import clock
from models.cases import Actor
from notifiers.phrases import long_time
from policy.vocabulary import Fate, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    deliver_all,
    email_account,
    letter_account,
    sms_account,
    start_case,
)
from tests.web.browser import heading_of, text_of
from workflows import closing, codes, opening, proving, receipts, upkeep
from workflows.delivery import claim, record_sent
from workflows.installation import Installation
from workflows.receipts import Said
from workflows.upkeep import Overdue
from workflows.views import case_view, case_with_history


def resend(client: TestClient, reference: str) -> Response:
    return client.post("/resend", data={"reference": reference})


def due(installation: Installation, now: datetime) -> Overdue:
    return upkeep.overdue(installation, now + MINUTE)


def codes_queued(installation: Installation, reference: str) -> int:
    _, _, messages = case_with_history(installation, reference)
    return sum(message.kind is MessageKind.RESET_CODE for message in messages)


def test_the_code_is_sent_again_and_the_page_says_where_to(installation: Installation, client: TestClient) -> None:
    case = start_case(installation, sms_account(installation), clock.now())
    answer = resend(client, case.reference)
    assert answer.headers["location"] == f"/?reference={case.reference}"
    page = client.get(answer.headers["location"])
    assert "A code is on its way to you, by text message to ••• ••• ••42." in text_of(page)
    assert codes_queued(installation, case.reference) == 2
    assert case_with_history(installation, case.reference)[1][-1].actor is Actor.CUSTOMER


def test_the_worker_is_rung_for_the_message(installation: Installation, client: TestClient, doorbells: Path) -> None:
    case = start_case(installation, sms_account(installation), clock.now())
    before = set(doorbells.iterdir())
    resend(client, case.reference)
    (bell,) = set(doorbells.iterdir()) - before
    assert '"task": "deliver"' in bell.read_text()


def test_who_may_ask_for_a_second_letter_is_told_that_the_first_ones_code_ends(
    installation: Installation, client: TestClient
) -> None:
    told = "A second letter brings another code. When we send it, the code in the first no longer works."
    letter = start_case(installation, letter_account(installation), clock.now())
    text = start_case(installation, sms_account(installation), clock.now())
    pages = [text_of(client.get(f"/?reference={case.reference}")) for case in (letter, text)]
    assert [told in page for page in pages] == [True, False]


def test_too_soon_says_from_when_it_is_possible(installation: Installation, client: TestClient) -> None:
    now = clock.now() - HOUR
    case = start_case(installation, letter_account(installation), now)
    page = resend(client, case.reference)
    assert page.status_code == 429
    assert f"You can ask for it from {long_time(now + DAY)}." in text_of(page)
    assert codes_queued(installation, case.reference) == 1


def test_after_the_last_send_the_page_says_that_there_is_none(installation: Installation, client: TestClient) -> None:
    begun = clock.now() - 20 * HOUR
    case = start_case(installation, sms_account(installation), begun)
    for hours in range(1, 5):
        again = codes.resend(installation, case.reference, actor=Actor.AGENT, now=begun + hours * HOUR)
        deliver_all(installation, again.owed, begun + hours * HOUR)
    page = resend(client, case.reference)
    assert page.status_code == 409
    assert "as often as we may" in text_of(page)
    assert codes_queued(installation, case.reference) == 5


def test_a_held_case_sends_nothing(installation: Installation, client: TestClient) -> None:
    ref = email_account(installation, primary_email_verified=None, two_factor_email_verified=None, preference=None)
    opened = opening.open_case(installation, ref, actor=Actor.AGENT, now=clock.now())
    page = resend(client, opened.reference)
    assert page.status_code == 409
    assert "before our support has looked at it" in text_of(page)


@pytest.mark.parametrize("reference", ["R-7K2M-9QXW", "nonsense", ""])
def test_an_unknown_reference_is_not_found(client: TestClient, reference: str) -> None:
    assert resend(client, reference).status_code == 404


def test_a_closed_case_says_so(installation: Installation, client: TestClient) -> None:
    case = start_case(installation, sms_account(installation), clock.now())
    closing.cancel(installation, case.reference, actor=Actor.AGENT, now=clock.now(), how="by telephone")
    page = resend(client, case.reference)
    assert (page.status_code, heading_of(page)) == (410, "This reset was stopped")


def test_who_lost_the_page_of_a_proven_case_comes_back_by_a_new_code(
    installation: Installation, client: TestClient
) -> None:
    case = start_case(installation, sms_account(installation), clock.now() - MINUTE)
    proving.prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=clock.now())
    before = case_view(installation, case.reference)
    lost = client.get(f"/?reference={case.reference}")
    assert (lost.status_code, heading_of(lost)) == (409, "The code was entered already")
    assert 'action="/resend"' in lost.text
    assert resend(client, case.reference).status_code == 303
    parcels = deliver_all(installation, due(installation, clock.now()).messages, clock.now())
    (parcel,) = (parcel for parcel in parcels if parcel.kind is MessageKind.RESET_CODE)
    assert parcel.code != case.code
    assert heading_of(client.get(f"/?reference={case.reference}")) == "Enter your code"
    assert client.get(f"/confirm/{case.reference}/{parcel.token}").status_code == 200
    back = client.post("/", data={"reference": case.reference, "code": parcel.code or ""})
    assert back.headers["location"] == f"/reset/{case.reference}"
    assert client.get(f"/reset/{case.reference}").status_code == 200
    after = case_view(installation, case.reference)
    assert (after.state, after.proofs, after.hold_until) == (before.state, before.proofs, before.hold_until)


def call_in_vain(installation: Installation, message_id: UUID, number: int) -> None:
    """The call is made, and Twilio says that nobody took it."""
    now = clock.now() + number * 2 * MINUTE
    parcel = claim(installation, message_id, now)
    assert parcel is not None
    record_sent(installation, parcel, "twilio", f"CA{number}", now)
    word = Said("twilio", f"CA{number}:busy", message_id, f"CA{number}", Fate.UNANSWERED, "busy", None)
    for receipt_id in receipts.take(installation, [word], now):
        receipts.settle(installation, receipt_id, now)


def test_when_nobody_took_three_calls_the_page_offers_another(installation: Installation, client: TestClient) -> None:
    ref = sms_account(installation, preference="voice")
    opened = opening.open_case(installation, ref, actor=Actor.AGENT, now=clock.now())
    page = f"/?reference={opened.reference}"
    for number in range(2):
        call_in_vain(installation, opened.owed[0], number)
        assert "A code is on its way to you" in text_of(client.get(page))

    call_in_vain(installation, opened.owed[0], 2)
    text = text_of(client.get(page))
    assert "We called ••• ••• ••42 three times, and nobody answered." in text
    assert text.count("Call me again") == 1
    assert "Send the code again" not in text

    assert resend(client, opened.reference).headers["location"] == page
    assert "A code is on its way to you, by phone call to ••• ••• ••42." in text_of(client.get(page))
