"""The stand-in for Twilio, driven by the vendor's own SDK: it takes right requests only, and fails as it is told to."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import urllib3
from jsonschema import Draft202012Validator
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.servers import forms, lifeline, openapi
from tests.servers.ports import is_served, port_of
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, Truncated
from tests.servers.twilio import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    FROM,
    MESSAGING_SERVICE_SID,
    NONSENSE,
    WITHOUT_SID,
    Twilio,
    status,
)
from tests.servers.waiting import until

TO = "+12025550142"
LONG = 60  # seconds: longer than any test waits
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
FORM = "application/x-www-form-urlencoded"
HEADERS = {
    **urllib3.make_headers(basic_auth=f"{ACCOUNT_SID}:{AUTH_TOKEN}"),
    "Content-Type": FORM,
}

Fields = dict[str, Any]


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as stand_in:
        yield stand_in


class _Here(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's own HTTP client, pointed at the stand-in."""

    def __init__(self, base_url: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Response:
        here = url.replace("https://api.twilio.com", self._base_url).replace(
            "https://lookups.twilio.com", self._base_url
        )
        return super().request(method, here, *args, **more)


def client(twilio: Twilio, token: str = AUTH_TOKEN, timeout: float = LONG) -> Any:
    return Client(ACCOUNT_SID, token, http_client=_Here(twilio.base_url, timeout))


def right_message() -> Fields:
    return {
        "To": TO,
        "From": FROM,
        "Body": "4821 7306 is your code.",
        "ValidityPeriod": "600",
        "StatusCallback": "https://reset.hosting.example/webhooks/twilio/messages/1",
    }


def right_call() -> Fields:
    return {
        "To": TO,
        "From": FROM,
        "Url": "https://reset.hosting.example/calls/1",
        "Method": "POST",
        "Timeout": "25",
        "StatusCallback": "https://reset.hosting.example/webhooks/twilio/calls/1",
        "StatusCallbackEvent": ["answered", "completed"],
    }


def post(twilio: Twilio, resource: str, fields: Fields, headers: dict[str, str] = HEADERS) -> urllib3.BaseHTTPResponse:
    body = urlencode(fields, doseq=True)
    return urllib3.request("POST", f"{twilio.base_url}{PATH}/{resource}.json", body=body, headers=headers)


def send(twilio: Twilio) -> Any:
    return client(twilio).messages.create(to=TO, from_=FROM, body="4821 7306 is your code.")


def test_a_right_message_is_taken_and_gets_a_sid(twilio: Twilio) -> None:
    taken = client(twilio).messages.create(
        to=TO, from_=FROM, body="The code is 48217306.", validity_period=600, smart_encoded=True
    )

    (message,) = twilio.sent
    assert (taken.sid, taken.status, message.to, message.body) == (message.sid, "queued", TO, "The code is 48217306.")
    assert (message.form["ValidityPeriod"], message.form["SmartEncoded"]) == (600, True)
    assert twilio.refused == ()


def test_a_messaging_service_sends_instead_of_a_number(twilio: Twilio) -> None:
    taken = client(twilio).messages.create(to=TO, messaging_service_sid=MESSAGING_SERVICE_SID, body="A text")

    assert (taken.sid, taken.from_, taken.status) == (twilio.sent[0].sid, None, "accepted")


def test_a_right_call_is_taken_and_a_list_is_repeated_in_its_form(twilio: Twilio) -> None:
    taken = client(twilio).calls.create(
        to=TO, from_=FROM, url="https://reset.hosting.example/calls/1", status_callback_event=["answered", "completed"]
    )

    (call,) = twilio.calls
    assert (taken.sid, call.to, call.url) == (call.sid, TO, "https://reset.hosting.example/calls/1")
    assert call.form["StatusCallbackEvent"] == ["answered", "completed"]


@pytest.mark.parametrize(("resource", "fields"), [("Messages", right_message()), ("Calls", right_call())])
def test_an_answer_is_as_the_vendor_describes_it(twilio: Twilio, resource: str, fields: Fields) -> None:
    schema = openapi.body_schema("twilio_api_v2010.json", f"/2010-04-01/Accounts/{{AccountSid}}/{resource}.json", FORM)
    name = {"Messages": "message", "Calls": "call"}[resource]
    record = {"$ref": f"#/components/schemas/api.v2010.account.{name}", "components": schema["components"]}

    answer = post(twilio, resource, fields)

    assert answer.status == 201
    Draft202012Validator(record).validate(answer.json())
    assert answer.json().keys() <= record["components"]["schemas"][f"api.v2010.account.{name}"]["properties"].keys()


# What is spoiled: the field that the refusal must name, Twilio's code, and how.
SPOILED_MESSAGES: dict[str, tuple[str, int, Fields]] = {
    "nobody to send to": ("To", 21604, {"To": None}),
    "number without a plus": ("To", 21211, {"To": "12025550142"}),
    "number with blanks": ("To", 21211, {"To": "+1 202 555 0142"}),
    "another kind of address": ("To", 21211, {"To": "whatsapp:+12025550142"}),
    "two numbers": ("To", 20001, {"To": [TO, "+12025550143"]}),
    "no sender": ("From", 21603, {"From": None}),
    "two senders": ("From", 21603, {"MessagingServiceSid": MESSAGING_SERVICE_SID}),
    "sender by name": ("From", 21212, {"From": "Hosting"}),
    "another's number": ("From", 21606, {"From": "+12025550199"}),
    "no sid of a service": ("MessagingServiceSid", 20001, {"From": None, "MessagingServiceSid": f"MG{'x' * 32}"}),
    "another's service": ("MessagingServiceSid", 21701, {"From": None, "MessagingServiceSid": f"MG{1:032x}"}),
    "no text": ("Body", 21602, {"Body": None}),
    "empty text": ("Body", 21602, {"Body": " "}),
    "text too long": ("Body", 21617, {"Body": "x" * 1601}),
    "no validity": ("ValidityPeriod", 21624, {"ValidityPeriod": "0"}),
    "validity too long": ("ValidityPeriod", 21624, {"ValidityPeriod": "36001"}),
    "validity with a fraction": ("ValidityPeriod", 20001, {"ValidityPeriod": "599.5"}),
    "callback without a scheme": ("StatusCallback", 21609, {"StatusCallback": "reset.hosting.example"}),
    "callback to a host with an underscore": ("StatusCallback", 21609, {"StatusCallback": "https://my_host/hook"}),
    "yes for true": ("SmartEncoded", 20001, {"SmartEncoded": "yes"}),
    "unknown schedule": ("ScheduleType", 20001, {"ScheduleType": "later"}),
    "unknown field": ("Text", 20001, {"Text": "The code"}),
}
SPOILED_CALLS: dict[str, tuple[str, int, Fields]] = {
    "nobody to call": ("To", 21201, {"To": None}),
    "number without a plus": ("To", 21211, {"To": "12025550142"}),
    "a client's name": ("To", 21211, {"To": "client:maria"}),
    "no number that calls": ("From", 21213, {"From": None}),
    "a name that calls": ("From", 21212, {"From": "Hosting"}),
    "another's number": ("From", 21210, {"From": "+12025550199"}),
    "nothing to say": ("Url", 21205, {"Url": None}),
    "two things to say": ("Url", 21205, {"Twiml": "<Response/>"}),
    "address without a scheme": ("Url", 21205, {"Url": "/calls/1"}),
    "script too long": ("Twiml", 20001, {"Url": None, "Twiml": "x" * 4001}),
    "unknown method": ("Method", 20001, {"Method": "PUT"}),
    "ringing for a word": ("Timeout", 20001, {"Timeout": "long"}),
    "ringing too long": ("Timeout", 20001, {"Timeout": "601"}),
    "unknown event": ("StatusCallbackEvent", 20001, {"StatusCallbackEvent": ["finished"]}),
    "events in one string": ("StatusCallbackEvent", 20001, {"StatusCallbackEvent": "answered completed"}),
    "callback without a scheme": ("StatusCallback", 21609, {"StatusCallback": "reset.hosting.example"}),
    "recording in words": ("Record", 20001, {"Record": "on"}),
    "unknown field": ("Voice", 20001, {"Voice": "alice"}),
}
SPOILED = {
    **{f"message: {name}": ("Messages", right_message, *spoiled) for name, spoiled in SPOILED_MESSAGES.items()},
    **{f"call: {name}": ("Calls", right_call, *spoiled) for name, spoiled in SPOILED_CALLS.items()},
}


@pytest.mark.parametrize(("resource", "right", "field", "code", "changes"), SPOILED.values(), ids=SPOILED)
def test_a_request_with_one_field_spoiled_is_refused_and_the_field_named(
    twilio: Twilio, resource: str, right: Callable[[], Fields], field: str, code: int, changes: Fields
) -> None:
    fields = {name: value for name, value in (right() | changes).items() if value is not None}

    answer = post(twilio, resource, fields)

    error = answer.json()
    assert error.keys() == {"code", "message", "more_info", "status"}
    assert (answer.status, error["status"], error["code"]) == (400, 400, code)
    assert error["message"].startswith(f"{field}: ")
    assert [violation.field for violation in twilio.refused[0].violations] == [field]
    assert (twilio.sent, twilio.calls) == ((), ())


@pytest.mark.parametrize("body", ["x" * 1600, "\u00e9" * 1600])
def test_a_text_has_1600_characters_at_most(twilio: Twilio, body: str) -> None:
    assert post(twilio, "Messages", right_message() | {"Body": body}).status == 201


@pytest.mark.parametrize("body", [b"To", b"To=%FF", b"\xff=1", b""])
def test_a_body_that_is_no_form_or_an_empty_one_is_refused(twilio: Twilio, body: bytes) -> None:
    answer = urllib3.request("POST", f"{twilio.base_url}{PATH}/Messages.json", body=body, headers=HEADERS)

    assert (answer.status, twilio.sent) == (400, ())


def test_a_body_of_another_type_is_refused(twilio: Twilio) -> None:
    answer = post(twilio, "Messages", right_message(), {**HEADERS, "Content-Type": "application/json"})

    assert (answer.status, twilio.sent) == (400, ())


def test_a_form_is_typed_by_its_schema_and_what_does_not_fit_stays_text() -> None:
    of = {name: {"type": name} for name in ("integer", "number", "boolean", "string")}
    schema = {"properties": {**of, "list": {"type": "array", "items": {"type": "integer"}}}}

    assert forms.values(b"integer=-7&number=1.5&boolean=false&string=7&list=1&list=x&other=7", schema) == {
        "integer": -7,
        "number": 1.5,
        "boolean": False,
        "string": "7",
        "list": [1, "x"],
        "other": "7",
    }
    assert forms.values(b"integer=007&number=1e3&boolean=True&string=&list=1", schema) == {
        "integer": "007",
        "number": "1e3",
        "boolean": "True",
        "string": "",
        "list": [1],
    }
    assert forms.values(b"string=a+b%26c&integer=1&integer=2", schema) == {"string": "a b&c", "integer": [1, 2]}


def test_a_wrong_token_is_unauthorized(twilio: Twilio) -> None:
    with pytest.raises(TwilioRestException) as caught:
        client(twilio, "another-token").messages.create(to=TO, from_=FROM, body="A text")

    assert (caught.value.status, caught.value.code, twilio.sent) == (401, 20003, ())


@pytest.mark.parametrize("resource", ["Messages", "Calls"])
def test_another_account_is_not_found(twilio: Twilio, resource: str) -> None:
    url = f"{twilio.base_url}/2010-04-01/Accounts/AC{1:032x}/{resource}.json"
    answer = urllib3.request("POST", url, body=urlencode(right_message()), headers=HEADERS)

    assert (answer.status, answer.json()["code"], twilio.sent) == (404, 20404, ())


def test_another_method_and_another_path_are_refused(twilio: Twilio) -> None:
    for path in (f"{PATH}/Messages.json", f"{PATH}/Calls.json", f"/v2/PhoneNumbers/{TO}"):
        assert urllib3.request("PUT", f"{twilio.base_url}{path}", headers=HEADERS).status == 405
    assert urllib3.request("GET", f"{twilio.base_url}{PATH}/Faxes.json", headers=HEADERS).status == 404


def test_messages_and_calls_are_listed_newest_first_by_their_two_numbers(twilio: Twilio) -> None:
    sdk = client(twilio)
    for to in (TO, "+12025550143", TO):
        sdk.messages.create(to=to, from_=FROM, body="A text")
        sdk.calls.create(to=to, from_=FROM, url="https://reset.hosting.example/calls/1")

    first, _, last = twilio.sent
    assert [each.sid for each in sdk.messages.list(to=TO)] == [last.sid, first.sid]
    assert [each.body for each in sdk.messages.list(to=TO, from_=FROM, limit=1)] == ["A text"]
    assert sdk.messages.list(to=TO, from_="+12025550199") == []
    assert [each.sid for each in sdk.calls.list(to="+12025550143")] == [twilio.calls[1].sid]
    assert len(sdk.calls.list()) == 3


def test_lookup_says_of_a_number_what_the_test_has_set(twilio: Twilio) -> None:
    twilio.set_line_type("+12025550143", "landline")
    numbers = client(twilio).lookups.v2.phone_numbers

    found = {
        number: numbers(number).fetch(fields="line_type_intelligence")
        for number in (TO, "+12025550143", "+15550000000", "+9990000000")
    }
    assert [each.valid for each in found.values()] == [True, True, False, False]
    assert found[TO].line_type_intelligence["type"] == "mobile"
    assert found["+12025550143"].line_type_intelligence["type"] == "landline"
    assert found["+15550000000"].line_type_intelligence is None
    assert twilio.looked_up == tuple(found)


def test_lookup_says_nothing_of_the_line_unless_it_is_asked_and_does_not_find_what_is_no_number(twilio: Twilio) -> None:
    numbers = client(twilio).lookups.v2.phone_numbers

    assert numbers(TO).fetch().line_type_intelligence is None
    with pytest.raises(TwilioRestException) as caught:
        numbers("12025550142").fetch()
    assert (caught.value.status, caught.value.code, twilio.looked_up) == (404, 20404, (TO,))


@pytest.mark.parametrize(
    ("code", "error"), [(400, 20400), (401, 20003), (403, 20403), (404, 20404), (429, 20429), (500, 20500)]
)
def test_a_status_on_demand_takes_nothing_and_may_say_when_to_try_again(twilio: Twilio, code: int, error: int) -> None:
    twilio.fail(status(code, retry_after=7))

    answer = post(twilio, "Messages", right_message())

    assert (answer.status, answer.json()["code"], answer.headers["Retry-After"]) == (code, error, "7")
    assert (twilio.sent, twilio.refused) == ((), ())


def test_a_status_can_carry_any_of_twilios_codes(twilio: Twilio) -> None:
    twilio.fail(status(400, error=21610))

    with pytest.raises(TwilioRestException) as caught:
        send(twilio)

    assert (caught.value.status, caught.value.code) == (400, 21610)


def test_a_status_can_come_although_the_message_was_taken(twilio: Twilio) -> None:
    twilio.fail(Instead(Reply(500), taken=True))

    with pytest.raises(TwilioRestException):
        send(twilio)

    assert len(twilio.sent) == 1


@pytest.mark.parametrize(("fault", "taken"), [(CloseUnread(), False), (CloseTaken(), True), (Truncated(), True)])
def test_a_broken_connection_tells_the_client_nothing(twilio: Twilio, fault: Fault, taken: bool) -> None:
    twilio.fail(fault)

    with pytest.raises(requests.RequestException):
        send(twilio)

    assert len(twilio.sent) == taken


@pytest.mark.parametrize("taken", [False, True])
def test_a_hang_outlasts_the_clients_patience(twilio: Twilio, taken: bool) -> None:
    twilio.fail(Hang(LONG, taken=taken))

    with pytest.raises(requests.Timeout):
        client(twilio, timeout=0.5).messages.create(to=TO, from_=FROM, body="A text")

    if taken:
        until(lambda: twilio.sent, "the message is taken")
    assert len(twilio.sent) == taken


def test_an_answer_can_lack_the_sid_or_be_nonsense_although_the_message_was_taken(twilio: Twilio) -> None:
    twilio.fail(WITHOUT_SID, NONSENSE)

    assert send(twilio).sid is None
    with pytest.raises(ValueError, match="Expecting value"):
        send(twilio)
    assert len(twilio.sent) == 2


def test_connections_are_kept_alive_and_counted(twilio: Twilio) -> None:
    sdk = client(twilio)
    for _ in range(3):
        sdk.messages.create(to=TO, from_=FROM, body="A text")

    assert (len(twilio.sent), twilio.connections) == (3, 1)


def test_many_clients_at_once_lose_no_message(twilio: Twilio) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(twilio, "Messages", right_message()).json()["sid"], range(100)))

    assert sorted(answers) == sorted(message.sid for message in twilio.sent)
    assert len(twilio.sent) == 100


def test_it_runs_as_a_process_of_its_own_with_a_delay() -> None:
    with lifeline.started("tests.servers.twilio", "--delay-ms", "200") as url:
        start = time.monotonic()
        body = urlencode(right_message())
        answer = urllib3.request("POST", f"{url}{PATH}/Messages.json", body=body, headers=HEADERS)
        assert (answer.status, time.monotonic() - start >= 0.2) == (201, True)
    assert not is_served(port_of(url))
