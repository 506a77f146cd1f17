"""SendGrid's events: only bytes that SendGrid signed are read, and one bad event never costs the good ones."""

import base64
import json
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from foundation.settings import Settings
from notifiers import taxonomy
from notifiers.receipts import Unreadable, Unsigned, Word
from notifiers.sendgrid_receipts import words
from policy.vocabulary import Fate
from tests.servers.signing import SendGridKey

KEY, OTHER_KEY = SendGridKey(), SendGridKey()
NOW = datetime(2026, 11, 24, 18, 5, tzinfo=UTC)
MESSAGE = UUID("0199a1c4-7c1e-7bb0-9d43-3f2f6d1c55aa")
ADDRESS = "maria@customer.example"
# As SendGrid documents it; custom args stand among the other keys.
EVENT: dict[str, Any] = {
    "email": ADDRESS,
    "timestamp": 1795543500,
    "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
    "event": "bounce",
    "type": "bounce",
    "category": ["cat facts"],
    "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    "reason": f"550 5.1.1 <{ADDRESS}>: no such user",
    "status": "5.1.1",
    "message_id": str(MESSAGE),
}
WORD = Word("sendgrid", EVENT["sg_event_id"], MESSAGE, "14c5d75ce93", Fate.UNREACHABLE, "bounce", NOW)
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"

# The example in the tests of SendGrid's own library.
THEIR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw"
    "+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
THEIR_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
THEIR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def read(body: bytes, headers: dict[str, str], key: str = KEY.setting) -> tuple[Word, ...]:
    return words(Settings(sendgrid_webhook_key=key), body, headers.get(SIGNATURE), headers.get(TIMESTAMP))


def read_signed(body: bytes) -> tuple[Word, ...]:
    return read(body, KEY.headers(body, NOW))


def read_events(*events: Any) -> tuple[Word, ...]:
    return read_signed(json.dumps(events).encode())


def test_the_vendors_own_example_is_read() -> None:
    (word,) = read(THEIR_BODY, {SIGNATURE: THEIR_SIGNATURE, TIMESTAMP: "1600112502"}, THEIR_KEY)
    assert (word.provider_id, word.word, word.message_id) == ("LRzXl_NHStOGhQ4kofSm_A", "dropped", None)


def test_an_event_becomes_a_word_without_the_address() -> None:
    assert read_events(EVENT) == (WORD,)
    assert "maria" not in str(WORD)


def test_each_byte_of_the_body_counts() -> None:
    body = json.dumps([EVENT]).encode()
    headers = KEY.headers(body, NOW)
    for place in range(len(body)):
        with pytest.raises(Unsigned):
            read(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], headers)
        with pytest.raises(Unsigned):
            read(body[:place] + body[place + 1 :], headers)


def test_each_byte_of_signature_and_timestamp_counts() -> None:
    body = json.dumps([EVENT]).encode()
    headers = KEY.headers(body, NOW)
    signature, timestamp = base64.b64decode(headers[SIGNATURE]), headers[TIMESTAMP]
    for place in range(len(signature)):
        flipped = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        with pytest.raises(Unsigned):
            read(body, {**headers, SIGNATURE: base64.b64encode(flipped).decode()})
    for place in range(len(timestamp)):
        flipped_time = timestamp[:place] + chr(ord(timestamp[place]) ^ 1) + timestamp[place + 1 :]
        with pytest.raises(Unsigned):
            read(body, {**headers, TIMESTAMP: flipped_time})


@pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
@pytest.mark.parametrize("instead", [None, "", "no base64!", "ü", "AAAA", " "])
def test_a_missing_or_odd_header_is_refused(missing: str, instead: str | None) -> None:
    headers = {**KEY.headers(b"[]", NOW), missing: instead or ""}
    if instead is None:
        del headers[missing]
    with pytest.raises(Unsigned):
        read(b"[]", headers)


def test_a_signature_with_something_around_it_is_refused() -> None:
    headers = KEY.headers(b"[]", NOW)
    for odd in (f"!{headers[SIGNATURE]}", f"{headers[SIGNATURE]}!"):
        with pytest.raises(Unsigned):
            read(b"[]", {**headers, SIGNATURE: odd})


def test_another_key_is_refused() -> None:
    with pytest.raises(Unsigned):
        read(b"[]", OTHER_KEY.headers(b"[]", NOW))


def _rsa_key() -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


UNUSABLE = {
    "none": "",
    "no key": "no key",
    "no base 64": "ü",
    "cut off": KEY.setting[:60],
    "too short": base64.b64encode(b"0").decode(),
    "of RSA": _rsa_key(),
}


