"""Enrolling, naming, removing and restoring second factors in the settings pages.

An app counts only after one right code, a phone only after the code that was sent to it, a key after it signed. What is
offered for an app is not stored: the page carries it sealed until the code comes.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from authenticators import recovery_codes, security_keys, sms, totp
from authenticators.revoking import revoke, revoke_all
from authenticators.security_keys import BadKey
from authenticators.totp import App
from foundation.keyring import CannotOpen, WrongPlace
from models.access import SessionKind
from models.accounts import Account, AccountStatus
from models.base import new_id
from models.cases import Actor, CodeFor
from models.factors import Algorithm, Authenticator, AuthenticatorKind
from policy.routing import check_preference
from policy.vocabulary import Change, Channel
from workflows import account_codes, account_history, granting, portal
from workflows.account_codes import Checked
from workflows.accounts import LockedAccount, masked
from workflows.cases import locked
from workflows.changing import NotNow, Obstacle, lock_for_factors
from workflows.installation import Installation
from workflows.portal import Visit
from workflows.sign_in import CodeSent, has_factor
from workflows.telling import tell_change

OFFER_LIFE = timedelta(minutes=30)
"""For opening an app and typing a code."""
MOST_FACTORS = 20
"""Of one account: more than anybody needs, and few enough to compare at each sign-in."""
LONGEST_LABEL = 100

_OFFER = "totp offer"
_KNOWN = select(Authenticator.id).where(Authenticator.id == bindparam("id"))
_COUNT = select(func.count()).where(
    Authenticator.account_id == bindparam("account_id"), Authenticator.revoked_at.is_(None)
)
_OTHERS = select(Authenticator.id).where(
    Authenticator.account_id == bindparam("account_id"),
    Authenticator.revoked_at.is_(None),
    Authenticator.kind != AuthenticatorKind.RECOVERY_CODES,
)
_RENAME = (
    update(Authenticator)
    .where(
        Authenticator.id == bindparam("of"),
        Authenticator.account_id == bindparam("of_account"),
        Authenticator.revoked_at.is_(None),
    )
    .values(label=bindparam("to"))
)
_RESTORE = (
    update(Authenticator)
    .where(
        Authenticator.id == bindparam("of"),
        Authenticator.account_id == bindparam("of_account"),
        Authenticator.revoked_at.is_(None),
        Authenticator.suspended_at.is_not(None),
    )
    .values(suspended_at=None, suspended_in=None)
)
_NAME = select(Account.name).where(Account.id == bindparam("account_id"))


class Fault(StrEnum):
    """Why a factor was not enrolled."""

    WRONG_CODE = "wrong_code"
    CLOCK_IS_OFF = "clock_is_off"
    OFFER_OVER = "offer_over"
    KNOWN_ALREADY = "known_already"
    TOO_MANY = "too_many"
    BAD_KEY = "bad_key"


@dataclass(frozen=True, slots=True)
class Offer:
    """A new app's secret on its way into the app; `sealed` goes with the page and comes back with the code."""

    app: App
    uri: str = field(repr=False)
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor counts from now on; or, with a `fault`, it does not.

    `skew` is how far a clock is ahead that is off, `why` what the customer is told of a bad key. Ring for `owed`.
    `is_first` says that the account had none before.
    """

    fault: Fault | None = None
    skew: timedelta | None = None
    why: str = ""
    is_first: bool = False
    owed: tuple[UUID, ...] = ()


class NoSuchFactorHere(Exception):
    """The account has no such factor. The page that named it is old: open it again."""


def offer_app(installation: Installation, visit: Visit, algorithm: Algorithm, digits: int, now: datetime) -> Offer:
    """A new secret for an authenticator app, or for a YubiKey's OATH slot. Raises `NotNow`."""
    with installation.database.begin() as connection:
        lock_for_factors(installation, connection, visit, now)
    app = totp.new_app(algorithm, digits)
    return _offer(installation, visit, new_id(), app, now)


def offer_again(installation: Installation, visit: Visit, sealed: str, now: datetime) -> Offer | None:
    """What was offered, to be shown once more; None where that is too old or none of this account's."""
    read = _read_offer(installation, visit, sealed, now)
    if read is None:
        return None
    _, app = read
    return Offer(app, _uri(installation, visit, app), sealed)


