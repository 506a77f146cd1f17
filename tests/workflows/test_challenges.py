"""Issued codes: derived from a sealed secret as RFC 4226 says, always of the length they were issued with."""

import base64
import re

import pyotp
import pytest
from sqlalchemy import select

from foundation.keyring import CannotOpen, WrongPlace, from_keys, new_key
from models.cases import Actor, Challenge
from tests.installations import START, email_account, letter_account, rows, sms_account
from workflows.cases import locked
from workflows.challenges import Secret, current, unseal
from workflows.installation import Installation
from workflows.opening import open_case

RFC_SECRET = b"12345678901234567890"
# RFC 4226, appendix D: the 31-bit number for each count, and its last six digits.
RFC_NUMBERS = (
    *(1284755224, 1094287082, 137359152, 1726969429, 1640338314),
    *(868254676, 1918287922, 82162583, 673399871, 645520489),
)
SECRETS = [number.to_bytes(20, "big") for number in range(400)]


@pytest.mark.parametrize(("count", "number"), list(enumerate(RFC_NUMBERS)))
def test_pyotp_gives_the_values_of_rfc_4226(count: int, number: int) -> None:
    secret = base64.b32encode(RFC_SECRET).decode()
    assert pyotp.HOTP(secret, digits=6).at(count) == f"{number:010}"[-6:]
    assert pyotp.HOTP(secret, digits=10).at(count) == f"{number:010}"


@pytest.mark.parametrize(("digits", "code"), [(6, "755224"), (8, "84755224"), (10, "1284755224")])
def test_a_code_is_the_first_value_of_its_secret(digits: int, code: str) -> None:
    assert Secret(RFC_SECRET, digits).code() == code


@pytest.mark.parametrize("digits", [6, 8, 10])
def test_a_code_always_has_all_its_digits_zeros_in_front_too(digits: int) -> None:
    codes = [Secret(secret, digits).code() for secret in SECRETS]
    assert all(re.fullmatch(rf"[0-9]{{{digits}}}", code) for code in codes)
    assert any(code.startswith("0") for code in codes)
    assert len(set(codes)) > len(codes) - 5


def test_only_the_whole_code_is_right() -> None:
    secret = next(made for each in SECRETS if (made := Secret(each, 8)).code().startswith("0"))
    code = secret.code()
    assert secret.is_code(code)
    assert not any(secret.is_code(typed) for typed in ("", code[1:], code + "0", " " + code, "\u0660" + code[1:]))


def test_a_token_has_128_bits_in_letters_that_a_link_can_hold() -> None:
    tokens = {Secret(secret, 8).token() for secret in SECRETS}
    assert len(tokens) == len(SECRETS)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", token) for token in tokens)
    assert {len(base64.urlsafe_b64decode(token + "==")) for token in tokens} == {16}


def test_only_the_whole_token_is_right() -> None:
    secret, other = Secret(SECRETS[0], 8), Secret(SECRETS[1], 8)
    token = secret.token()
    assert secret.is_token(token)
    assert not any(secret.is_token(shown) for shown in ("", token[:-1], token + "=", other.token(), secret.code()))


def test_neither_code_nor_token_tells_the_other_nor_depends_on_the_length() -> None:
    assert Secret(RFC_SECRET, 8).token() == Secret(RFC_SECRET, 10).token()
    assert Secret(RFC_SECRET, 8).code() not in Secret(RFC_SECRET, 8).token()


def test_a_secret_is_not_printed() -> None:
    secret = Secret(RFC_SECRET, 8)
    assert RFC_SECRET.decode() not in repr(secret)


def test_a_secret_is_random_has_160_bits_and_is_stored_sealed_to_its_row(installation: Installation) -> None:
    for ref in ("JONAS", "HANNA"):
        open_case(installation, email_account(installation, ref), actor=Actor.AGENT, now=START)
    first, second = rows(installation, select(Challenge.__table__))
    ring = installation.keyring
    opened = [ring.open(each.sealed_secret, purpose="challenge", row=each.id) for each in (first, second)]
    assert {len(secret) for secret in opened} == {20}
    assert opened[0] != opened[1]
    with pytest.raises(WrongPlace):
        unseal(ring, second.id, first.sealed_secret, 8)
    with pytest.raises(CannotOpen):
        unseal(from_keys([new_key()]), first.id, first.sealed_secret, 8)


def test_a_challenge_has_the_digits_of_its_channel(installation: Installation) -> None:
    refs = {email_account(installation): 8, sms_account(installation): 8, letter_account(installation): 10}
    for ref, digits in refs.items():
        opened = open_case(installation, ref, actor=Actor.AGENT, now=START)
        with installation.database.begin() as connection, locked(installation, connection, opened.case_id) as case:
            issued = current(case)
        assert issued is not None
        assert (len(issued.secret.code()), issued.tries, issued.expires_at) == (digits, 0, None)
