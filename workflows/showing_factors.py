"""Showing a second factor: which of an account's authenticators a code, a recovery code or a key's answer is of.

The account is locked by whoever calls `match`. What is suspended or revoked is never matched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from authenticators import recovery_codes, security_keys, sms, totp
from authenticators.security_keys import BadKey, KeyCopied
from models.cases import Actor, CodeFor
from models.factors import AuthenticatorKind, Ceremony
from policy.vocabulary import Change, Channel
from workflows import account_codes, account_history
from workflows.accounts import LockedAccount
from workflows.installation import Installation
from workflows.telling import tell_change


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody shows: a typed code of any kind, or what a browser had a security key sign, as JSON."""

    code: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Matched:
    """The authenticator that it was. `is_weak`: its secret is shorter than 112 bits, and should be replaced.

    A used recovery code comes with its replacement, which nothing can show again, and how many are left.
    """

    authenticator_id: UUID
    kind: AuthenticatorKind
    label: str
    is_weak: bool = False
    codes_left: int | None = None
    replacement: str | None = field(default=None, repr=False)
    owed: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an account; `owed` gathers what a wrong one has to tell the customer."""

    installation: Installation
    connection: Connection
    account: LockedAccount
    now: datetime
    owed: list[UUID]


def match(attempt: Attempt, shown: Shown, ceremony: Ceremony) -> Matched | None:
    """Whose it is, used up; None where it counts for nothing."""
    if shown.assertion:
        return _key(attempt, shown.assertion, ceremony)
    if recovery_codes.looks_like_one(shown.code):
        return _recovery_code(attempt, shown.code)
    ways: Sequence[Callable[[Attempt, str], Matched | None]] = (_app, _sms_code)
    return next((found for way in ways if (found := way(attempt, shown.code))), None)


def _app(attempt: Attempt, typed: str) -> Matched | None:
    code = account_codes.digits_of(typed)
    apps = totp.enrolled(attempt.connection, attempt.installation.keyring, attempt.account.id)
    # All are compared, so that the time it takes does not tell which one it was.
    steps = [(each, totp.matching_step(each.app, code, attempt.now, each.last_step)) for each in apps]
    for each, step in steps:
        if step is not None and not each.suspended and totp.take_step(attempt.connection, each.id, step, attempt.now):
            return Matched(each.id, AuthenticatorKind.TOTP, each.label, is_weak=each.app.is_weak)
    _note_skew(attempt, code, [each for each in apps if not each.suspended])
    return None


def _note_skew(attempt: Attempt, code: str, apps: Sequence[totp.Enrolled]) -> None:
    """A right code of a clock that is off is refused, and the settings pages can explain it."""
    for each in apps:
        if skew := totp.skew_of(each.app, code, attempt.now):
            ahead = int(skew.total_seconds())
            _record(attempt, "clock_is_off", authenticator=str(each.id), seconds_ahead=ahead)


def _sms_code(attempt: Attempt, typed: str) -> Matched | None:
    phone = sms.enrolled(attempt.connection, attempt.account.id)
    if phone is None or not phone.counts or len(account_codes.digits_of(typed)) != _sms_digits(attempt):
        return None
    checked = account_codes.check(
        attempt.installation,
        attempt.connection,
        phone.contact_id,
        Channel.SMS,
        CodeFor.SIGN_IN,
        typed,
        attempt.now,
    )
    if checked.fault:
        return None
    sms.note_use(attempt.connection, phone.id, attempt.now)
    return Matched(phone.id, AuthenticatorKind.SMS, phone.label)


def _sms_digits(attempt: Attempt) -> int:
    return attempt.installation.policy.channels[Channel.SMS].digits


def _recovery_code(attempt: Attempt, typed: str) -> Matched | None:
    used = recovery_codes.take(attempt.connection, attempt.account.id, typed, attempt.now)
    if used is None:
        return None
    _record(attempt, "recovery_code_used", left=used.left)
    owed = _tell(attempt, Change.RECOVERY_CODE_USED)
    return Matched(
        used.authenticator_id,
        AuthenticatorKind.RECOVERY_CODES,
        "Recovery codes",
        codes_left=used.left,
        replacement=used.replacement,
        owed=owed,
    )


def _key(attempt: Attempt, assertion: str, ceremony: Ceremony) -> Matched | None:
    settings, policy = attempt.installation.settings, attempt.installation.policy
    try:
        found = security_keys.check_assertion(
            attempt.connection,
            account_id=attempt.account.id,
            ceremony=ceremony,
            response=assertion,
            rp_id=settings.relying_party,
            origins=settings.key_origins,
            user_verification=policy.sign_in.user_verification,
            now=attempt.now,
        )
    except KeyCopied as copied:
        _record(attempt, "key_copied", authenticator=str(copied.authenticator_id))
        attempt.owed.extend(_tell(attempt, Change.KEY_COPIED))
        return None
    except BadKey:
        return None
    return Matched(found.authenticator_id, AuthenticatorKind.SECURITY_KEY, found.label)


def _tell(attempt: Attempt, change: Change) -> tuple[UUID, ...]:
    return tell_change(attempt.installation, attempt.connection, attempt.account, change, attempt.now)


def _record(attempt: Attempt, event: str, **facts: str | int) -> None:
    account_history.record(
        attempt.connection, attempt.account.id, event, actor=Actor.CUSTOMER, now=attempt.now, **facts
    )
