"""Checking a second factor at sign-in, for the billing system, and in the settings pages.

Whatever the reason, a refusal looks the same. Wrong ones in a row make the account wait, longer each time, and end all
its factors at the policy's limit (NIST SP 800-63B-4 §3.2.2); wrong ones from one network address make it wait too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from authenticators import security_keys, sms
from models.accounts import AccountStatus
from models.cases import Actor, CodeFor
from models.factors import Authenticator, Ceremony
from policy.routing import NotAllowed, check_preference
from policy.vocabulary import Change, Channel, MessageKind
from workflows import account_codes, account_history, crowded_addresses, portal
from workflows.accounts import LockedAccount, account_id_of, lock_account, masked
from workflows.cases import locked
from workflows.installation import Installation
from workflows.machine import expire_if_due, fire
from workflows.opening import open_case_of
from workflows.portal import Visit
from workflows.showing_factors import Attempt, Matched, Shown, match
from workflows.telling import tell_change

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=15)

_HAS_FACTOR = select(Authenticator.id).where(
    Authenticator.account_id == bindparam("account_id"), Authenticator.revoked_at.is_(None)
)


class Outcome(StrEnum):
    """What a check comes to. `not_enrolled`: the account has no second factor, so nothing can be asked of it.

    `enrolment_required`: a reset removed the factors, and until a new one is enrolled nobody signs in.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ENROLMENT_REQUIRED = "enrolment_required"
    NOT_ENROLLED = "not_enrolled"


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer to a check. `matched` comes with an accepted one, `wait` with a refused one. Ring for `owed`.

    Until `quarantine_until` the billing system should hold risky changes: the account was reset lately.
    """

    outcome: Outcome
    matched: Matched | None = None
    wait: timedelta = timedelta()
    quarantine_until: datetime | None = None
    owed: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What the browser hands to `navigator.credentials.get`, as JSON."""

    options: str


@dataclass(frozen=True, slots=True)
class CodeSent:
    """An SMS code goes out; or, where `owed` is empty, `next_at` says when it may."""

    sent_to: str
    next_at: datetime | None
    owed: tuple[UUID, ...] = field(default=())


class NoSuchFactor(Exception):
    """The account has no usable factor of this kind. Ask it for another one."""

    def __init__(self) -> None:
        super().__init__("the account has no usable factor of this kind")


class CannotSignIn(Exception):
    """There is nothing to begin: `outcome` says whether a factor has to be enrolled first, or none is asked for."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"nothing to begin: {outcome}")
        self.outcome = outcome


def begin_with_key(installation: Installation, ref: str, now: datetime) -> KeyOptions:
    """Options for a security key, good once and for 5 minutes. Raises `UnknownAccount` and as `begin_with_sms`."""
    with installation.database.begin() as connection:
        account = _account_that_signs_in(connection, ref)
        return key_options(installation, connection, account, Ceremony.SIGN_IN, now)


def begin_with_sms(installation: Installation, ref: str, now: datetime) -> CodeSent:
    """Sends a code. Raises `UnknownAccount`, `CannotSignIn` or `NoSuchFactor`."""
    with installation.database.begin() as connection:
        account = _account_that_signs_in(connection, ref)
        return send_sms(installation, connection, account, now)


def confirm_with_key(installation: Installation, visit: Visit, now: datetime) -> KeyOptions:
    """The same in the settings pages. Raises `CannotSignIn` or `NoSuchFactor`."""
    with installation.database.begin() as connection:
        account = _able_to_sign_in(connection, visit.account_id)
        return key_options(installation, connection, account, Ceremony.CONFIRM, now)


def confirm_with_sms(installation: Installation, visit: Visit, now: datetime) -> CodeSent:
    """The same in the settings pages. Raises `CannotSignIn` or `NoSuchFactor`."""
    with installation.database.begin() as connection:
        return send_sms(installation, connection, _able_to_sign_in(connection, visit.account_id), now)


def key_options(
    installation: Installation, connection: Connection, account: LockedAccount, ceremony: Ceremony, now: datetime
) -> KeyOptions:
    """Options for any of the account's security keys. Raises `NoSuchFactor`."""
    options = security_keys.assertion_options(
        connection,
        account_id=account.id,
        ceremony=ceremony,
        rp_id=installation.settings.relying_party,
        user_verification=installation.policy.sign_in.user_verification,
        now=now,
    )
    if options is None:
        raise NoSuchFactor
    return KeyOptions(options)


def send_sms(installation: Installation, connection: Connection, account: LockedAccount, now: datetime) -> CodeSent:
    """Sends a code to the phone that was enrolled, if the region still allows it. Raises `NoSuchFactor`."""
    phone = sms.enrolled(connection, account.id)
    if phone is None or not phone.counts:
        raise NoSuchFactor
    try:
        contact = check_preference(installation.policy, account.profile(connection), Channel.SMS)
    except NotAllowed:
        raise NoSuchFactor from None
    if contact.id != phone.contact_id:
        # The number was changed by somebody who showed no second factor.
        raise NoSuchFactor
    queued = account_codes.send(installation, connection, account.id, contact, Channel.SMS, CodeFor.SIGN_IN, now)
    return CodeSent(masked(contact.destination), queued.next_at, queued.owed)


def verify(installation: Installation, ref: str, shown: Shown, *, address: str | None, now: datetime) -> Verified:
    """Checks what a customer showed after the password. `address` is theirs on the network. Raises `UnknownAccount`."""
    with installation.database.begin() as connection:
        account = lock_account(connection, account_id_of(connection, ref))
        return _verify(installation, connection, account, shown, Ceremony.SIGN_IN, address, now)