def add_app(installation: Installation, visit: Visit, sealed: str, typed: str, label: str, now: datetime) -> Enrolled:
    """Enrols what was offered, if the app shows the right code. Raises `NotNow`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        read = _read_offer(installation, visit, sealed, now)
        if read is None:
            return Enrolled(Fault.OFFER_OVER)
        authenticator_id, app = read
        if connection.execute(_KNOWN, {"id": authenticator_id}).first() is not None:
            return Enrolled(Fault.KNOWN_ALREADY)
        if _is_full(connection, account):
            return Enrolled(Fault.TOO_MANY)
        code = account_codes.digits_of(typed)
        step = totp.matching_step(app, code, now, None)
        if step is None:
            skew = totp.skew_of(app, code, now)
            return Enrolled(Fault.CLOCK_IS_OFF if skew else Fault.WRONG_CODE, skew)
        is_first = not has_factor(connection, account.id)
        totp.add(
            connection,
            installation.keyring,
            account.id,
            app,
            label=_named(label) or "Authenticator app",
            now=now,
            authenticator_id=authenticator_id,
            last_step=step,
        )
        return _enrolled(installation, connection, account, visit, now, is_first=is_first)


def key_options(installation: Installation, visit: Visit, now: datetime) -> str:
    """What the browser hands to `navigator.credentials.create`, as JSON; good once, for 5 minutes. Raises `NotNow`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        return security_keys.registration_options(
            connection,
            account_id=account.id,
            user_name=account.ref,
            display_name=connection.execute(_NAME, {"account_id": account.id}).scalar_one(),
            rp_id=installation.settings.relying_party,
            rp_name=installation.settings.brand_name,
            user_verification=installation.policy.sign_in.user_verification,
            now=now,
        )


def add_key(installation: Installation, visit: Visit, response: str, label: str, now: datetime) -> Enrolled:
    """Enrols the security key that answered. Raises `NotNow`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        if _is_full(connection, account):
            return Enrolled(Fault.TOO_MANY)
        is_first = not has_factor(connection, account.id)
        try:
            security_keys.register(
                connection,
                account_id=account.id,
                response=response,
                label=_named(label) or "Security key",
                rp_id=installation.settings.relying_party,
                origins=installation.settings.key_origins,
                user_verification=installation.policy.sign_in.user_verification,
                now=now,
            )
        except BadKey as bad:
            # No rollback: what the browser signed is spent, whatever was wrong with it.
            return Enrolled(Fault.BAD_KEY, why=str(bad))
        return _enrolled(installation, connection, account, visit, now, is_first=is_first)


def send_phone_code(installation: Installation, visit: Visit, now: datetime) -> CodeSent:
    """Sends a code to the confirmed phone, which enrols it when it comes back. Raises `NotNow` or `NotAllowed`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        contact = check_preference(installation.policy, account.profile(connection), Channel.SMS)
        queued = account_codes.send(installation, connection, account.id, contact, Channel.SMS, CodeFor.SIGN_IN, now)
        return CodeSent(masked(contact.destination), queued.next_at, queued.owed)


