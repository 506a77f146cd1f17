"""Lob's events: only what Lob signed in the last five minutes counts, and each event means what the table says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from foundation.settings import Settings
from notifiers import taxonomy
from notifiers.lob_receipts import words
from notifiers.receipts import Unreadable, Unsigned, Word
from policy.vocabulary import Fate
from tests.servers import signing

SECRET, ANOTHER = "secret-of-the-tests", "another-secret"
NOW = datetime(2026, 11, 24, 18, 5, tzinfo=UTC)
MESSAGE = UUID("0199a1c4-7c1e-7bb0-9d43-3f2f6d1c55aa")
# As `events` in Lob's description has it, with what matters of the letter.
EVENT: dict[str, Any] = {
    "id": "evt_d95ff8ffd2b5cfb4",
    "body": {
        "id": "ltr_4868c3b754655f90",
        "to": {"name": "MARIA LOPEZ", "address_line1": "12 MILL STREET"},
        "metadata": {"message_id": str(MESSAGE)},
        "object": "letter",
    },
    "reference_id": "ltr_4868c3b754655f90",
    "event_type": {
        "id": "letter.returned_to_sender",
        "enabled_for_test": True,
        "resource": "letters",
        "object": "event_type",
    },
    "date_created": "2026-11-24T18:04:30.000Z",
    "object": "event",
}
SAID_AT = datetime(2026, 11, 24, 18, 4, 30, tzinfo=UTC)
WORD = Word("lob", EVENT["id"], MESSAGE, EVENT["reference_id"], Fate.UNREACHABLE, "letter.returned_to_sender", SAID_AT)
BODY = json.dumps(EVENT).encode()


def read(body: bytes, headers: dict[str, str], secret: str = SECRET, now: datetime = NOW) -> tuple[Word, ...]:
    settings = Settings(lob_webhook_secret=SecretStr(secret))
    return words(settings, body, headers.get("Lob-Signature"), headers.get("Lob-Signature-Timestamp"), now)


def read_signed(body: bytes) -> tuple[Word, ...]:
    return read(body, signing.lob(SECRET, body, NOW))


def read_event(**changes: Any) -> tuple[Word, ...]:
    return read_signed(json.dumps(EVENT | changes).encode())


def of_kind(kind: str) -> dict[str, Any]:
    return {**EVENT["event_type"], "id": kind}


@pytest.mark.parametrize("unit", [1, 1000])
def test_an_event_becomes_a_word_without_the_address(unit: int) -> None:
    assert read(BODY, signing.lob(SECRET, BODY, NOW, unit=unit)) == (WORD,)


def test_each_byte_of_the_body_counts() -> None:
    headers = signing.lob(SECRET, BODY, NOW)
    for place in range(len(BODY)):
        with pytest.raises(Unsigned):
            read(BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :], headers)


@pytest.mark.parametrize("name", ["Lob-Signature", "Lob-Signature-Timestamp"])
def test_each_character_of_the_headers_counts(name: str) -> None:
    headers = signing.lob(SECRET, BODY, NOW)
    for place, character in enumerate(headers[name]):
        flipped = headers[name][:place] + chr(ord(character) ^ 1) + headers[name][place + 1 :]
        with pytest.raises(Unsigned):
            read(BODY, {**headers, name: flipped})


@pytest.mark.parametrize("name", ["Lob-Signature", "Lob-Signature-Timestamp"])
@pytest.mark.parametrize("instead", [None, "", "ü", " "])
def test_a_missing_or_odd_header_is_refused(name: str, instead: str | None) -> None:
    headers = {**signing.lob(SECRET, BODY, NOW), name: instead or ""}
    if instead is None:
        del headers[name]
    with pytest.raises(Unsigned):
        read(BODY, headers)


def test_another_secret_is_refused() -> None:
    with pytest.raises(Unsigned):
        read(BODY, signing.lob(ANOTHER, BODY, NOW))


def test_without_a_secret_everything_is_refused() -> None:
    with pytest.raises(Unsigned, match="KEYTURN_LOB_WEBHOOK_SECRET is not set"):
        read(BODY, signing.lob("", BODY, NOW), secret="")


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("age", [timedelta(), timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_signature_counts_for_five_minutes(unit: int, age: timedelta) -> None:
    assert read(BODY, signing.lob(SECRET, BODY, NOW - age, unit=unit)) == (WORD,)


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1), timedelta(days=9)])
def test_a_signature_that_is_older_or_far_ahead_is_refused(unit: int, age: timedelta) -> None:
    with pytest.raises(Unsigned, match="five minutes"):
        read(BODY, signing.lob(SECRET, BODY, NOW - age, unit=unit))


@pytest.mark.parametrize("unit", [10, 100, 10**6])
def test_a_time_in_another_unit_is_refused(unit: int) -> None:
    with pytest.raises(Unsigned, match="without a time"):
        read(BODY, signing.lob(SECRET, BODY, NOW, unit=unit))


def test_the_same_request_again_is_the_same_word_and_later_none() -> None:
    headers = signing.lob(SECRET, BODY, NOW)
    assert read(BODY, headers) == read(BODY, headers, now=NOW + timedelta(minutes=4))
    with pytest.raises(Unsigned):
        read(BODY, headers, now=NOW + timedelta(minutes=6))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", 100_000 * b"[", b"9" * 5000])
def test_nothing_is_parsed_before_the_signature_is_right(body: bytes) -> None:
    with pytest.raises(Unsigned):
        read(body, signing.lob(ANOTHER, body, NOW))
    with pytest.raises(Unreadable):
        read_signed(body)


@pytest.mark.parametrize(("kind", "fate"), taxonomy.LOB_EVENTS.items())
def test_an_event_means_what_the_table_says(kind: str, fate: Fate) -> None:
    (word,) = read_event(event_type=of_kind(kind))
    assert (word.fate, word.word) == (fate, kind)


@pytest.mark.parametrize("kind", ["letter.deleted", "letter.viewed", "postcard.delivered", "letter.teleported"])
def test_what_is_not_about_a_letters_delivery_is_no_word(kind: str) -> None:
    assert read_event(event_type=of_kind(kind)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": 201 * "a"},
        {"id": "evt_\0"},
        {"reference_id": ""},
        {"event_type": None},
        {"event_type": "letter.delivered"},
        {"event_type": {}},
        {"event_type": {"id": ["letter.delivered"]}},
    ],
)
def test_an_event_without_its_ids_cannot_be_read(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as odd:
        read_event(**changes)
    assert "MILL" not in str(odd.value)


@pytest.mark.parametrize("letter", [None, "ltr", [], {}, {"metadata": None}, {"metadata": {"message_id": "R-7K2M"}}])
def test_a_letter_that_does_not_bring_our_id_back_is_known_by_lobs(letter: object) -> None:
    (word,) = read_event(body=letter)
    assert (word.message_id, word.provider_id) == (None, EVENT["reference_id"])


@pytest.mark.parametrize(
    "moment",
    [None, 17, "soon", "2026-11-24", "2026-11-24T18:04:30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00-05"],
)
def test_a_time_that_is_none_costs_only_the_time(moment: object) -> None:
    (word,) = read_event(date_created=moment)
    assert word.said_at is None


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "metadata", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(EVENT)), ANY_JSON).map(lambda odd: EVENT | odd) | ANY_JSON)
def test_whatever_event_comes_signed_it_is_a_word_that_fits_or_cannot_be_read(event: Any) -> None:
    try:
        found = read_signed(json.dumps(event).encode())
    except Unreadable:
        return
    for word in found:
        assert word.event_id.isascii()
        assert 0 < len(word.event_id) <= 200
        assert 0 < len(word.provider_id) <= 200
        assert word.word in taxonomy.LOB_EVENTS
