"""Letters over the real SDK and real HTTP: what Lob gets, what each failure means, and that none is printed twice."""

import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from foundation.settings import Settings
from notifiers import texts
from notifiers.contract import (
    Absent,
    DeliveryFailed,
    Misconfigured,
    NotSent,
    OutgoingMessage,
    PermitMisused,
    Receipt,
    Rejected,
    Unaddressable,
    Unavailable,
    Undecided,
    Unknown,
)
from notifiers.lob_letter import LobLetter
from policy.permits import PostalAddress
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.patience import patience
from tests.notifiers.samples import HOME, LETTER_CODE, REFERENCE, message, permit
from tests.servers.lob import API_KEY, EMPTY, EMPTY_201, NONSENSE, WITHOUT_ID, Lob, status
from tests.servers.ports import LOOPBACK, free_port, port_of
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, Truncated

LONG = 60  # seconds: longer than any test waits
FROM = {"lob_from_line1": "210 King Street", "lob_from_city": "Bristol", "lob_from_state": "VT"}
KINDS = sorted(texts.WRITTEN[Channel.MAIL])


@pytest.fixture
def lob() -> Iterator[Lob]:
    with Lob() as stand_in:
        yield stand_in


def notifier(base_url: str, timeout: urllib3.Timeout | None = None, key: str = API_KEY, **others: Any) -> LobLetter:
    given = {"lob_base_url": base_url, "lob_from_zip": "05443", "brand_name": "Example Hosting", **FROM, **others}
    settings = Settings(lob_api_key=SecretStr(key), **given)
    return LobLetter(settings, timeout) if timeout else LobLetter(settings)


def letter(**changes: Any) -> OutgoingMessage:
    return message(MessageKind.RESET_CODE, Channel.MAIL, **changes)


def in_doubt(sent: OutgoingMessage, since: timedelta = timedelta(minutes=1), **changes: Any) -> OutgoingMessage:
    """The message as it comes back after an attempt that Lob may have taken, so long ago."""
    return replace(sent, in_doubt_since=datetime.now(UTC) - since, **changes)


def send(sending: LobLetter, sent: OutgoingMessage, to: PostalAddress = HOME) -> Receipt:
    return sending.send(sent, permit(Channel.MAIL, to))


def failure_of(sending: LobLetter, sent: OutgoingMessage | None = None, to: PostalAddress = HOME) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send(sending, sent or letter(), to)
    return caught.value