def add_phone(installation: Installation, visit: Visit, typed: str, now: datetime) -> tuple[Checked, Enrolled]:
    """Enrols the confirmed phone for SMS codes, if this is the code that was sent. Raises `NotNow` or `NotAllowed`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        if sms.enrolled(connection, account.id) is not None:
            return Checked(None), Enrolled(Fault.KNOWN_ALREADY)
        if _is_full(connection, account):
            return Checked(None), Enrolled(Fault.TOO_MANY)
        contact = check_preference(installation.policy, account.profile(connection), Channel.SMS)
        checked = account_codes.check(installation, connection, contact.id, Channel.SMS, CodeFor.SIGN_IN, typed, now)
        if checked.fault:
            return checked, Enrolled(Fault.WRONG_CODE)
        is_first = not has_factor(connection, account.id)
        sms.add(connection, account.id, contact.id, label="SMS codes", now=now)
        return checked, _enrolled(installation, connection, account, visit, now, is_first=is_first)


def make_recovery_codes(
    installation: Installation, visit: Visit, now: datetime
) -> tuple[tuple[str, ...], tuple[UUID, ...]]:
    """Ten new recovery codes in the place of all older ones, and what to ring for. Raises `NotNow`."""
    with installation.database.begin() as connection:
        account = lock_for_factors(installation, connection, visit, now)
        if not has_factor(connection, account.id):
            raise NoSuchFactorHere
        codes = recovery_codes.make(connection, account.id, now)
        _record(connection, account, "recovery_codes_made", now)
        return codes, tell_change(installation, connection, account, Change.RECOVERY_CODES_MADE, now)


def rename(installation: Installation, visit: Visit, authenticator_id: UUID, label: str, now: datetime) -> None:
    """Gives a factor another name. Raises `NotNow` or `NoSuchFactorHere`."""
    with installation.database.begin() as connection:
        account = _lock_with_factor(installation, connection, visit, now)
        named = _named(label)
        key = {"of": authenticator_id, "of_account": account.id, "to": named}
        if not named or connection.execute(_RENAME, key).rowcount == 0:
            raise NoSuchFactorHere
        _record(connection, account, "factor_renamed", now, authenticator=str(authenticator_id))


def remove(installation: Installation, visit: Visit, authenticator_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """Revokes a factor, and with the last one the recovery codes. Raises `NotNow` or `NoSuchFactorHere`."""
    with installation.database.begin() as connection:
        account = _lock_with_factor(installation, connection, visit, now)
        if not revoke(connection, account.id, authenticator_id, now):
            raise NoSuchFactorHere
        _record(connection, account, "factor_removed", now, authenticator=str(authenticator_id))
        if connection.execute(_OTHERS, {"account_id": account.id}).first() is None:
            revoke_all(connection, account.id, now)
        return tell_change(installation, connection, account, Change.FACTOR_REMOVED, now)


def restore(installation: Installation, visit: Visit, authenticator_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """What was said to be stolen has been found: it counts again. Raises `NotNow` or `NoSuchFactorHere`."""
    with installation.database.begin() as connection:
        account = _lock_with_factor(installation, connection, visit, now)
        if connection.execute(_RESTORE, {"of": authenticator_id, "of_account": account.id}).rowcount == 0:
            raise NoSuchFactorHere
        _record(connection, account, "factor_restored", now, authenticator=str(authenticator_id))
        return tell_change(installation, connection, account, Change.FACTOR_RESTORED, now)


def _named(label: str) -> str:
    """What can be printed of a name, on one line."""
    return "".join(sign for sign in " ".join(label.split()) if sign.isprintable())[:LONGEST_LABEL]


def _is_full(connection: Connection, account: LockedAccount) -> bool:
    return connection.execute(_COUNT, {"account_id": account.id}).scalar_one() >= MOST_FACTORS


def _enrolled(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    visit: Visit,
    now: datetime,
    *,
    is_first: bool,
) -> Enrolled:
    """What follows a new factor; the first one after a reset uses up what the reset granted."""
    if account.status is AccountStatus.ENROLMENT_PENDING:
        _end_enrolment(installation, connection, account, visit, now)
    if is_first:
        portal.note_factor(connection, visit.id, now)
    _record(connection, account, "factor_added", now)
    owed = tell_change(installation, connection, account, Change.FACTOR_ADDED, now)
    return Enrolled(is_first=is_first, owed=owed)


def _end_enrolment(
    installation: Installation, connection: Connection, account: LockedAccount, visit: Visit, now: datetime
) -> None:
    if visit.case_id is None or not granting.use(connection, visit.case_id, now):
        raise NotNow(Obstacle.ENROLMENT_OVER)
    account.status = AccountStatus.ACTIVE
    account.quarantine_until = now + installation.policy.sign_in.quarantine
    account.save(connection)
    with locked(installation, connection, visit.case_id) as case:
        case.record("enrolled", actor=Actor.CUSTOMER, now=now)


def _lock_with_factor(installation: Installation, connection: Connection, visit: Visit, now: datetime) -> LockedAccount:
    """The account, locked, if what it has may be changed: not by somebody who may only enrol."""
    account = lock_for_factors(installation, connection, visit, now)
    if visit.kind is SessionKind.ENROLMENT:
        raise NotNow(Obstacle.ENROLMENT_ONLY)
    if not has_factor(connection, account.id):
        raise NoSuchFactorHere
    return account


def _offer(installation: Installation, visit: Visit, authenticator_id: UUID, app: App, now: datetime) -> Offer:
    told = {
        "id": str(authenticator_id),
        "secret": app.secret,
        "algorithm": app.algorithm,
        "digits": app.digits,
        "at": now.isoformat(),
    }
    sealed = installation.keyring.seal(json.dumps(told).encode(), purpose=_OFFER, row=visit.account_id)
    return Offer(app, _uri(installation, visit, app), sealed)


def _read_offer(installation: Installation, visit: Visit, sealed: str, now: datetime) -> tuple[UUID, App] | None:
    try:
        told = json.loads(installation.keyring.open(sealed, purpose=_OFFER, row=visit.account_id))
    except (CannotOpen, WrongPlace, UnicodeEncodeError):
        return None
    if now - datetime.fromisoformat(told["at"]) > OFFER_LIFE:
        return None
    return UUID(told["id"]), App(told["secret"], Algorithm(told["algorithm"]), told["digits"])


def _uri(installation: Installation, visit: Visit, app: App) -> str:
    return totp.uri(app, installation.settings.brand_name, visit.ref)


def _record(connection: Connection, account: LockedAccount, event: str, now: datetime, **facts: str) -> None:
    account_history.record(connection, account.id, event, actor=Actor.CUSTOMER, now=now, **facts)
