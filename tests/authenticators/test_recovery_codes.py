"""Recovery codes: each counts once, however it is typed, and another takes its place; none outlives its set."""

import re
from typing import Any
from uuid import UUID, uuid4

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from authenticators import recovery_codes
from authenticators.recovery_codes import Used, looks_like_one
from authenticators.revoking import revoke_all
from authenticators.suspending import restore_suspended, suspend
from foundation.hashing import hash_slowly
from models.accounts import Account
from models.factors import Authenticator, RecoveryCode
from tests.installations import MINUTE, SECOND, START, email_account, rows, start_case
from tests.workflows.racing import at_once
from workflows.installation import Installation

CODE = "7K2M-9QXW1-0BCD-EFGH"


@pytest.fixture
def account_id(installation: Installation) -> UUID:
    return account_of(installation, "JONAS")


def account_of(installation: Installation, ref: str) -> UUID:
    ref = email_account(installation, ref)
    found: UUID = rows(installation, select(Account.id).where(Account.ref == ref))[0].id
    return found


def make(installation: Installation, account_id: UUID) -> tuple[str, ...]:
    with installation.database.begin() as connection:
        return recovery_codes.make(connection, account_id, START)


def take(installation: Installation, account_id: UUID, typed: str) -> Used | None:
    with installation.database.begin() as connection:
        return recovery_codes.take(connection, account_id, typed, START + MINUTE)


def left(installation: Installation, account_id: UUID) -> int:
    with installation.database.read() as connection:
        return recovery_codes.left(connection, account_id)