def test_a_letter_is_taken_and_the_receipt_holds_lobs_id(lob: Lob) -> None:
    sent = letter(leaves_at=datetime.now(UTC).replace(microsecond=123456) + timedelta(hours=1))
    receipt = send(notifier(lob.base_url), sent)

    (taken,) = lob.letters
    assert sent.leaves_at is not None
    date = sent.leaves_at.replace(microsecond=0).isoformat()
    assert (receipt.provider, receipt.provider_id) == ("lob", taken.id)
    assert taken.idempotency_key == f"{sent.id}:{date}"
    assert taken.body == {
        "to": {
            "name": "Maria Lopez",
            "address_line1": "12 Mill Street",
            "address_line2": "Apt 4",
            "address_city": "Millbrook",
            "address_state": "VT",
            "address_zip": "05001",
            "address_country": "US",
        },
        "from": {
            "name": "Example Hosting",
            "address_line1": "210 King Street",
            "address_city": "Bristol",
            "address_state": "VT",
            "address_zip": "05443",
            "address_country": "US",
        },
        "file": texts.letter(sent, None),
        "color": False,
        "double_sided": False,
        "address_placement": "top_first_page",
        "use_type": "operational",
        "mail_type": "usps_first_class",
        "send_date": date,
        "metadata": {"message_id": str(sent.id)},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_letter_is_as_the_vendor_describes_it(lob: Lob, kind: MessageKind) -> None:
    send(notifier(lob.base_url), message(kind, Channel.MAIL))

    assert (len(lob.letters), lob.refused) == (1, ())


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_no_address_where_lob_prints_both(lob: Lob, kind: MessageKind) -> None:
    send(notifier(lob.base_url), message(kind, Channel.MAIL))

    for address in (HOME.name, HOME.line1, HOME.zip, "recipient", "@media screen"):
        assert address not in lob.letters[0].html


def test_an_address_without_a_second_line_and_with_zip_plus_four_is_taken(lob: Lob) -> None:
    send(notifier(lob.base_url), letter(), replace(HOME, line2="", zip="05001-1234"))

    assert "address_line2" not in lob.letters[0].body["to"]


@pytest.mark.parametrize(("state", "country"), [("PR", "PR"), ("AE", "US"), ("GU", "GU")])
def test_territories_and_military_addresses_are_states_for_lob(lob: Lob, state: str, country: str) -> None:
    send(notifier(lob.base_url), letter(), replace(HOME, state=state, country=country))

    to = lob.letters[0].body["to"]
    assert (to["address_state"], to["address_country"]) == (state, "US")


def test_the_sender_is_the_brand_cut_at_lobs_limit_unless_a_name_is_set(lob: Lob) -> None:
    names: list[dict[str, Any]] = [{"brand_name": "Long\n" + "x" * 60}, {"lob_from_name": "Example Resets"}]
    for others in names:
        send(notifier(lob.base_url, **others), letter())

    assert [each.body["from"]["name"] for each in lob.letters] == ["Long " + "x" * 35, "Example Resets"]


LONG_PARTS = {"name": 40, "line1": 64, "line2": 64, "city": 200}


@pytest.mark.parametrize("part", LONG_PARTS)
def test_an_address_too_long_for_lob_is_rejected_and_never_cut(lob: Lob, part: str) -> None:
    fits, too_long = (replace(HOME, **{part: "x" * (LONG_PARTS[part] + more)}) for more in (0, 1))
    send(notifier(lob.base_url), letter(), fits)
    failed = failure_of(notifier(lob.base_url), to=too_long)

    assert (type(failed), failed.code) == (Unaddressable, "address_too_long")
    assert (len(lob.letters), lob.refused) == (1, ())


def test_a_letter_needs_its_date(lob: Lob) -> None:
    with pytest.raises(ValueError, match="leaves_at"):
        send(notifier(lob.base_url), letter(leaves_at=None))


def test_a_letter_whose_date_has_passed_and_that_was_never_sent_is_not_sent(lob: Lob) -> None:
    for late in (timedelta(), timedelta(days=2)):
        failed = failure_of(notifier(lob.base_url), letter(leaves_at=datetime.now(UTC) - late))

        assert (type(failed), failed.code) == (Absent, "date_passed")
    assert lob.connections == 0


def test_a_repeat_has_the_very_same_bytes_and_is_the_same_letter(lob: Lob) -> None:
    sent = letter()
    receipts = [send(notifier(lob.base_url), each) for each in (sent, replace(sent), in_doubt(sent))]

    assert (len(lob.letters), len(set(receipts)), lob.refused) == (1, 1, ())


SEND_ONE = """
import sys
from datetime import UTC, datetime
from uuid import UUID
from policy.vocabulary import Channel, MessageKind
from tests.notifiers import samples
from tests.notifiers.test_lob_letter import notifier
at = datetime.fromisoformat(sys.argv[2])
sent = samples.message(MessageKind.RESET_CODE, Channel.MAIL, id=UUID(int=7), leaves_at=at)
notifier(sys.argv[1]).send(sent, samples.permit(Channel.MAIL))
"""


def test_another_process_sends_the_very_same_bytes(lob: Lob) -> None:
    date = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", SEND_ONE, lob.base_url, date]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)

    # The stand-in takes the same key only with the same bytes.
    assert (len(lob.letters), lob.connections, lob.refused) == (1, 2, ())


def test_one_connection_carries_one_letter_after_another(lob: Lob) -> None:
    sending = notifier(lob.base_url)
    for _ in range(20):
        send(sending, letter())

    assert (len(lob.letters), lob.connections) == (20, 1)


def test_threads_share_a_notifier_with_a_connection_each_at_most(lob: Lob) -> None:
    sending = notifier(lob.base_url)
    messages = [letter() for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda each: send(sending, each), messages))

    ids = {each.body["metadata"]["message_id"]: each.id for each in lob.letters}
    assert ids == {str(sent.id): receipt.provider_id for sent, receipt in zip(messages, receipts, strict=True)}
    assert lob.connections <= 8


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with Lob() as first:
        sending, port = notifier(first.base_url), port_of(first.base_url)
        send(sending, letter())
    with Lob(port) as second:
        send(sending, letter())

        assert len(second.letters) == 1