def confirm(installation: Installation, visit: Visit, shown: Shown, now: datetime) -> Verified:
    """The same in the settings pages; from now on the visit has shown a second factor."""
    with installation.database.begin() as connection:
        account = lock_account(connection, visit.account_id)
        verified = _verify(installation, connection, account, shown, Ceremony.CONFIRM, None, now)
        if verified.outcome is Outcome.ACCEPTED:
            portal.note_factor(connection, visit.id, now)
        return verified


def has_factor(connection: Connection, account_id: UUID) -> bool:
    """Whether the account has any factor, also one that is suspended."""
    return connection.execute(_HAS_FACTOR, {"account_id": account_id}).first() is not None


def is_disabled(installation: Installation, account: LockedAccount) -> bool:
    """Whether too many were wrong in a row: only a reset helps."""
    return account.refused_in_a_row >= installation.policy.sign_in.wrong_in_a_row


def _account_that_signs_in(connection: Connection, ref: str) -> LockedAccount:
    return _able_to_sign_in(connection, account_id_of(connection, ref))


def _able_to_sign_in(connection: Connection, account_id: UUID) -> LockedAccount:
    account = lock_account(connection, account_id)
    if outcome := _nothing_to_check(connection, account):
        raise CannotSignIn(outcome)
    return account


def _nothing_to_check(connection: Connection, account: LockedAccount) -> Outcome | None:
    if account.status is AccountStatus.ENROLMENT_PENDING:
        return Outcome.ENROLMENT_REQUIRED
    return None if has_factor(connection, account.id) else Outcome.NOT_ENROLLED


def _verify(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    shown: Shown,
    ceremony: Ceremony,
    address: str | None,
    now: datetime,
) -> Verified:
    if outcome := _nothing_to_check(connection, account):
        return Verified(outcome)
    attempt = Attempt(installation, connection, account, now, [])
    wait = _must_wait(attempt, address)
    if wait:
        return Verified(Outcome.REFUSED, wait=wait)
    matched = match(attempt, shown, ceremony)
    verified = _accept(attempt, matched) if matched else _refuse(attempt, address)
    account.save(connection)
    if verified.outcome is Outcome.ACCEPTED:
        return _with_case_cancelled(attempt, verified)
    return verified


def _must_wait(attempt: Attempt, address: str | None) -> timedelta:
    """How long nothing is looked at; a limit that only a reset lifts counts as the longest wait."""
    account, now = attempt.account, attempt.now
    until = [account.sign_in_waits_until or now]
    if is_disabled(attempt.installation, account):
        until.append(now + _LONGEST_WAIT)
    if address:
        until.append(crowded_addresses.wait_for(attempt.installation, attempt.connection, address, now) or now)
    return max(*until, now) - now


def _accept(attempt: Attempt, matched: Matched) -> Verified:
    account = attempt.account
    account.refused_in_a_row, account.sign_in_waits_until = 0, None
    _record(attempt, "factor_shown", kind=matched.kind, authenticator=str(matched.authenticator_id))
    quarantine = account.quarantine_until
    return Verified(
        Outcome.ACCEPTED,
        matched,
        quarantine_until=quarantine if quarantine and quarantine > attempt.now else None,
        owed=matched.owed,
    )


def _refuse(attempt: Attempt, address: str | None) -> Verified:
    account, limits = attempt.account, attempt.installation.policy.sign_in
    account.refused_in_a_row += 1
    _record(attempt, "factor_refused", in_a_row=account.refused_in_a_row)
    over = account.refused_in_a_row - limits.wrong_before_waiting
    wait = min(_FIRST_WAIT * 2.0 ** min(over, 20), _LONGEST_WAIT) if over >= 0 else timedelta()
    account.sign_in_waits_until = attempt.now + wait if wait else None
    owed = tuple(attempt.owed)
    if is_disabled(attempt.installation, account):
        owed += tell_change(attempt.installation, attempt.connection, account, Change.FACTOR_DISABLED, attempt.now)
    if address:
        crowded_addresses.count(attempt.installation, attempt.connection, address, attempt.now)
    return Verified(Outcome.REFUSED, wait=wait, owed=owed)


def _with_case_cancelled(attempt: Attempt, verified: Verified) -> Verified:
    """Whoever still has the old factor needs no reset: an open one is somebody else's, or needless."""
    case_id = open_case_of(attempt.connection, attempt.account.id)
    if case_id is None or verified.matched is None:
        return verified
    with locked(attempt.installation, attempt.connection, case_id) as case:
        expire_if_due(case, attempt.now)
        if case.is_open:
            how = f"sign-in with {verified.matched.kind}"
            # What was reported as stolen in it stays suspended: another factor has signed in, perhaps.
            fire(case, "cancel", actor=Actor.CUSTOMER, now=attempt.now, how=how)
            # Whoever asked for the reset waits there, and may be the customer: with a stolen factor a thief signs in.
            case.owe_notice_to_carrier(MessageKind.NOTICE_CANCELLED, attempt.now)
    return Verified(
        verified.outcome,
        verified.matched,
        quarantine_until=verified.quarantine_until,
        owed=verified.owed + case.owed,
    )


def _record(attempt: Attempt, event: str, **facts: str | int) -> None:
    account_history.record(
        attempt.connection, attempt.account.id, event, actor=Actor.CUSTOMER, now=attempt.now, **facts
    )
