"""What a phone call says: signed by Twilio, the code once a call and after a key; 9 stops the reset, or the code."""

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import Connection, Executable, insert, select, update
from starlette.testclient import TestClient

from foundation import clock
from models.accounts import Account, ContactPoint
from models.base import new_id
from models.cases import Actor, CaseState, Challenge, CodeFor
from models.messages import Message
from policy.routing import Contact
from policy.vocabulary import Channel, ContactKind, Finding, MessageKind
from tests.installations import START, by_hand, make_installation, rows, sms_account
from tests.servers import signing
from tests.web.browser import browser
from workflows import account_history
from workflows.account_codes import check, send
from workflows.accounts import account_id_of, lock_account, read_contacts
from workflows.closing import cancel
from workflows.delivery import claim, record_sent
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.parcels import Parcel
from workflows.proving import prove_code
from workflows.views import case_view, case_with_history

TOKEN = "token-of-the-tests"
CALL, ANOTHER_CALL = "CA" + 32 * "a", "CA" + 32 * "b"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One engine: none of this depends on which."""
    return f"sqlite:///{tmp_path / 'keyturn.db'}"


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(
        database_url,
        tmp_path,
        twilio_auth_token=SecretStr(TOKEN),
        public_url="https://reset.northfold.example",
        brand_name="Northfold",
    )
    yield made
    made.database.dispose()


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    with browser(installation) as opened:
        yield opened


def calling(installation: Installation, now: datetime | None = None) -> Parcel:
    """A case whose customer is being called."""
    now = now or clock.now()
    ref = sms_account(installation, preference="voice")
    opened = open_case(installation, ref, actor=Actor.AGENT, now=now)
    parcels = [parcel for each in opened.owed if (parcel := claim(installation, each, now))]
    (parcel,) = (each for each in parcels if each.kind is MessageKind.RESET_CODE)
    record_sent(installation, parcel, "twilio", CALL, now)
    return parcel


def path_of(parcel: Parcel) -> str:
    return f"/calls/{parcel.message_id}/{parcel.call_token}"


def ask(client: TestClient, path: str, call: str = CALL, token: str = TOKEN, **fields: str) -> Response:
    form = {"CallSid": call, "To": "+12025550142", **fields}
    headers = signing.twilio(token, f"https://reset.northfold.example{path}", form)
    headers |= {"Content-Type": "application/x-www-form-urlencoded"}
    return client.post(path, content=urlencode(form), headers=headers)


def press(client: TestClient, parcel: Parcel, key: str, call: str = CALL) -> Response:
    return ask(client, f"{path_of(parcel)}/key", call, Digits=key)


def said(response: Response) -> list[str]:
    return [unescape(words) for words in re.findall(r"<Say[^>]*>(.*?)</Say>", response.text)]


def digits_in(words: Sequence[str]) -> str:
    return "".join(str(WORDS.index(word)) for word in words if word in WORDS)


def test_whoever_answers_is_asked_for_a_key_and_hears_no_code(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    response = ask(client, path_of(parcel))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    assert "Northfold" in said(response)[0]
    assert {"To hear the code, press 1.", "If you did not ask for it, press 9. That stops the reset."} <= set(
        said(response)
    )
    assert digits_in(said(response)) == ""
    assert parcel.code is not None
    assert parcel.code not in response.text
    assert f'action="https://reset.northfold.example{path_of(parcel)}/key"' in response.text


def test_after_1_the_code_is_read_three_times_digit_by_digit(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    response = press(client, parcel, "1")
    assert parcel.code is not None
    assert digits_in(said(response)) == parcel.code * 3
    assert response.text.count('<Pause length="1"') >= len(parcel.code) * 3
    assert parcel.code not in response.text


def test_the_code_that_was_read_counts(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    heard = digits_in(said(press(client, parcel, "1")))[:8]
    assert parcel.reference is not None
    answer = prove_code(installation, parcel.reference, heard, actor=Actor.CUSTOMER, now=clock.now())
    assert answer.problem is None


def test_the_code_is_read_once_a_call(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    assert digits_in(said(press(client, parcel, "1")))
    again = press(client, parcel, "1")
    assert again.status_code == 200
    assert said(again) == ["This code is no longer valid. Ask for a new call on the web page. Goodbye."]


def test_a_call_whose_id_is_not_known_reads_the_code(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    by_hand(installation, update(Message).where(Message.id == parcel.message_id).values(provider_id=None))
    assert digits_in(said(press(client, parcel, "1", ANOTHER_CALL)))


def test_a_second_call_reads_it_again(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    press(client, parcel, "1")
    by_hand(installation, update(Message).where(Message.id == parcel.message_id).values(provider_id=ANOTHER_CALL))
    assert digits_in(said(press(client, parcel, "1", ANOTHER_CALL)))
    assert press(client, parcel, "1", CALL).status_code == 404


def test_a_call_whose_receipt_was_lost_is_answered_all_the_same(client: TestClient, installation: Installation) -> None:
    opened = open_case(installation, sms_account(installation, preference="voice"), actor=Actor.AGENT, now=clock.now())
    parcel = claim(installation, opened.owed[0], clock.now())
    assert parcel is not None
    assert digits_in(said(press(client, parcel, "1")))


def test_9_stops_the_reset_and_tells_the_other_contact_points(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    response = press(client, parcel, "9")
    assert said(response) == ["The reset is stopped. Nothing was changed. Goodbye."]
    assert parcel.reference is not None
    view, events, messages = case_with_history(installation, parcel.reference)
    assert view.state is CaseState.CANCELLED
    assert (events[-1].event, events[-1].actor, events[-1].facts) == ("cancel", Actor.CUSTOMER, {"how": "phone key"})
    told = [(each.kind, each.channel) for each in messages if each.kind is MessageKind.NOTICE_CANCELLED]
    assert told == [(MessageKind.NOTICE_CANCELLED, Channel.EMAIL)] * 2


def test_9_twice_does_no_harm(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    assert press(client, parcel, "9").text == press(client, parcel, "9").text


@pytest.mark.parametrize("key", ["", "5", "11", "#", "19"])
def test_another_key_does_nothing(client: TestClient, installation: Installation, key: str) -> None:
    parcel = calling(installation)
    assert said(press(client, parcel, key)) == ["That key does nothing. Goodbye."]
    assert parcel.reference is not None
    assert case_view(installation, parcel.reference).state is CaseState.REQUESTED


def test_a_code_whose_life_is_over_is_not_read(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation, clock.now() - timedelta(minutes=11))
    assert digits_in(said(press(client, parcel, "1"))) == ""


def test_a_code_that_was_replaced_or_whose_tries_are_spent_is_not_read(
    client: TestClient, installation: Installation
) -> None:
    parcel = calling(installation)
    for change in ({"replaced_at": clock.now()}, {"replaced_at": None, "tries": 5}):
        by_hand(installation, update(Challenge).values(**change))
        assert digits_in(said(press(client, parcel, "1"))) == ""


def test_the_code_of_a_case_that_was_stopped_is_not_read(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    assert parcel.reference is not None
    cancel(installation, parcel.reference, actor=Actor.AGENT, now=clock.now(), how="by telephone")
    assert digits_in(said(press(client, parcel, "1"))) == ""


def test_what_twilio_did_not_sign_hears_nothing_and_changes_nothing(
    client: TestClient, installation: Installation
) -> None:
    parcel = calling(installation)
    for path in (path_of(parcel), f"{path_of(parcel)}/key"):
        assert client.post(path, data={"CallSid": CALL, "Digits": "9"}).status_code == 403
        assert ask(client, path, token="another", Digits="9").status_code  # noqa: S106 - a wrong one == 403
        assert client.get(path).status_code in {404, 405}
    assert parcel.reference is not None
    assert case_view(installation, parcel.reference).state is CaseState.REQUESTED


def test_the_address_of_another_call_opens_nothing(client: TestClient, installation: Installation) -> None:
    parcel = calling(installation)
    assert parcel.call_token is not None
    wrong = parcel.call_token[::-1]
    for token in (wrong, "x", "00"):
        assert ask(client, f"/calls/{parcel.message_id}/{token}/key", Digits="1").status_code == 404


def test_no_line_of_the_log_holds_the_code_the_number_or_the_address(
    client: TestClient, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parcel = calling(installation)
    ask(client, path_of(parcel))
    press(client, parcel, "1")
    assert parcel.code is not None
    assert parcel.call_token is not None
    lines = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "/calls/{message_id}/{token}" in lines
    assert [secret for secret in (parcel.code, parcel.call_token, "2025550142") if secret in lines] == []


@pytest.mark.parametrize(
    "change",
    [
        update(Account).values(country="DE"),
        update(ContactPoint).values(finding=Finding.PAGER),
        update(ContactPoint).values(replaced_at=START),
    ],
    ids=["country", "finding", "replaced"],
)
def test_a_code_that_may_no_longer_be_told_by_phone_is_not_read(
    client: TestClient, installation: Installation, change: Executable
) -> None:
    parcel = calling(installation)
    by_hand(installation, change)
    assert digits_in(said(press(client, parcel, "1"))) == ""


# Calls that belong to no case.


def calling_account(installation: Installation, use: CodeFor) -> Parcel:
    """A customer who is being called with a code for this use: to a new phone number, or to the one on file."""
    now = clock.now()
    ref = sms_account(installation)
    if use is CodeFor.CONTACT:
        propose_phone(installation, now)
    with installation.database.begin() as connection:
        account = lock_account(connection, account_id_of(connection, ref))
        contact = phone_of(connection, account.id, use)
        queued = send(installation, connection, account.id, contact, Channel.VOICE, use, now)
    (parcel,) = (claim(installation, each, now) for each in queued.owed)
    assert parcel is not None
    record_sent(installation, parcel, "twilio", CALL, now)
    return parcel


def propose_phone(installation: Installation, now: datetime) -> None:
    """Enters a new phone number, which counts when its code comes back within a day."""
    (current,) = rows(installation, select(ContactPoint.account_id).where(ContactPoint.kind == ContactKind.PHONE))
    proposed = {
        "id": new_id(),
        "account_id": current.account_id,
        "kind": ContactKind.PHONE,
        "value": "+12025550143",
        "version": 2,
        "created_at": now,
        "replaced_at": now,
        "finding": Finding.MOBILE,
        "proposed_until": now + timedelta(days=1),
    }
    by_hand(installation, insert(ContactPoint).values(proposed))


def phone_of(connection: Connection, account_id: UUID, use: CodeFor) -> Contact:
    newest_first = (
        select(ContactPoint)
        .where(ContactPoint.account_id == account_id, ContactPoint.kind == ContactKind.PHONE)
        .order_by(ContactPoint.version.desc())
    )
    (contact, *others) = read_contacts(connection.execute(newest_first))
    assert bool(others) is (use is CodeFor.CONTACT)
    return contact


def is_withdrawn(installation: Installation, parcel: Parcel) -> bool:
    (code,) = rows(installation, select(Challenge.replaced_at).where(Challenge.id == parcel.challenge_id))
    return code.replaced_at is not None


def history_of(installation: Installation) -> list[tuple[str, Actor, object]]:
    with installation.database.read() as connection:
        account_id = account_id_of(connection, "DANA")
        return [(line.event, line.actor, line.facts) for line in account_history.lines(connection, account_id)]


WITHOUT_CASE = [
    (CodeFor.CONTACT, "Hello. This is Northfold, with the code for confirming this phone number."),
    (CodeFor.ENROLMENT, "Hello. This is Northfold, with the code for setting up a new second step of signing in."),
]
USES = [use for use, _ in WITHOUT_CASE]


@pytest.mark.parametrize(("use", "hello"), WITHOUT_CASE)
def test_a_call_without_a_case_says_what_its_code_is_for(
    client: TestClient, installation: Installation, use: CodeFor, hello: str
) -> None:
    greeting = said(ask(client, path_of(calling_account(installation, use))))
    assert greeting[:3] == [
        hello,
        "To hear the code, press 1.",
        "If you did not ask for it, press 9. Then the code no longer works.",
    ]
    assert digits_in(greeting) == ""


@pytest.mark.parametrize("use", USES)
def test_the_code_that_was_read_without_a_case_counts(
    client: TestClient, installation: Installation, use: CodeFor
) -> None:
    parcel = calling_account(installation, use)
    words = said(press(client, parcel, "1"))
    assert parcel.code is not None
    assert digits_in(words) == parcel.code * 3
    assert not [line for line in words if "reference" in line or "reset" in line]
    assert parcel.contact_id is not None
    with installation.database.begin() as connection:
        answer = check(installation, connection, parcel.contact_id, Channel.VOICE, use, parcel.code, clock.now())
    assert answer.fault is None
    assert digits_in(said(press(client, parcel, "1"))) == ""


@pytest.mark.parametrize(
    ("use", "goodbye"),
    [
        (CodeFor.CONTACT, "That code no longer works. Nothing was changed. Goodbye."),
        (
            CodeFor.ENROLMENT,
            "That code no longer works. Please tell our support at once that you did not ask for it. Goodbye.",
        ),
    ],
)
def test_9_ends_a_code_that_belongs_to_no_case_and_its_account_remembers(
    client: TestClient, installation: Installation, use: CodeFor, goodbye: str
) -> None:
    parcel = calling_account(installation, use)
    assert [said(press(client, parcel, "9")) for _ in range(2)] == [[goodbye]] * 2
    assert is_withdrawn(installation, parcel)
    assert digits_in(said(press(client, parcel, "1"))) == ""
    line = ("code_withdrawn", Actor.CUSTOMER, {"what": parcel.kind, "how": "phone key"})
    assert history_of(installation).count(line) == 1


def test_9_of_an_older_call_ends_nothing(client: TestClient, installation: Installation) -> None:
    parcel = calling_account(installation, CodeFor.CONTACT)
    assert press(client, parcel, "9", ANOTHER_CALL).status_code == 404
    assert not is_withdrawn(installation, parcel)


def test_a_code_that_was_used_stays_used_after_9(client: TestClient, installation: Installation) -> None:
    parcel = calling_account(installation, CodeFor.CONTACT)
    by_hand(installation, update(Challenge).values(used_at=clock.now()))
    assert press(client, parcel, "9").status_code == 200
    assert not is_withdrawn(installation, parcel)
    assert "code_withdrawn" not in [event for event, _, _ in history_of(installation)]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    "change",
    [
        update(Account).values(country="DE"),
        update(ContactPoint).values(finding=Finding.PAGER),
        update(ContactPoint).values(replaced_at=START, proposed_until=None),
        update(ContactPoint).values(replaced_at=START, proposed_until=START),
        update(Challenge).values(tries=5),
        update(Challenge).values(expires_at=START),
        update(Challenge).values(replaced_at=START),
    ],
    ids=["country", "finding", "replaced", "proposal over", "tries", "life", "new code"],
)
def test_a_code_without_a_case_that_may_no_longer_be_told_is_not_read(
    client: TestClient, installation: Installation, use: CodeFor, change: Executable
) -> None:
    parcel = calling_account(installation, use)
    by_hand(installation, change)
    assert digits_in(said(press(client, parcel, "1"))) == ""


def test_a_code_that_proves_is_never_told_to_a_number_that_nobody_confirmed(
    client: TestClient, installation: Installation
) -> None:
    parcel = calling_account(installation, CodeFor.ENROLMENT)
    by_hand(installation, update(ContactPoint).values(verified_at=None))
    assert digits_in(said(press(client, parcel, "1"))) == ""
