"""How codes, dates, numbers and addresses are written and spoken."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from notifiers import phrases


@pytest.mark.parametrize(("code", "read"), [("48217306", "4821 7306"), ("0012300456", "00123 00456")])
def test_a_code_is_read_in_two_halves(code: str, read: str) -> None:
    assert phrases.groups(code) == read


def test_a_date_is_written_out_in_utc() -> None:
    in_berlin = datetime(2026, 11, 24, 19, 5, tzinfo=timezone(timedelta(hours=1)))

    assert phrases.long_time(in_berlin) == "Tuesday 24 November 2026, 18:05 UTC"
    assert phrases.short_time(in_berlin) == "24 Nov 18:05 UTC"


@given(some.dates(min_value=datetime(1970, 1, 1, tzinfo=UTC).date()))
def test_every_day_has_its_own_name_and_month(day: datetime) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)

    assert phrases.long_time(at) == f"{at:%A} {at.day} {at:%B} {at.year}, 00:00 UTC"


@pytest.mark.parametrize(("seconds", "minutes"), [(600, 10), (599.9, 10), (569, 9), (29, 1), (-5, 1)])
def test_minutes_are_the_nearest_and_at_least_one(seconds: float, minutes: int) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)

    assert phrases.minutes_between(now, now + timedelta(seconds=seconds)) == minutes


def test_a_spoken_code_says_zero_and_pauses_in_the_middle() -> None:
    assert phrases.spoken_code("48017306") == "four, eight, zero, one. seven, three, zero, six"


def test_a_spoken_reference_names_its_letters() -> None:
    assert phrases.spoken_reference("R-7K3M-0QXD") == (
        "R as in Romeo, seven, K as in Kilo, three, M as in Mike, zero, Q as in Quebec, X as in X-ray, D as in Delta"
    )


@given(some.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=1))
def test_every_sign_of_a_reference_can_be_spoken(reference: str) -> None:
    assert len(phrases.spoken_reference(reference).split(", ")) == len(reference)


def test_a_spoken_number_and_a_spoken_address_have_no_signs() -> None:
    assert phrases.spoken_phone("+1 202 555 0100") == (
        "plus one. two, zero, two. five, five, five. zero, one, zero, zero"
    )
    assert phrases.spoken_address("reset.my-host.example/go") == "reset dot my dash host dot example slash go"


def test_an_accent_that_would_cost_a_second_text_message_is_left_off() -> None:
    assert phrases.gsm("Čeština \u2013 l\u2019Hôtel") == "Cestina - l'Hotel"
    assert phrases.gsm("Müller @ £5") == "Müller @ £5"


def test_a_name_in_another_script_is_left_as_it_is() -> None:
    assert phrases.gsm("さくら: Čeština") == "さくら: Čeština"


@given(some.text())
def test_nothing_can_end_a_line(text: str) -> None:
    assert len(phrases.one_line(text).splitlines()) <= 1


@given(some.text("ab \n", max_size=400))
def test_wrapping_keeps_every_word_and_breaks_at_72(text: str) -> None:
    wrapped = phrases.wrapped(text)

    assert wrapped.split() == text.split()
    assert all(len(line) <= 72 or " " not in line.strip() for line in wrapped.splitlines())