LETTER_REDIRECT = Instead(Reply(307, headers={"Location": f"http://{LOOPBACK}:1/v1/letters"}))
ABOUT_RECIPIENT = status(422, "invalid", message="to.address_zip must be in a valid zip format")
ABOUT_SENDER = status(422, "invalid", message="from.address_zip must be in a valid zip format, not to.address_zip")
STRICTNESS = status(422, "failed_deliverability_strictness")
NO_USE = status(422, "mail_use_type_can_not_be_null")
ODD_WORD = status(422, "Maria Lopez, 12 Mill Street")
LATIN = Instead(Reply(500, "<h1>Störung</h1>".encode("latin-1"), {"Content-Type": "text/html"}))

FAULTS: dict[str, tuple[Fault, type[DeliveryFailed], str]] = {
    "400": (status(400), Misconfigured, "http_400 bad_request"),
    "401": (status(401, "invalid_api_key"), Misconfigured, "http_401 invalid_api_key"),
    "403": (status(403, "unauthorized"), Misconfigured, "http_403 unauthorized"),
    "404": (status(404, "not_found"), Misconfigured, "http_404 not_found"),
    "408": (status(408, "request_timeout"), Unknown, "http_408 request_timeout"),
    "408 after it was taken": (Instead(status(408, "request_timeout").reply, taken=True), Unknown, "http_408"),
    "409": (status(409, "conflict"), Unknown, "http_409 conflict"),
    "422 about the recipient": (ABOUT_RECIPIENT, Rejected, "http_422 invalid"),
    "422 about deliverability": (STRICTNESS, Rejected, "http_422 failed_deliverability_strictness"),
    "422 about the sender": (ABOUT_SENDER, Misconfigured, "http_422 invalid"),
    "422 about the use": (NO_USE, Misconfigured, "http_422 mail_use_type_can_not_be_null"),
    "422 with an odd word": (ODD_WORD, Misconfigured, "http_422"),
    "422 without JSON": (Instead(Reply(422, b"<h1>No</h1>")), Misconfigured, "http_422"),
    "422 with a list": (Instead(Reply(422, b"[]")), Misconfigured, "http_422"),
    "429": (status(429, "rate_limit_exceeded"), Unavailable, "http_429 rate_limit_exceeded"),
    "429 with Retry-After": (
        status(429, "rate_limit_exceeded", retry_after=17),
        Unavailable,
        "http_429 rate_limit_exceeded",
    ),
    "500": (status(500, "internal_server_error"), Unknown, "http_500 internal_server_error"),
    "500 in latin-1": (LATIN, Unknown, "http_500"),
    "500 after it was taken": (Instead(Reply(500), taken=True), Unknown, "http_500"),
    "503": (status(503, "service_unavailable"), Unknown, "http_503 service_unavailable"),
    "503 with Retry-After": (status(503, "service_unavailable", retry_after=120), Unknown, "http_503"),
    "503 after it was taken": (Instead(status(503, "service_unavailable").reply, taken=True), Unknown, "http_503"),
    "hang": (Hang(LONG), Unknown, "ReadTimeoutError"),
    "hang after it was taken": (Hang(LONG, taken=True), Unknown, "ReadTimeoutError"),
    "reset before it was taken": (CloseUnread(), Unknown, "ProtocolError"),
    "reset after it was taken": (CloseTaken(), Unknown, "ProtocolError"),
    "truncated": (Truncated(), Unknown, "ProtocolError"),
    "empty 200": (EMPTY, Unknown, "no_letter_id"),
    "empty 201": (EMPTY_201, Unknown, "no_letter_id"),
    "200 without an id": (WITHOUT_ID, Unknown, "no_letter_id"),
    "200 with another id": (Instead(Reply(200, b'{"id":"psc_1"}'), taken=True), Unknown, "no_letter_id"),
    "200 with nonsense": (NONSENSE, Unknown, "no_letter_id"),
    "307 to another host": (LETTER_REDIRECT, Misconfigured, "http_307"),
}
"""What each fault of a first attempt means."""


@pytest.mark.parametrize(("fault", "meaning", "code"), FAULTS.values(), ids=FAULTS)
def test_each_failure_means_one_thing_and_nothing_is_tried_again(
    lob: Lob, fault: Fault, meaning: type[DeliveryFailed], code: str
) -> None:
    sending = notifier(lob.base_url, patience(fault))
    lob.fail(fault)

    failed = failure_of(sending)
    assert (type(failed), failed.code.startswith(code)) == (meaning, True), failed.code
    # A second try of its own would have met no fault, and so would have been taken.
    assert len(lob.letters) == (getattr(fault, "taken", False) or isinstance(fault, CloseTaken | Truncated))