def other_sign(code: str) -> str:
    """The code with another last sign."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


# --- What is one


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        f"  {CODE}\n",
        CODE.replace("-", "–"),
        "7k2m-9qxwi-obcd-efgh",
        "7K2M-9QXWl-OBCD-EFGH",
        "７Ｋ２Ｍ９ＱＸＷ１０ＢＣＤＥＦＧＨ",
    ],
)
def test_it_is_known_in_any_case_with_any_dashes_and_blanks(typed: str) -> None:
    assert looks_like_one(typed)


@pytest.mark.parametrize("typed", ["", CODE[:-1], f"{CODE}0", CODE.replace("H", "U"), "123456", "1234 5678", "\ud800"])
def test_anything_else_is_none(typed: str) -> None:
    assert not looks_like_one(typed)


@given(st.text())
def test_any_text_can_be_looked_at(typed: str) -> None:
    assert looks_like_one(typed) in (True, False)


def test_ten_are_made_and_only_slow_hashes_are_kept(installation: Installation, account_id: UUID) -> None:
    codes = make(installation, account_id)
    assert len({code[:4] for code in codes}) == 10
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}", code) for code in codes)
    assert all(looks_like_one(code) for code in codes)
    kept = rows(installation, select(RecoveryCode))
    assert {row.selector for row in kept} == {code[:4] for code in codes}
    assert all(row.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for row in kept)
    (enrolled,) = rows(installation, select(Authenticator.label, Authenticator.sealed_secret))
    assert tuple(enrolled) == ("Recovery codes", None)


# --- Using one


def test_a_code_counts_once_and_another_takes_its_place(installation: Installation, account_id: UUID) -> None:
    first, *others = make(installation, account_id)
    used = take(installation, account_id, first.lower().replace("-", " "))
    assert used is not None
    assert used.left == left(installation, account_id) == 10
    assert take(installation, account_id, first) is None
    for code in (used.replacement, *others):
        assert take(installation, account_id, code)
    (enrolled,) = rows(installation, select(Authenticator.id, Authenticator.last_used_at))
    assert (enrolled.id, enrolled.last_used_at) == (used.authenticator_id, START + MINUTE)
    assert used.replacement not in repr(used)


def test_every_sign_of_it_matters(installation: Installation, account_id: UUID) -> None:
    code, another, *_ = make(installation, account_id)
    wrong = [other_sign(code), code[:4] + another[4:], code[:-1], f"{code}0", code[:4], "", "\0" * 17, "\ud800"]
    assert [take(installation, account_id, typed) for typed in wrong] == [None] * len(wrong)
    assert take(installation, account_id, code)


def test_a_code_is_its_accounts_alone(installation: Installation, account_id: UUID) -> None:
    codes = make(installation, account_id)
    other = account_of(installation, "MARTA")
    make(installation, other)
    assert take(installation, other, codes[0]) is None
    assert left(installation, uuid4()) == 0


def test_of_two_that_use_a_code_at_once_one_does(installation: Installation, account_id: UUID) -> None:
    code = make(installation, account_id)[0]
    outcomes = at_once(*2 * [lambda: take(installation, account_id, code)])
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert left(installation, account_id) == 10


def test_two_that_use_two_codes_at_once_both_do(installation: Installation, account_id: UUID) -> None:
    codes = make(installation, account_id)
    outcomes = at_once(*(lambda code=code: take(installation, account_id, code) for code in codes[:2]))
    assert all(outcomes)
    assert left(installation, account_id) == 10


# --- The end of a set


def test_a_new_set_ends_the_one_before(installation: Installation, account_id: UUID) -> None:
    before = make(installation, account_id)
    after = make(installation, account_id)
    assert left(installation, account_id) == 10
    assert take(installation, account_id, before[0]) is None
    assert take(installation, account_id, after[0])


def test_of_two_sets_made_at_once_one_counts(installation: Installation, account_id: UUID) -> None:
    sets = at_once(*2 * [lambda: make(installation, account_id)])
    assert left(installation, account_id) == 10
    assert sum(take(installation, account_id, codes[0]) is not None for codes in sets) == 1


def test_revoking_all_ends_them_and_erases_their_hashes(installation: Installation, account_id: UUID) -> None:
    codes = make(installation, account_id)
    other = account_of(installation, "MARTA")
    theirs = make(installation, other)
    with installation.database.begin() as connection:
        revoke_all(connection, account_id, START + SECOND)
    assert [take(installation, account_id, code) for code in codes] == [None] * 10
    assert left(installation, account_id) == 0
    assert len(rows(installation, select(RecoveryCode.id))) == 10
    assert take(installation, other, theirs[0])


def test_of_a_code_used_while_all_is_revoked_nothing_is_left(installation: Installation, account_id: UUID) -> None:
    code = make(installation, account_id)[0]

    def revoke() -> None:
        with installation.database.begin() as connection:
            revoke_all(connection, account_id, START + SECOND)

    at_once(lambda: take(installation, account_id, code), revoke)
    assert rows(installation, select(RecoveryCode.id)) == []


def test_a_suspended_set_does_not_count_until_it_is_restored(installation: Installation, account_id: UUID) -> None:
    code = make(installation, account_id)[0]
    case = start_case(installation, "JONAS")
    (enrolled,) = rows(installation, select(Authenticator.id))
    with installation.database.begin() as connection:
        suspend(connection, account_id, enrolled.id, case.id, START)
    assert (take(installation, account_id, code), left(installation, account_id)) == (None, 0)
    with installation.database.begin() as connection:
        restore_suspended(connection, case.id)
    assert take(installation, account_id, code)


# --- What its time tells


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 has compared with."""
    seen: list[str] = []
    verify = argon2.PasswordHasher.verify

    def note(self: argon2.PasswordHasher, hashed: str, secret: str) -> Any:
        seen.append(hashed)
        return verify(self, hashed, secret)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", note)
    return seen


def test_one_hash_of_the_same_cost_is_compared_whatever_is_typed(
    installation: Installation, account_id: UUID, compared: list[str]
) -> None:
    code = make(installation, account_id)[0]
    without = account_of(installation, "MARTA")
    tries = [(account_id, other_sign(code)), (account_id, other_sign(code[:3]) + code[4:]), (account_id, "no code")]
    tries += [(without, code), (without, ""), (uuid4(), code), (account_id, code), (account_id, code)]
    for number, (of_account, typed) in enumerate(tries, 1):
        take(installation, of_account, typed)
        assert len(compared) == number
    cost = hash_slowly("any").rpartition("p=1$")[0]
    assert all(hashed.startswith(cost) for hashed in compared)
