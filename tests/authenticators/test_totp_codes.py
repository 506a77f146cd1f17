"""Codes against the RFCs' own vectors and against pyotp; which typed code counts, and how far off another is."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authenticators.totp import (
    App,
    code_at,
    hotp,
    in_base32,
    matching_step,
    new_app,
    skew_of,
    step_at,
)
from models.factors import Algorithm
from tests.installations import SECOND, START, wrong

PERIOD = 30 * SECOND

# RFC 4226, appendix D.
COUNTED = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")

# RFC 6238, appendix B, with the keys of its erratum 2866: as long as the hash's output.
KEYS = {
    Algorithm.SHA1: b"12345678901234567890",
    Algorithm.SHA256: b"12345678901234567890123456789012",
    Algorithm.SHA512: b"1234567890123456789012345678901234567890123456789012345678901234",
}
TIMED = {
    59: ("94287082", "46119246", "90693936"),
    1111111109: ("07081804", "68084774", "25091201"),
    1111111111: ("14050471", "67062674", "99943326"),
    1234567890: ("89005924", "91819424", "93441116"),
    2000000000: ("69279037", "90698825", "38618901"),
    20000000000: ("65353130", "77737706", "47863826"),
}
VECTORS = [
    (seconds, algorithm, code)
    for seconds, codes in TIMED.items()
    for algorithm, code in zip(Algorithm, codes, strict=True)
]

STRONG, WEAK = App("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), App("JBSWY3DPEHPK3PXP")
APPS = [
    STRONG,
    WEAK,
    App(in_base32(KEYS[Algorithm.SHA512]), Algorithm.SHA512, 8, 60),
    App(STRONG.secret, Algorithm.SHA256, 6, 15),
    App(STRONG.secret, Algorithm.SHA1, 8, 120),
]

keys = st.binary(min_size=10, max_size=80)
counters = st.integers(0, 2**40)


@pytest.mark.parametrize(("counter", "code"), list(enumerate(COUNTED)))
def test_counted_codes_are_those_of_rfc_4226(counter: int, code: str) -> None:
    assert hotp(KEYS[Algorithm.SHA1], counter, 6, Algorithm.SHA1) == code


@pytest.mark.parametrize(("seconds", "algorithm", "code"), VECTORS)
def test_timed_codes_are_those_of_rfc_6238(seconds: int, algorithm: Algorithm, code: str) -> None:
    app = App(in_base32(KEYS[algorithm]), algorithm, digits=8)
    step = step_at(app, datetime.fromtimestamp(seconds, UTC))
    assert code_at(app, step) == hotp(KEYS[algorithm], step, 8, algorithm) == code


@given(st.binary(min_size=14, max_size=80), counters, st.sampled_from((6, 8)), st.sampled_from(Algorithm))
def test_codes_of_our_own_are_those_of_pyotp(key: bytes, counter: int, digits: int, algorithm: Algorithm) -> None:
    theirs = pyotp.HOTP(in_base32(key), digits=digits, digest=getattr(hashlib, algorithm.value))
    assert hotp(key, counter, digits, algorithm) == theirs.at(counter)
    assert code_at(App(in_base32(key), algorithm, digits), counter) == theirs.at(counter)


@given(keys)
def test_a_secret_is_weak_below_112_bits_which_is_where_pyotp_refuses_it(key: bytes) -> None:
    app = App(in_base32(key))
    assert (app.key, app.bits, app.is_weak) == (key, len(key) * 8, len(key) < 14)
    if app.is_weak:
        with pytest.raises(ValueError, match="112 bits"):
            pyotp.TOTP(app.secret)
    assert len(code_at(app, 1)) == 6


@pytest.mark.parametrize(("algorithm", "bits"), list(zip(Algorithm, (160, 256, 512), strict=True)))
def test_a_new_secret_is_as_long_as_the_hash_and_no_other_like_it(algorithm: Algorithm, bits: int) -> None:
    app, other = new_app(algorithm, digits=8), new_app(algorithm, digits=8)
    assert (app.algorithm, app.digits, app.period, app.bits) == (algorithm, 8, 30, bits)
    assert "=" not in app.secret
    assert app.secret != other.secret
    assert app.secret not in repr(app)


@pytest.mark.parametrize("app", APPS)
def test_a_code_counts_in_its_time_step_and_one_away_from_it(app: App) -> None:
    step = step_at(app, START)
    period = timedelta(seconds=app.period)
    counted = [matching_step(app, code_at(app, step), START + away * period, None) for away in range(-3, 4)]
    assert counted == [None, None, step, step, step, None, None]


def test_a_time_step_begins_on_the_second() -> None:
    begins = datetime.fromtimestamp(30 * 59_000_000, UTC)
    assert step_at(STRONG, begins) == 59_000_000
    assert step_at(STRONG, begins - timedelta(microseconds=1)) == 59_000_000 - 1
    assert step_at(STRONG, begins + PERIOD - timedelta(microseconds=1)) == 59_000_000


def test_a_step_counts_only_if_later_than_the_last_one_accepted() -> None:
    step = step_at(STRONG, START)
    code = code_at(STRONG, step)
    counted = [matching_step(STRONG, code, START, after) for after in (None, step - 1, step, step + 1)]
    assert counted == [step, step, None, None]


def test_a_code_that_two_steps_have_in_common_uses_up_both() -> None:
    here = 473597
    assert code_at(STRONG, here) == code_at(STRONG, here + 1)
    now = datetime.fromtimestamp(here * 30, UTC)
    assert matching_step(STRONG, code_at(STRONG, here), now, None) == here + 1


@pytest.mark.parametrize("app", APPS)
def test_what_is_no_code_never_counts(app: App) -> None:
    code = code_at(app, step_at(app, START))
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    others = ("", code[:-1], code + "0", f" {code[1:]}", f"{code} ", arabic, "x" * app.digits, "²" * app.digits)
    for typed in (*others, wrong(code), f"-{code[1:]}", f"{code[0]}_{code[2:]}"):
        assert matching_step(app, typed, START, None) is None
        assert skew_of(app, typed, START) is None


@given(st.integers(-25, 25))
def test_a_clock_that_is_off_by_up_to_ten_minutes_is_told_from_a_wrong_code(away: int) -> None:
    code = code_at(STRONG, step_at(STRONG, START) + away)
    expected = away * PERIOD if 1 < abs(away) <= 20 else None
    assert skew_of(STRONG, code, START) == expected


@pytest.mark.parametrize(("period", "farthest"), [(15, 600), (30, 600), (45, 585), (120, 600)])
def test_the_skew_reaches_ten_minutes_whatever_the_period(period: int, farthest: int) -> None:
    app = App(STRONG.secret, period=period)
    for ahead in (1, -1):
        codes = [code_at(app, step_at(app, START) + ahead * away) for away in range(60)]
        found = [skew_of(app, code, START) for code in codes]
        assert max(abs(each) for each in found if each) == timedelta(seconds=farthest)
        assert [each for each in found[:2] if each] == []


@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(-2, 2)), max_size=30))
def test_no_sequence_of_accepted_steps_holds_a_step_twice_or_goes_back(tries: Sequence[tuple[int, int]]) -> None:
    now, accepted = START, list[int]()
    for seconds, away in tries:
        now += seconds * SECOND
        code = code_at(STRONG, step_at(STRONG, now) + away)
        step = matching_step(STRONG, code, now, accepted[-1] if accepted else None)
        if step is not None:
            assert code_at(STRONG, step) == code
            accepted.append(step)
    assert accepted == sorted(set(accepted))


@given(keys, keys, st.sampled_from(Algorithm))
def test_the_code_of_another_secret_does_not_count(key: bytes, other: bytes, algorithm: Algorithm) -> None:
    mine, theirs = (App(in_base32(each), algorithm, digits=8) for each in (key, other))
    assume(key.rstrip(b"\0") != other.rstrip(b"\0"))  # HMAC fills a key up with zeros
    typed = code_at(theirs, step_at(theirs, START))
    assert matching_step(mine, typed, START, None) is None