@pytest.mark.parametrize("key", UNUSABLE.values(), ids=UNUSABLE)
def test_without_a_usable_key_everything_is_refused_and_the_setting_named(key: str) -> None:
    with pytest.raises(Unsigned, match="KEYTURN_SENDGRID_WEBHOOK_KEY is no"):
        read(b"[]", KEY.headers(b"[]", NOW), key)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", 100_000 * b"[", b'{"a": ' * 100_000, b"9" * 5000])
def test_nothing_is_parsed_before_the_signature_is_right(body: bytes) -> None:
    with pytest.raises(Unsigned):
        read(body, OTHER_KEY.headers(body, NOW))
    with pytest.raises(Unreadable):
        read_signed(body)


@pytest.mark.parametrize("body", [b"{}", b"null", b'"text"', b"1"])
def test_json_that_is_no_list_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_signed(body)


def test_a_servers_answer_in_latin_1_costs_nothing() -> None:
    body = json.dumps([EVENT]).encode().replace(b"no such user", "Empfänger unbekannt".encode("latin-1"))
    assert b"\xe4" in body
    assert read_signed(body) == (WORD,)


def test_the_same_bytes_again_are_the_same_word() -> None:
    body = json.dumps([EVENT]).encode()
    headers = KEY.headers(body, NOW)
    assert read(body, headers) == read(body, headers)


@pytest.mark.parametrize(("kind", "fate"), taxonomy.SENDGRID_EVENTS.items())
def test_an_event_means_what_the_table_says(kind: str, fate: Fate) -> None:
    (word,) = read_events({**EVENT, "event": kind})
    assert (word.fate, word.word) == (fate, kind)


def test_a_bounce_that_is_a_block_may_still_get_through() -> None:
    (word,) = read_events({**EVENT, "type": "blocked"})
    assert (word.fate, word.word) == (Fate.UNDER_WAY, "blocked")


@pytest.mark.parametrize(
    ("reason", "fate"),
    [
        ("Invalid SMTPAPI header", Fate.OURS),
        ("Spam Content (if Spam Checker app is enabled)", Fate.OURS),
        ("Recipient List over Package Quota", Fate.OURS),
        ("Bounced Address", Fate.UNREACHABLE),
        ("Unsubscribed Address", Fate.UNREACHABLE),
        ("Spam Reporting Address", Fate.UNREACHABLE),
        ("Invalid", Fate.UNREACHABLE),
        (None, Fate.UNREACHABLE),
        (["Spam Content"], Fate.UNREACHABLE),
    ],
)
def test_a_dropped_mail_blames_the_recipient_only_where_it_is_theirs(reason: object, fate: Fate) -> None:
    (word,) = read_events({**EVENT, "event": "dropped", "reason": reason})
    assert (word.fate, word.word) == (fate, "dropped")


@pytest.mark.parametrize("kind", ["open", "click", "spamreport", "unsubscribe", "group_resubscribe", "account_status"])
def test_what_is_not_about_delivery_is_left_out_in_silence(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert read_events({"event": kind}, EVENT) == (WORD,)
    assert not caplog.records


BAD_EVENTS: dict[str, Any] = {
    "no object": 17,
    "null": None,
    "a list": [[]],
    "no event": {name: value for name, value in EVENT.items() if name != "event"},
    "an event that is no text": {**EVENT, "event": ["bounce"]},
    "no id": {**EVENT, "sg_event_id": None},
    "an empty id": {**EVENT, "sg_event_id": ""},
    "an id that is too long": {**EVENT, "sg_event_id": 201 * "a"},
    "half a character": {**EVENT, "sg_event_id": "\ud800"},
    "a null byte": {**EVENT, "sg_event_id": "a\0"},
    "no message": {**EVENT, "sg_message_id": 17},
}


@pytest.mark.parametrize("bad", BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_one_bad_event_does_not_cost_the_good_ones(bad: object, caplog: pytest.LogCaptureFixture) -> None:
    second = {**EVENT, "sg_event_id": "another"}
    assert [word.event_id for word in read_events(EVENT, bad, second)] == [EVENT["sg_event_id"], "another"]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "1 of 3 events in a request of SendGrid's cannot be read")
    ]


@pytest.mark.parametrize("odd", [None, 17, "", "R-7K2M-9QXW", [], {"a": 1}])
def test_a_message_id_that_is_not_ours_is_none(odd: object) -> None:
    (word,) = read_events({**EVENT, "message_id": odd})
    assert word.message_id is None


@pytest.mark.parametrize("odd", [None, "soon", float("nan"), float("inf"), 1e300, -1e15, 10**40, []])
def test_a_time_that_is_none_costs_only_the_time(odd: object) -> None:
    (word,) = read_events({**EVENT, "timestamp": odd})
    assert word.said_at is None


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(sorted(EVENT)), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(EVENT)), ANY_JSON).map(lambda odd: EVENT | odd) | ANY_JSON))
def test_whatever_events_come_signed_their_words_fit_the_table(events: list[Any]) -> None:
    for word in read_events(*events):
        assert word.event_id.isascii()
        assert 0 < len(word.event_id) <= 200
        assert len(word.provider_id) <= 200
        assert word.word in taxonomy.SENDGRID_EVENTS
        assert word.said_at is None or word.said_at.tzinfo is UTC


@given(st.binary())
def test_whatever_bytes_come_signed_they_are_read_or_cannot_be(body: bytes) -> None:
    try:
        read_signed(body)
    except Unreadable:
        return
    assert isinstance(json.loads(body.decode(errors="replace")), list)


def test_our_key_is_on_the_curve_that_sendgrid_uses() -> None:
    assert isinstance(KEY.private.curve, ec.SECP256R1)
