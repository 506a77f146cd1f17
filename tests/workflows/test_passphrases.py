"""Passphrases: the same in whatever form a keyboard gives it, hashed slowly, and anything else is wrong."""

import unicodedata
from typing import Literal

import pytest

from workflows.passphrases import hash_passphrase, passphrase_matches

PASSPHRASE = "Grüne ﬁsche, ｌａｍｐ ½"


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_passphrase(PASSPHRASE)


def test_it_is_hashed_with_the_parameters_that_owasp_gives(hashed: str) -> None:
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_each_hash_has_a_salt_of_its_own(hashed: str) -> None:
    assert hash_passphrase(PASSPHRASE) != hashed


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_form_of_its_letters_is_right(hashed: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    assert passphrase_matches(unicodedata.normalize(form, PASSPHRASE), hashed)


@pytest.mark.parametrize("blank", [" ", "\n", "\u00a0", "\u3000"], ids=ascii)
def test_blanks_around_it_do_not_matter(hashed: str, blank: str) -> None:
    assert passphrase_matches(f"{blank}{PASSPHRASE}{blank}", hashed)


@pytest.mark.parametrize(
    "typed", ["", PASSPHRASE.lower(), PASSPHRASE.replace(" ", ""), PASSPHRASE + "!", "\0", "\udcff"], ids=ascii
)
def test_anything_else_is_wrong(hashed: str, typed: str) -> None:
    assert not passphrase_matches(typed, hashed)