@pytest.mark.parametrize(("fault", "meaning"), [each[:2] for each in FAULTS.values()], ids=FAULTS)
def test_after_any_failure_the_same_letter_goes_exactly_once(
    lob: Lob, fault: Fault, meaning: type[DeliveryFailed]
) -> None:
    sending, sent = notifier(lob.base_url, patience(fault)), letter()
    lob.fail(fault)
    failure_of(sending, sent)

    receipt = send(sending, in_doubt(sent) if issubclass(meaning, Unknown) else sent)
    assert [each.id for each in lob.letters] == [receipt.provider_id]


@given(st.lists(st.sampled_from(sorted(set(FAULTS) - {"hang", "hang after it was taken"})), max_size=6))
def test_no_letter_goes_twice_whatever_goes_wrong_and_however_often(names: list[str]) -> None:
    with Lob() as lob:
        sending, sent = notifier(lob.base_url), letter()
        lob.fail(*(FAULTS[name][0] for name in names))
        for _ in names:
            try:
                send(sending, sent)
            except Unknown:
                sent = in_doubt(sent)
            except DeliveryFailed:
                pass

        receipt = send(sending, sent)
        assert [each.id for each in lob.letters] == [receipt.provider_id]


def test_the_vendors_wait_is_passed_on(lob: Lob) -> None:
    lob.fail(status(429, retry_after=17), status(503, retry_after=120), status(503))
    failures = [failure_of(notifier(lob.base_url)) for _ in range(3)]

    waits = [failed.retry_after for failed in failures if isinstance(failed, Unavailable | Unknown)]
    assert waits == [timedelta(seconds=17), timedelta(seconds=120), None]


def test_what_refuses_the_connection_got_nothing() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"))

    assert (type(failed), failed.code) == (NotSent, "NewConnectionError")


def test_a_redirect_is_not_followed(lob: Lob) -> None:
    with Lob() as elsewhere:
        lob.fail(Instead(Reply(307, headers={"Location": f"{elsewhere.base_url}/v1/letters"})))
        failure_of(notifier(lob.base_url))

        assert (elsewhere.connections, lob.letters) == (0, ())


def test_a_wrong_key_and_a_sender_that_lob_refuses_are_our_own_fault(lob: Lob) -> None:
    for sending in (notifier(lob.base_url, key="another"), notifier(lob.base_url, lob_from_state="")):
        assert isinstance(failure_of(sending), Misconfigured)


def test_an_address_that_lob_refuses_is_the_recipients(lob: Lob) -> None:
    failed = failure_of(notifier(lob.base_url), to=replace(HOME, zip="9"))

    assert (type(failed), failed.code) == (Rejected, "http_422 invalid")


# --- A letter that Lob may have


DAY = timedelta(hours=24)
PASSED = datetime(2026, 1, 1, tzinfo=UTC)
CONFLICT = status(409, "conflict")
STRANGER = {"object": "list", "data": [{"id": "ltr_1", "metadata": {"message_id": "another"}}]}
NO_LISTS = {
    "500": status(500),
    "an empty answer": Instead(Reply(200)),
    "no list": Instead(Reply(200, b"[]")),
    "a list without letters": Instead(Reply(200, b'{"object":"list"}')),
    "letters of others": Instead(Reply(200, json.dumps(STRANGER).encode())),
    "another 2xx": Instead(Reply(202, b'{"data":[]}')),
    "a refusal": status(422, "invalid"),
    "reset": CloseTaken(),
    "truncated": Truncated(),
}


def taken_without_a_receipt(lob: Lob, sending: LobLetter, sent: OutgoingMessage) -> None:
    lob.fail(CloseTaken())
    assert isinstance(failure_of(sending, sent), Unknown)


@pytest.mark.parametrize("since", [timedelta(minutes=1), timedelta(hours=22, minutes=59)])
def test_while_its_key_counts_and_its_date_lies_ahead_it_is_sent_again(lob: Lob, since: timedelta) -> None:
    sending, sent = notifier(lob.base_url), letter()
    taken_without_a_receipt(lob, sending, sent)

    receipt = send(sending, in_doubt(sent, since))
    assert [each.id for each in lob.letters] == [receipt.provider_id]
    # Where Lob has it not after all, it gets it now.
    assert send(sending, in_doubt(letter(), since)).provider_id == lob.letters[1].id


