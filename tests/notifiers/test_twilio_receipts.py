"""Twilio's callbacks: only what Twilio signed for our public address counts; statuses mean what the table says."""

from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from foundation.settings import Settings
from notifiers import taxonomy
from notifiers.receipts import Unreadable, Unsigned, Word
from notifiers.twilio_receipts import Form, call_words, message_words, verify
from policy.vocabulary import Fate
from tests.servers import signing

TOKEN, ANOTHER = "token-of-the-tests", "another-token"
URL = "https://reset.hosting.example/webhooks/twilio/messages/0199a1c4-7c1e-7bb0-9d43-3f2f6d1c55aa"
MESSAGE = UUID("0199a1c4-7c1e-7bb0-9d43-3f2f6d1c55aa")
SMS, CALL = "SM" + 32 * "a", "CA" + 32 * "b"
# As Twilio documents it; the numbers and the blank field are part of what is signed.
FIELDS = {
    "AccountSid": "AC" + 32 * "c",
    "ApiVersion": "2010-04-01",
    "From": "+12025550100",
    "MessageSid": SMS,
    "MessageStatus": "delivered",
    "SmsSid": SMS,
    "SmsStatus": "delivered",
    "To": "+12025550142",
    "ToCity": "",
    "Note": "Straße & Söhne+1",
}
SIGNATURE = signing.twilio(TOKEN, URL, FIELDS)["X-Twilio-Signature"]


def form(**fields: str) -> Form:
    return Form.read(urlencode(fields).encode())


def check(url: str = URL, sent: Form | None = None, signature: str | None = SIGNATURE, token: str = TOKEN) -> None:
    verify(Settings(twilio_auth_token=SecretStr(token)), url, form(**FIELDS) if sent is None else sent, signature)


def test_our_signing_is_the_one_of_twilios_documentation() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    headers = signing.twilio("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields)
    assert headers == {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}


def test_what_twilio_signed_is_let_in() -> None:
    check()


def test_a_form_without_fields_is_let_in_if_twilio_signed_its_url() -> None:
    headers = signing.twilio(TOKEN, f"{URL}?step=2", {})
    check(f"{URL}?step=2", Form.read(b""), headers["X-Twilio-Signature"])


@pytest.mark.parametrize("place", range(len(SIGNATURE)))
def test_each_letter_of_the_signature_counts(place: int) -> None:
    with pytest.raises(Unsigned):
        check(signature=SIGNATURE[:place] + chr(ord(SIGNATURE[place]) ^ 1) + SIGNATURE[place + 1 :])


@pytest.mark.parametrize("place", range(len("https://"), len(URL)))
def test_each_letter_of_the_url_counts(place: int) -> None:
    with pytest.raises(Unsigned):
        check(url=URL[:place] + chr(ord(URL[place]) ^ 1) + URL[place + 1 :])


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_counts(name: str) -> None:
    for changed in (
        {**FIELDS, name: FIELDS[name] + "1"},
        {**FIELDS, name: FIELDS[name][1:] + "?"},
        {**FIELDS, f"{name}1": "", name: FIELDS[name]},
    ):
        with pytest.raises(Unsigned):
            check(sent=form(**changed))
    if FIELDS[name]:
        with pytest.raises(Unsigned):
            check(sent=form(**{other: value for other, value in FIELDS.items() if other != name}))


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("messages", "calls"),
        URL.replace("reset.hosting.example", "10.0.0.7:8420"),
        f"{URL}?",
        f"{URL}?a=1",
        f"{URL}/",
    ],
)
def test_a_signature_for_another_url_is_refused(url: str) -> None:
    with pytest.raises(Unsigned):
        check(signature=signing.twilio(TOKEN, url, FIELDS)["X-Twilio-Signature"])


@pytest.mark.parametrize("signature", [None, "", "=", "ü" * 28, SIGNATURE.lower(), f" {SIGNATURE}"])
def test_no_signature_or_nonsense_is_refused(signature: str | None) -> None:
    with pytest.raises(Unsigned):
        check(signature=signature)


def test_another_token_is_refused() -> None:
    with pytest.raises(Unsigned):
        check(token=ANOTHER)


def test_without_a_token_nothing_is_let_in() -> None:
    with pytest.raises(Unsigned):
        check(token="", signature=signing.twilio("", URL, FIELDS)["X-Twilio-Signature"])


def test_a_refusal_names_no_number() -> None:
    with pytest.raises(Unsigned) as refused:
        check(token=ANOTHER)
    assert not [value for value in FIELDS.values() if value and value in str(refused.value)]


def test_a_form_with_more_fields_than_any_of_twilios_is_refused_before_it_costs_time() -> None:
    with pytest.raises(Unsigned):
        Form.read(b"&".join(b"a%d=" % number for number in range(1001)))


