"""The net below every log record: what must not be read disappears, and what is needed to find a fault stays."""

import hashlib
import string
from datetime import datetime, timedelta, timezone
from uuid import UUID

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from foundation.addresses import normalise_address
from foundation.redaction import codes_in, mask_email, mask_phone, mask_postal, redact

HIDDEN = "•••"
ATEXT = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"
BEFORE = [
    "",
    " ",
    "to ",
    "to: ",
    "=",
    "(",
    "[",
    "<",
    '"',
    "'",
    "{'to': '",
    '{"to":"',
    "code=",
    "?code=",
    "\n",
    "…",
    ",",
]
AFTER = ["", " ", ".", ". ", ",", ";", ":", ")", "]", ">", '"', "'", "'}", '"}', "&next=1", "\n", "…", "!", " - "]

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
domains = st.lists(labels, min_size=2, max_size=4).map(".".join)
locals_ = st.lists(st.text(ATEXT, min_size=1, max_size=12), min_size=1, max_size=3).map(".".join)
addresses = st.builds("{}@{}".format, locals_, domains)
digits = st.text(string.digits, min_size=5, max_size=5)
before, after = st.sampled_from(BEFORE), st.sampled_from(AFTER)


def example_numbers() -> list[str]:
    examples = (phonenumbers.example_number_for_type(region, 1) for region in phonenumbers.SUPPORTED_REGIONS)
    return sorted(phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164) for each in examples if each)


# --- What disappears


@given(before, addresses, after)
def test_an_address_disappears_whole_from_any_text(before: str, address: str, after: str) -> None:
    assume(normalise_address(address))
    start, hidden, end = redact(f"{before}{address}{after}").partition(HIDDEN)
    assert hidden
    assert before.startswith(start)
    assert after.endswith(end)


@given(before, digits, digits, st.sampled_from(["", " ", "-", "+", "%20"]), st.sampled_from([4, 5]), after)
def test_a_code_disappears_from_any_text_and_nothing_else(
    before: str, first: str, second: str, between: str, half: int, after: str
) -> None:
    code = f"{first[:half]}{between}{second[:half]}"
    assert redact(f"{before}{code}{after}") == f"{before}{HIDDEN}{after}"


@given(before, st.sampled_from(example_numbers()), after)
def test_a_phone_number_of_any_country_disappears_from_any_text(before: str, number: str, after: str) -> None:
    assert redact(f"{before}{number}{after}") == f"{before}{HIDDEN}{after}"


@pytest.mark.parametrize(
    "secret",
    [
        "dana@whitfield-pottery.example",
        "Dana.W+support@mail.whitfield.example",
        "o'neil@mail.example",
        "jo@müller.example",
        "dana%40whitfield-pottery.example",
        "+1 (202) 555-0142",
        "+1-202-555-0142",
        "+1.202.555.0142",
        "+49 30 123456",
        "%2B12025550142",
        "48217306",
        "4821 7306",
        "4821-7306",
        "48217 30659",
        "48217-30659",
        "4821730659",
    ],
)
@pytest.mark.parametrize("text", ["{}", "sent {} at once", "Error('{}')", '{{"to": "{}", "id": 7}}', "To={}&From=x"])
def test_secrets_disappear(secret: str, text: str) -> None:
    assert secret not in redact(text.format(secret))
    assert not any(part in redact(text.format(secret)) for part in ("dana", "neil", "müller", "example", "4821", "142"))


@pytest.mark.parametrize("start", ["/settings/enter/", "/support/enter/", "/reset/R-7K3M-9QXD/enrol/"])
def test_the_token_of_a_link_without_a_case_disappears(start: str) -> None:
    token = "uJ8mX0b-_4tq0vXjZ3Y5k1oH2Wc9s7R6"
    assert redact(f"GET https://reset.example.com{start}{token} 200") == (
        f"GET https://reset.example.com{start}{HIDDEN} 200"
    )