@pytest.mark.parametrize("refusal", [CONFLICT, status(400), status(422, "invalid"), ABOUT_RECIPIENT])
def test_where_it_is_refused_lob_is_asked_for_it(lob: Lob, refusal: Fault) -> None:
    sending, sent = notifier(lob.base_url), letter()
    taken_without_a_receipt(lob, sending, sent)
    lob.fail(refusal)

    assert send(sending, in_doubt(sent)).provider_id == lob.letters[0].id
    assert len(lob.letters) == 1


def test_where_its_bytes_have_changed_since_lob_is_asked_for_it(lob: Lob) -> None:
    sending, sent = notifier(lob.base_url), letter()
    taken_without_a_receipt(lob, sending, sent)
    changed = in_doubt(sent, brand=replace(sent.brand, name="Another Brand"))

    assert send(sending, changed).provider_id == lob.letters[0].id
    assert len(lob.letters) == 1


NOT_LISTED_YET = Instead(Reply(200, b'{"object":"list","data":[]}'))


@pytest.mark.parametrize(
    ("refusal", "meaning"),
    [
        (CONFLICT, Unknown),
        (status(400), Misconfigured),
        (status(422, "invalid"), Misconfigured),
        (ABOUT_RECIPIENT, Rejected),
    ],
)
def test_while_its_key_counts_an_empty_list_does_not_say_that_lob_never_had_it(
    lob: Lob, refusal: Fault, meaning: type[DeliveryFailed]
) -> None:
    sending, sent = notifier(lob.base_url), letter()
    taken_without_a_receipt(lob, sending, sent)
    lob.fail(refusal, NOT_LISTED_YET)

    assert type(failure_of(sending, in_doubt(sent))) is meaning
    assert send(sending, in_doubt(sent)).provider_id == lob.letters[0].id
    assert len(lob.letters) == 1


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (status(401, "invalid_api_key"), Misconfigured),
        (status(403, "unauthorized"), Misconfigured),
        (status(408), Unknown),
        (status(429), Unavailable),
        (status(503), Unknown),
        (status(500), Unknown),
        (CloseTaken(), Unknown),
        (WITHOUT_ID, Unknown),
    ],
)
def test_where_the_answer_says_nothing_of_it_lob_is_not_asked(
    lob: Lob, fault: Fault, meaning: type[DeliveryFailed]
) -> None:
    sending = notifier(lob.base_url)
    lob.fail(fault)

    assert type(failure_of(sending, in_doubt(letter()))) is meaning


@pytest.mark.parametrize(
    ("since", "changes"),
    [(timedelta(hours=23, minutes=1), {}), (timedelta(days=9), {}), (timedelta(minutes=1), {"leaves_at": PASSED})],
)
def test_after_that_it_is_never_sent_again_but_looked_for(
    lob: Lob, since: timedelta, changes: dict[str, datetime]
) -> None:
    sending, sent, never_sent = notifier(lob.base_url), letter(), letter()
    taken_without_a_receipt(lob, sending, sent)

    assert send(sending, in_doubt(sent, since, **changes)).provider_id == lob.letters[0].id
    failed = failure_of(sending, in_doubt(never_sent, since, **changes))
    assert (type(failed), failed.code) == (Absent, "not_at_vendor")
    assert (len(lob.letters), lob.refused) == (1, ())


@pytest.mark.parametrize("no_list", NO_LISTS.values(), ids=NO_LISTS)
def test_without_a_list_it_is_asked_again_for_a_day_and_then_a_person_decides(lob: Lob, no_list: Fault) -> None:
    sending = notifier(lob.base_url)
    for since, meaning in (
        (DAY - timedelta(minutes=5), (Unavailable, Misconfigured)),
        (DAY + timedelta(minutes=5), (Undecided,)),
    ):
        lob.fail(no_list)
        failed = failure_of(sending, in_doubt(letter(), since))

        assert type(failed) in meaning
        assert (failed.code == "vendor_cannot_say") is (meaning == (Undecided,))


