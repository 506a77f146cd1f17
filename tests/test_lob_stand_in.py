"""The stand-in for Lob, driven by the vendor's own SDK: it takes right requests only, and fails as it is told to."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from lob_python import ApiClient, Configuration
from lob_python.api.letters_api import LettersApi
from lob_python.api.us_verifications_api import UsVerificationsApi
from lob_python.model.address_editable import AddressEditable
from lob_python.model.country_extended import CountryExtended
from lob_python.model.letter_editable import LetterEditable
from lob_python.model.ltr_id import LtrId
from lob_python.model.ltr_use_type import LtrUseType
from lob_python.model.mail_type import MailType
from lob_python.model.metadata_model import MetadataModel
from lob_python.model.us_verifications_writable import UsVerificationsWritable

from tests.servers import lifeline, openapi
from tests.servers.lob import API_KEY, EMPTY, NONSENSE, WITHOUT_ID, Lob, status, violations_of
from tests.servers.openapi import BodyCheck
from tests.servers.ports import is_served, port_of
from tests.servers.stand_in import CloseTaken, Instead, Reply, Truncated
from tests.servers.waiting import until

Body = dict[str, Any]
LOGIN = "Basic " + base64.b64encode(f"{API_KEY}:".encode()).decode()
HEADERS = {"Authorization": LOGIN, "Content-Type": "application/json"}
HOME = {"primary_line": "12 Mill Street", "city": "Millbrook", "state": "VT", "zip_code": "05001"}


@pytest.fixture
def lob() -> Iterator[Lob]:
    with Lob() as stand_in:
        yield stand_in


def address(name: str) -> Any:
    return AddressEditable(
        name=name,
        address_line1="12 Mill Street",
        address_city="Millbrook",
        address_state="VT",
        address_zip="05001",
        address_country=CountryExtended("US"),
    )


def right_letter() -> Any:
    return LetterEditable(
        to=address("Maria Lopez"),
        _from=address("Example Hosting"),
        file="<html><body>The code is 12345 67890.</body></html>",
        color=False,
        double_sided=False,
        address_placement="top_first_page",
        use_type=LtrUseType("operational"),
        mail_type=MailType("usps_first_class"),
        send_date=in_an_hour(),
        metadata=MetadataModel(message_id="0190f5fe"),
    )


def in_an_hour() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


def right_body() -> Body:
    """The letter as the SDK writes it."""
    body: Body = json.loads(json.dumps(ApiClient.sanitize_for_serialization(right_letter())))
    return body


def sdk(lob: Lob) -> Any:
    configuration = Configuration(host=f"{lob.base_url}/v1", username=API_KEY)
    configuration.retries = False
    return ApiClient(configuration)


def call(lob: Lob, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
    content = None if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request(method, f"{lob.base_url}/v1{path}", body=content, headers={**HEADERS, **named})


def test_a_right_letter_is_taken_and_the_sdk_reads_its_id(lob: Lob) -> None:
    answer = LettersApi(sdk(lob)).create(right_letter(), idempotency_key="one")

    (letter,) = lob.letters
    assert (answer.id, letter.idempotency_key, lob.refused) == (letter.id, "one", ())
    assert letter.body["to"]["name"] == "Maria Lopez"
    assert letter.html.startswith("<html>")
    assert letter.send_date is not None


def test_the_answers_are_as_the_vendor_describes_them(lob: Lob) -> None:
    created = call(lob, "POST", "/letters", right_body())
    answers = [
        ("post", "/letters", "200", created),
        ("get", "/letters", "200", call(lob, "GET", "/letters")),
        ("post", "/us_verifications", "200", call(lob, "POST", "/us_verifications", HOME)),
        ("post", "/us_verifications", "default", call(lob, "POST", "/us_verifications", {})),
        ("delete", "/letters/{ltr_id}", "200", call(lob, "DELETE", f"/letters/{created.json()['id']}")),
        ("post", "/letters", "default", call(lob, "POST", "/letters", {})),
    ]

    for method, path, code, answer in answers:
        check = BodyCheck(openapi.answer_schema("lob_api.json", method, path, code))
        assert check.violations(answer.json()) == [], (method, path, code)


# What is spoiled: the field that the refusal must name, and how.
SPOILED: dict[str, tuple[str, Callable[[Body], object]]] = {
    "no recipient": ("to", lambda letter: letter.pop("to")),
    "no sender": ("from", lambda letter: letter.pop("from")),
    "no file": ("file", lambda letter: letter.pop("file")),
    "a file that is neither HTML nor a template": ("file", lambda letter: letter.update(file="Hello")),
    "ten thousand characters": ("file", lambda letter: letter.update(file="<" + "x" * 9_999)),
    "no colour": ("color", lambda letter: letter.pop("color")),
    "colour as a word": ("color", lambda letter: letter.update(color="false")),
    "no use": ("use_type", lambda letter: letter.pop("use_type")),
    "an empty use": ("use_type", lambda letter: letter.update(use_type=None)),
    "another use": ("use_type", lambda letter: letter.update(use_type="private")),
    "another mail": ("mail_type", lambda letter: letter.update(mail_type="ups")),
    "another place": ("address_placement", lambda letter: letter.update(address_placement="back")),
    "a name too long": ("to.name", lambda letter: letter["to"].update(name="x" * 41)),
    "an empty name": ("to.name", lambda letter: letter["to"].update(name="")),
    "a line too long": ("to.address_line1", lambda letter: letter["to"].update(address_line1="x" * 65)),
    "a state in full": ("to.address_state", lambda letter: letter["to"].update(address_state="Vermont")),
    "a ZIP code of one digit": ("to.address_zip", lambda letter: letter["to"].update(address_zip="9")),
    "a ZIP code of nine digits": ("to.address_zip", lambda letter: letter["to"].update(address_zip="050011234")),
    "the sender's ZIP code": ("from.address_zip", lambda letter: letter["from"].update(address_zip="0500")),
    "another country": ("to.address_country", lambda letter: letter["to"].update(address_country="CA")),
    "an unknown field": ("colour", lambda letter: letter.update(colour=False)),
    "an unknown inner field": ("to.fax", lambda letter: letter["to"].update(fax="1")),
    "a date that is past": ("send_date", lambda letter: letter.update(send_date="2020-01-01T00:00:00+00:00")),
    "a date too far ahead": (
        "send_date",
        lambda letter: letter.update(send_date=(datetime.now(UTC) + timedelta(days=181)).isoformat()),
    ),
    "a date that is none": ("send_date", lambda letter: letter.update(send_date="tomorrow")),
    "21 pairs": ("metadata", lambda letter: letter.update(metadata={str(number): "x" for number in range(21)})),
    "a number in the metadata": ("metadata.message_id", lambda letter: letter["metadata"].update(message_id=17)),
    "a long name in the metadata": ("metadata." + "x" * 41, lambda letter: letter.update(metadata={"x" * 41: "1"})),
    "a long value in the metadata": ("metadata.x", lambda letter: letter["metadata"].update(x="x" * 501)),
    "a quote in the metadata": ("metadata.x", lambda letter: letter["metadata"].update(x='"')),
}


@pytest.mark.parametrize(("field", "spoil"), SPOILED.values(), ids=SPOILED)
def test_a_letter_with_one_field_spoiled_is_refused_and_the_field_named(
    lob: Lob, field: str, spoil: Callable[[Body], object]
) -> None:
    letter = right_body()
    spoil(letter)

    answer = call(lob, "POST", "/letters", letter)

    assert (answer.status, lob.letters) == (422, ())
    assert answer.json()["error"]["message"].startswith(f"{field} ")
    assert [violation.field for violation in lob.refused[0].violations] == [field]


def test_what_is_just_within_the_limits_is_taken() -> None:
    letter = right_body()
    letter["to"].update(name="x" * 40, address_line1="x" * 64, address_line2="x" * 64, address_zip="05001-1234")
    letter.update(file="<" + "x" * 9_998, metadata={"x" * 39 + str(number): "x" * 500 for number in range(10)})
    letter.update(send_date=(datetime.now(UTC) + timedelta(days=179)).isoformat())

    assert violations_of(letter) == []


def test_a_wrong_key_is_unauthorized(lob: Lob) -> None:
    answer = call(lob, "POST", "/letters", right_body(), Authorization="Basic dGVzdDo=")

    assert (answer.status, answer.json()["error"]["code"], lob.letters) == (401, "invalid_api_key", ())


def test_what_is_no_json_and_another_path_are_refused(lob: Lob) -> None:
    form = call(lob, "POST", "/letters", right_body(), Content_Type="text/plain")
    broken = urllib3.request("POST", f"{lob.base_url}/v1/letters", body=b"{", headers=HEADERS)
    other = call(lob, "POST", "/postcards", right_body())

    assert (form.status, broken.status, other.status, lob.letters) == (422, 422, 404, ())


def test_the_same_key_with_the_same_bytes_is_the_same_letter(lob: Lob) -> None:
    letter = right_body()
    lob.fail(CloseTaken())
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request(
            "POST",
            f"{lob.base_url}/v1/letters",
            body=json.dumps(letter),
            headers={**HEADERS, "Idempotency-Key": "one"},
            retries=False,
        )
    again = [call(lob, "POST", "/letters", letter, Idempotency_Key="one") for _ in range(2)]

    assert {each.json()["id"] for each in again} == {each.id for each in lob.letters}
    assert len(lob.letters) == 1


def test_the_same_key_with_other_bytes_is_refused(lob: Lob) -> None:
    first, other = right_body(), right_body() | {"color": True}
    answers = [call(lob, "POST", "/letters", letter, Idempotency_Key="one") for letter in (first, other)]

    assert [answer.status for answer in answers] == [200, 409]
    assert len(lob.letters) == 1


def test_without_a_key_or_with_another_one_a_letter_is_a_new_one(lob: Lob) -> None:
    letter = right_body()
    call(lob, "POST", "/letters", letter)
    call(lob, "POST", "/letters", letter)
    call(lob, "POST", "/letters", letter, Idempotency_Key="one")

    assert len(lob.letters) == 3


def test_a_key_has_256_characters_at_most(lob: Lob) -> None:
    answers = [call(lob, "POST", "/letters", right_body(), Idempotency_Key="x" * length) for length in (256, 257)]

    assert [answer.status for answer in answers] == [200, 422]


def test_letters_are_found_by_their_metadata(lob: Lob) -> None:
    for each in ("a", "b"):
        call(lob, "POST", "/letters", right_body() | {"metadata": {"message_id": each}})

    found = call(lob, "GET", "/letters?metadata%5Bmessage_id%5D=b").json()
    assert (found["count"], [each["id"] for each in found["data"]]) == (1, [lob.letters[1].id])
    assert call(lob, "GET", "/letters?metadata[message_id]=c").json()["data"] == []
    assert call(lob, "GET", "/letters").json()["count"] == 2


def test_the_filter_that_the_sdk_writes_by_itself_is_refused(lob: Lob) -> None:
    # `metadata={"message_id": "b"}` as JSON; the description says `metadata[message_id]=b` (style: deepObject).
    answer = call(lob, "GET", "/letters?metadata=%7B%22message_id%22%3A%22b%22%7D")

    assert answer.status == 422


def test_a_letter_can_be_deleted_once_until_its_date(lob: Lob) -> None:
    answer = LettersApi(sdk(lob)).create(right_letter())
    deleted = LettersApi(sdk(lob)).cancel(LtrId(answer.id))
    again = call(lob, "DELETE", f"/letters/{answer.id}")

    assert (deleted.deleted, lob.letters[0].deleted, again.status) == (True, True, 404)


def test_a_letter_that_went_to_be_printed_cannot_be_deleted(lob: Lob) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    ids = [
        call(lob, "POST", "/letters", letter).json()["id"]
        for letter in (right_body() | {"send_date": soon}, {k: v for k, v in right_body().items() if k != "send_date"})
    ]
    until(lambda: datetime.now(UTC) > datetime.fromisoformat(soon), "the date is past")

    answers = [call(lob, "DELETE", f"/letters/{each}") for each in ids]
    assert [(answer.status, answer.json()["error"]["code"]) for answer in answers] == [(422, "not_deletable")] * 2
    assert not any(letter.deleted for letter in lob.letters)


def test_an_address_is_deliverable_unless_a_test_says_otherwise(lob: Lob) -> None:
    lob.verdict("13 Mill Street", "undeliverable")
    verify = UsVerificationsApi(sdk(lob)).verifySingle
    verdicts = [
        verify(UsVerificationsWritable(**HOME | {"primary_line": line})).deliverability
        for line in ("12 Mill Street", "13 Mill Street")
    ]

    assert verdicts == ["deliverable", "undeliverable"]
    assert [each["primary_line"] for each in lob.verifications] == ["12 Mill Street", "13 Mill Street"]


SPOILED_ADDRESS: dict[str, dict[str, object]] = {
    "no line": {"primary_line": None},
    "a ZIP code of one digit": {"zip_code": "9"},
    "a state too long": {"state": "x" * 51},
    "two kinds of address": {"address": "12 Mill Street"},
    "an unknown field": {"zip": "05001"},
    "neither town nor ZIP code": {"city": None, "zip_code": None},
}


@pytest.mark.parametrize("spoiled", SPOILED_ADDRESS.values(), ids=SPOILED_ADDRESS)
def test_an_address_with_one_field_spoiled_is_not_verified(lob: Lob, spoiled: dict[str, object]) -> None:
    body = {name: value for name, value in {**HOME, **spoiled}.items() if value is not None}

    assert (call(lob, "POST", "/us_verifications", body).status, lob.verifications) == (422, ())


def test_a_status_on_demand_takes_nothing_and_may_say_when_to_try_again(lob: Lob) -> None:
    lob.fail(status(429, "rate_limit_exceeded", retry_after=7), Instead(Reply(500), taken=True))

    first, second = (call(lob, "POST", "/letters", right_body()) for _ in range(2))
    assert (first.status, first.headers["Retry-After"], first.json()["error"]["code"]) == (
        429,
        "7",
        "rate_limit_exceeded",
    )
    assert (second.status, len(lob.letters), lob.refused) == (500, 1, ())


@pytest.mark.parametrize("fault", [WITHOUT_ID, EMPTY, NONSENSE])
def test_an_answer_can_lack_the_id_although_the_letter_was_taken(lob: Lob, fault: Instead) -> None:
    lob.fail(fault)

    answer = call(lob, "POST", "/letters", right_body())
    assert (answer.status, len(lob.letters), b"ltr_" in answer.data) == (200, 1, False)


def test_a_truncated_answer_is_noticed(lob: Lob) -> None:
    lob.fail(Truncated())
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("POST", f"{lob.base_url}/v1/letters", json=right_body(), headers=HEADERS, retries=False)

    assert len(lob.letters) == 1


def test_it_runs_as_a_process_of_its_own() -> None:
    with lifeline.started("tests.servers.lob") as url:
        answer = urllib3.request("POST", f"{url}/v1/letters", json=right_body(), headers=HEADERS)
        assert answer.status == 200
    assert not is_served(port_of(url))