@given(st.binary(max_size=300), st.text(max_size=40))
def test_whatever_comes_it_is_refused_and_nothing_breaks(body: bytes, signature: str) -> None:
    with pytest.raises(Unsigned):
        check(sent=Form.read(body), signature=signature)


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_whatever_twilio_signs_is_let_in(fields: dict[str, str]) -> None:
    readable = {name: value for name, value in fields.items() if (name + value).isprintable()}
    check(sent=form(**readable), signature=signing.twilio(TOKEN, URL, readable)["X-Twilio-Signature"])


@pytest.mark.parametrize(("status", "fate"), taxonomy.TWILIO_MESSAGE_STATUSES.items())
def test_a_status_of_an_sms_means_what_the_table_says(status: str, fate: Fate) -> None:
    words = message_words(form(MessageSid=SMS, MessageStatus=status), MESSAGE)
    assert words == (Word("twilio", f"{SMS}:{status}", MESSAGE, SMS, fate, status, None),)


@pytest.mark.parametrize("status", ["failed", "undelivered"])
@pytest.mark.parametrize(
    ("code", "fate"),
    [
        *taxonomy.TWILIO_MESSAGE_ERRORS.items(),
        (30004, Fate.UNREACHABLE),
        (30005, Fate.UNREACHABLE),
        (30006, Fate.UNREACHABLE),
        (99999, Fate.UNREACHABLE),
    ],
)
def test_the_error_of_a_failed_sms_counts_and_is_told(status: str, code: int, fate: Fate) -> None:
    (word,) = message_words(form(MessageSid=SMS, MessageStatus=status, ErrorCode=str(code)), MESSAGE)
    assert (word.fate, word.word) == (fate, f"{status} {code}")


@pytest.mark.parametrize("code", ["", "no number", "٣٠٠٠٣", "-1", "1" * 10])
def test_an_error_that_is_no_number_is_left_out(code: str) -> None:
    (word,) = message_words(form(MessageSid=SMS, MessageStatus="failed", ErrorCode=code), MESSAGE)
    assert (word.fate, word.word) == (Fate.UNREACHABLE, "failed")


def test_an_error_beside_a_good_status_changes_nothing() -> None:
    (word,) = message_words(form(MessageSid=SMS, MessageStatus="delivered", ErrorCode="30003"), MESSAGE)
    assert (word.fate, word.word) == (Fate.DELIVERED, "delivered")


@pytest.mark.parametrize(("status", "fate"), taxonomy.TWILIO_CALL_STATUSES.items())
def test_a_status_of_a_call_means_what_the_table_says(status: str, fate: Fate) -> None:
    fields = {"SequenceNumber": "2", "Timestamp": "Tue, 24 Nov 2026 20:05:00 +0200"}
    words = call_words(form(CallSid=CALL, CallStatus=status, **fields), MESSAGE)
    at = datetime(2026, 11, 24, 18, 5, tzinfo=UTC)
    assert words == (Word("twilio", f"{CALL}:{status}:2", MESSAGE, CALL, fate, status, at),)


@pytest.mark.parametrize("odd", ["", "soon", "-1", "9" * 10, "٣"])
def test_a_call_without_a_readable_order_or_time_still_counts(odd: str) -> None:
    (word,) = call_words(form(CallSid=CALL, CallStatus="busy", SequenceNumber=odd, Timestamp=odd), MESSAGE)
    assert (word.event_id, word.said_at) == (f"{CALL}:busy:0", None)


def test_a_status_that_nobody_knows_is_no_word() -> None:
    assert message_words(form(MessageSid=SMS, MessageStatus="teleported"), MESSAGE) == ()
    assert call_words(form(CallSid=CALL, CallStatus="teleported"), MESSAGE) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MessageSid": SMS},
        {"MessageStatus": "sent"},
        {"MessageSid": "", "MessageStatus": "sent"},
        {"MessageSid": "S\0M", "MessageStatus": "sent"},
        {"MessageSid": 201 * "S", "MessageStatus": "sent"},
        {"MessageSid": "Sé", "MessageStatus": "sent"},
    ],
)
def test_a_form_without_id_or_status_cannot_be_read(fields: dict[str, str]) -> None:
    sent = form(**fields)
    calls = form(**{name.replace("Message", "Call"): value for name, value in fields.items()})
    with pytest.raises(Unreadable):
        message_words(sent, MESSAGE)
    with pytest.raises(Unreadable):
        call_words(calls, MESSAGE)


@given(st.fixed_dictionaries({"CallSid": st.just(CALL), "CallStatus": st.just("busy"), "Timestamp": st.text()}))
def test_no_time_breaks_a_call(fields: dict[str, str]) -> None:
    assert call_words(Form({name: [value] for name, value in fields.items()}), MESSAGE)