@pytest.mark.parametrize("page", ["confirm", "stop"])
@pytest.mark.parametrize("reference", ["R-7K3M-9QXD", "r-7k3m-9qxd", "R7K3M9QXD"])
def test_the_token_of_a_link_disappears_and_its_case_stays(page: str, reference: str) -> None:
    start = f"https://reset.example.com/{page}/{reference}/"
    for token in ("Zm9vYmFyYmF6cXV4cXV1eA", "_-9vYmFyYmF6cXV4cXV1e-", hashlib.sha256(b"stop").hexdigest()):
        assert redact(f"GET {start}{token} 200") == f"GET {start}{HIDDEN} 200"
        assert redact(f"<{start}{token}?x=1>") == f"<{start}{HIDDEN}?x=1>"


def test_every_secret_in_a_text_disappears() -> None:
    text = "dana@x.example, jo@y.example: 48217306 and 4821730659 to +12025550142 or +12025550143"
    assert redact(text) == f"{HIDDEN}, {HIDDEN}: {HIDDEN} and {HIDDEN} to {HIDDEN} or {HIDDEN}"


def test_the_password_in_the_url_of_a_server_disappears() -> None:
    assert "sesame" not in redact("cannot reach amqp://keyturn:sesame@broker.example:5672/")


# --- What stays


@given(st.uuids())
def test_an_id_stays(made: UUID) -> None:
    for text in (f"case {made} opened", f"message={made}", f"'{made}'", f"{made}", made.hex):
        assert redact(text) == text


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_time_stays(moment: datetime, offset: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    for shown in (
        zoned.isoformat(),
        str(zoned),
        f"{moment}",
        f"{moment:%Y-%m-%d %H:%M:%S,123}",
        f"{zoned:%d %b %Y %X %z}",
    ):
        assert redact(f"due {shown} or later") == f"due {shown} or later"


@given(st.binary(max_size=8))
def test_a_hash_stays(content: bytes) -> None:
    for algorithm in ("sha1", "sha256", "sha512"):
        text = f"head {hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"
        assert redact(text) == text


@given(st.integers(1, 65535), st.integers(100, 599))
def test_a_port_and_a_status_stay(port: int, status: int) -> None:
    text = f'127.0.0.1:{port} "POST /v3/mail/send HTTP/1.1" {status} [::1]:{port} port {port}, db.example:{port}'
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "R-1234-5678 is open",
        "R-7K3M-9QXD is open",
        "took 0.12345678 s",
        "a1b2c3d4 1234567 123456789 12345678901",
        "24/Nov/2026:03:44:00 +0000 200 1234",
        "2026-11-24T03:44:00+0000 INFO worker: started",
        "keyturn 0.1.0, Python 3.11.7, PostgreSQL 18.6",
        "user root@localhost",
        "/confirm/R-7K3M-9QXD and /stop",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("word", ["a", "a.", "a@", "a.@", "a%40", "+1", "1234 ", "/stop/"])
def test_a_long_text_is_gone_through_once(word: str) -> None:
    # In quadratic time, this would not end while anybody waits.
    assert redact(word * 600_000)


# --- Masks


@given(addresses)
def test_a_masked_address_shows_two_letters_and_the_end_of_its_domain(address: str) -> None:
    local, domain = address.rsplit("@", 1)
    name, end = domain.rsplit(".", 1)
    assert mask_email(address) == f"{local[0]}{HIDDEN}@{name[0]}{HIDDEN}.{end}"


def test_a_masked_number_shows_its_last_two_digits() -> None:
    assert mask_phone("+12025550142") == "••• ••• ••42"


def test_a_masked_postal_address_shows_the_town() -> None:
    assert mask_postal("Millbrook", "VT") == f"{HIDDEN} in Millbrook, VT"


def test_the_codes_in_a_text_are_found_as_they_are_hidden() -> None:
    text = "The code is 4821 7306, or 12345 67890 from the letter; my number is 2026-11-24 and 123456789."
    assert codes_in(text) == ("4821 7306", "12345 67890")
