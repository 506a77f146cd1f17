"""Recovery codes: ten that a customer saves, each of which signs in once and is then replaced.

A code is `XXXX-XXXXX-XXXX-XXXX` in Crockford's base 32. Its first four signs, the selector, find its row; the other
thirteen are its secret, of which only a slow hash is kept: 65 bits, where NIST SP 800-63B-4 §4.2.1.1 asks for 64.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update

from authenticators.revoking import revoke
from foundation.crockford import ALPHABET, random_signs, read_signs
from foundation.hashing import hash_slowly, matches_hash
from models.accounts import Account
from models.base import new_id
from models.factors import Authenticator, AuthenticatorKind, RecoveryCode

_HOW_MANY = 10
_SELECTOR_SIGNS, _SECRET_SIGNS = 4, 13
_SHAPE = re.compile(rf"([{ALPHABET}]{{{_SELECTOR_SIGNS}}})([{ALPHABET}]{{{_SECRET_SIGNS}}})")
# The hash of a secret that was thrown away: comparing takes as long where there is no code to compare with.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$3OG4V4LPRhKxeGPInvnz6g$Zn3uYr13owE+6Lr9JtFnZCl0zIkrYtAK86U0/e9cE70"

_LOCK = select(Account.id).where(Account.id == bindparam("account_id")).with_for_update()
_SETS = select(Authenticator.id).where(
    Authenticator.account_id == bindparam("account_id"),
    Authenticator.kind == AuthenticatorKind.RECOVERY_CODES,
    Authenticator.revoked_at.is_(None),
)
_USABLE = _SETS.where(Authenticator.suspended_at.is_(None))
_LEFT = select(func.count(RecoveryCode.id)).where(
    RecoveryCode.authenticator_id.in_(_USABLE), RecoveryCode.used_at.is_(None)
)
# The set's row is locked before its codes are, as whoever revokes it does: one of the two waits for the other.
_FIND = (
    _USABLE.join(RecoveryCode, RecoveryCode.authenticator_id == Authenticator.id)
    .where(RecoveryCode.selector == bindparam("selector"), RecoveryCode.used_at.is_(None))
    .with_only_columns(RecoveryCode.id, RecoveryCode.authenticator_id, RecoveryCode.hash)
    .with_for_update(of=Authenticator)
)
_USE = (
    update(RecoveryCode)
    .where(RecoveryCode.id == bindparam("of"), RecoveryCode.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
_USE_SET = update(Authenticator).where(Authenticator.id == bindparam("of")).values(last_used_at=bindparam("now"))
_SELECTORS = select(RecoveryCode.selector).where(RecoveryCode.authenticator_id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Used:
    """A code that was right: the set it is of, how many the set has now, and the code that takes its place."""

    authenticator_id: UUID
    left: int
    replacement: str = field(repr=False)


def looks_like_one(typed: str) -> bool:
    """Whether this has a recovery code's signs, in any case and with any dashes or blanks."""
    return _SHAPE.fullmatch(read_signs(typed)) is not None


def make(connection: Connection, account_id: UUID, now: datetime) -> tuple[str, ...]:
    """Ten fresh codes, to be shown this once; those that the account had no longer count. Takes some 0.2 s."""
    authenticator_id = new_id()
    codes = _new_codes(_HOW_MANY, taken=())
    rows = [_row(authenticator_id, code, now) for code in codes]
    connection.execute(_LOCK, {"account_id": account_id})
    for earlier in connection.execute(_SETS, {"account_id": account_id}).scalars().all():
        revoke(connection, account_id, earlier, now)
    enrolled = {
        "id": authenticator_id,
        "account_id": account_id,
        "kind": AuthenticatorKind.RECOVERY_CODES,
        "label": "Recovery codes",
        "created_at": now,
    }
    connection.execute(insert(Authenticator), enrolled)
    connection.execute(insert(RecoveryCode), rows)
    return tuple(map(_grouped, codes))


def left(connection: Connection, account_id: UUID) -> int:
    """How many codes of the account can still be used."""
    return connection.execute(_LEFT, {"account_id": account_id}).scalar_one()


def take(connection: Connection, account_id: UUID, typed: str, now: datetime) -> Used | None:
    """Uses the code up, if it is one of the account's; None where it is not.

    One slow hash is compared in every case, so that the time it takes does not tell which accounts have codes.
    """
    found = _SHAPE.fullmatch(read_signs(typed))
    selector, secret = found.groups() if found else ("", "")
    code = connection.execute(_FIND, {"account_id": account_id, "selector": selector}).one_or_none()
    is_right = matches_hash(secret, code.hash if code else _NOBODYS)
    if code is None or not is_right or connection.execute(_USE, {"of": code.id, "now": now}).rowcount != 1:
        return None
    connection.execute(_USE_SET, {"of": code.authenticator_id, "now": now})
    replacement = _add_replacement(connection, code.authenticator_id, now)
    return Used(code.authenticator_id, left(connection, account_id), replacement)


def _add_replacement(connection: Connection, authenticator_id: UUID, now: datetime) -> str:
    taken = connection.execute(_SELECTORS, {"of": authenticator_id}).scalars()
    (code,) = _new_codes(1, taken)
    connection.execute(insert(RecoveryCode), _row(authenticator_id, code, now))
    return _grouped(code)


def _new_codes(count: int, taken: Iterable[str]) -> list[str]:
    """Fresh codes whose selectors differ from each other's and from those taken."""
    taken = set(taken)
    codes: dict[str, str] = {}
    while len(codes) < count:
        selector = random_signs(_SELECTOR_SIGNS)
        if selector not in taken:
            codes[selector] = selector + random_signs(_SECRET_SIGNS)
    return list(codes.values())


def _row(authenticator_id: UUID, code: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "authenticator_id": authenticator_id,
        "selector": code[:_SELECTOR_SIGNS],
        "hash": hash_slowly(code[_SELECTOR_SIGNS:]),
        "created_at": now,
    }


def _grouped(code: str) -> str:
    return f"{code[:4]}-{code[4:9]}-{code[9:13]}-{code[13:]}"