def test_a_list_that_is_refused_for_our_key_is_our_own_fault_and_one_that_comes_later_is_waited_for(lob: Lob) -> None:
    lob.fail(status(401, "invalid_api_key"), status(429, retry_after=17))
    late = in_doubt(letter(leaves_at=PASSED))
    refused, later = (failure_of(notifier(lob.base_url), late) for _ in range(2))

    assert isinstance(refused, Misconfigured)
    assert isinstance(later, Unavailable)
    assert later.retry_after == timedelta(seconds=17)


def test_where_nobody_answers_the_question_nothing_is_in_more_doubt() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"), in_doubt(letter(leaves_at=PASSED)))

    assert (type(failed), failed.code) == (Unavailable, "NewConnectionError")


# --- Taking one back


def test_a_letter_is_recalled_until_its_date_and_asking_twice_says_the_same(lob: Lob) -> None:
    sending = notifier(lob.base_url)
    receipt = send(sending, letter())

    assert sending.recall(receipt.provider_id) is True
    assert lob.letters[0].deleted
    assert sending.recall(receipt.provider_id) is True


def test_a_letter_is_found_by_its_message_and_one_that_lob_does_not_list_is_not(lob: Lob) -> None:
    sending, sent = notifier(lob.base_url), letter()
    send(sending, letter())
    assert sending.find(sent.id) is None
    taken_without_a_receipt(lob, sending, sent)
    assert sending.find(sent.id) == lob.letters[1].id


def test_a_letter_that_went_to_be_printed_is_not_recalled(lob: Lob) -> None:
    lob.fail(status(422, "not_deletable"))

    assert notifier(lob.base_url).recall("ltr_0123456789abcdef") is False


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (status(401), Misconfigured),
        (status(404, "unrecognized_endpoint"), Misconfigured),
        (Instead(Reply(404, b"<h1>Not Found</h1>")), Misconfigured),
        (status(429), Unavailable),
        (status(500), Unknown),
        (CloseTaken(), Unknown),
        (Instead(Reply(200)), Unknown),
        (Instead(Reply(200, b'{"deleted":false}')), Unknown),
    ],
)
def test_a_recall_without_an_answer_is_no_recall(lob: Lob, fault: Fault, meaning: type[DeliveryFailed]) -> None:
    sending = notifier(lob.base_url)
    receipt = send(sending, letter())
    lob.fail(fault)

    with pytest.raises(DeliveryFailed) as caught:
        sending.recall(receipt.provider_id)
    assert type(caught.value) is meaning


# --- Permits and secrets


def test_a_permit_that_does_not_fit_sends_nothing(lob: Lob) -> None:
    sending = notifier(lob.base_url)
    for misfit in (permit(Channel.EMAIL), permit(Channel.MAIL, until=datetime.now(UTC))):
        with pytest.raises(PermitMisused):
            sending.send(letter(), misfit)

    assert lob.connections == 0


def test_nothing_secret_is_logged_or_printed_even_when_everything_is_logged(
    lob: Lob, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sending, written = notifier(lob.base_url), []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "lob_python", "lob_python.rest"):
        caplog.set_level(logging.DEBUG, logger=name)

    receipt = send(sending, letter())
    for fault, _, _ in FAULTS.values():
        lob.fail(fault)
        written.append("".join(traceback.format_exception(failure_of(notifier(lob.base_url, patience(fault))))))
    lob.fail(status(500, message=HOME.line1))
    written.append("".join(traceback.format_exception(failure_of(sending, in_doubt(letter(leaves_at=PASSED))))))
    send(sending, in_doubt(letter()))
    sending.recall(receipt.provider_id)
    written += [caplog.text, *capfd.readouterr(), repr(sending), repr(vars(sending))]

    assert "POST /v1/letters" in caplog.text
    assert "GET /v1/letters?metadata%5Bmessage_id%5D=" in caplog.text
    key = "dGVzdF9rZXktb2YtdGhlLXRlc3Rz"  # as Basic authentication writes it
    for secret in (API_KEY, key, LETTER_CODE, "48217 30659", "Maria", "Mill", "05001", REFERENCE):
        assert not [text for text in written if secret in text], secret


def test_ids_differ_so_no_two_messages_share_a_key(lob: Lob) -> None:
    sending, sent = notifier(lob.base_url), letter()
    send(sending, sent)
    send(sending, replace(sent, id=UUID(int=sent.id.int ^ 1)))

    assert len({each.idempotency_key for each in lob.letters}) == 2
