"""Back in after a reset: who may enrol a new factor, proven by the session that proved the case or by a proof again.

The link alone grants nothing. Without the case's session its bearer gives the reset passphrase, or, where none is set,
a new code that goes to the contact point that was proven.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, bindparam, select

from models.access import Enrolment
from models.accounts import Account, AccountStatus
from models.base import AnyRow
from models.cases import Actor, CodeFor, Proof, ResetCase
from policy.routing import NotAllowed
from policy.vocabulary import ProofKind
from workflows import account_codes, granting, portal
from workflows.account_codes import CodeFault, Queued
from workflows.cases import Case, UnknownCase, is_pinned, locked
from workflows.installation import Installation
from workflows.passphrases import passphrase_matches

_GRANT = (
    select(
        Enrolment.ends_at,
        Enrolment.used_at,
        Account.status,
        Account.passphrase_hash,
        Proof.met_at.label("password_at"),
    )
    .select_from(ResetCase)
    .join(Account, Account.id == ResetCase.account_id)
    .outerjoin(Enrolment, Enrolment.case_id == ResetCase.id)
    .outerjoin(Proof, and_(Proof.case_id == ResetCase.id, Proof.kind == ProofKind.PASSWORD))
    .where(ResetCase.reference == bindparam("reference"))
)


class GrantState(StrEnum):
    """Where an enrolment that a reset granted stands. `none`: the reset is not completed, or a newer one was."""

    OPEN = "open"
    USED = "used"
    OVER = "over"
    NONE = "none"


class AskedProof(StrEnum):
    """What is asked of somebody who has the link and no session.

    Nothing helps where the password was a proof of the reset: it cannot be shown here again, and the code alone would
    be less than what the reset took.
    """

    PASSPHRASE = "passphrase"
    CODE = "code"
    NOTHING = "nothing"


class EnrolmentFault(StrEnum):
    """Why the proof did not count."""

    NOT_OPEN = "not_open"
    PASSPHRASE_FIRST = "passphrase_first"
    WRONG_PASSPHRASE = "wrong_passphrase"
    WRONG_CODE = "wrong_code"
    MALFORMED_CODE = "malformed_code"
    NO_VALID_CODE = "no_valid_code"
    TRIES_USED_UP = "tries_used_up"


@dataclass(frozen=True, slots=True)
class Grant:
    """A reset's enrolment, and what is asked for it."""

    state: GrantState
    ends_at: datetime | None
    proof: AskedProof


@dataclass(frozen=True, slots=True)
class Proven:
    """The cookie of the visit that enrols, or why there is none."""

    cookie: str | None
    fault: EnrolmentFault | None = None
    tries_left: int | None = None


def grant_of(installation: Installation, reference: str, now: datetime) -> Grant:
    """Where the enrolment of this reset stands. Raises `UnknownCase`."""
    with installation.database.read() as connection:
        row: AnyRow | None = connection.execute(_GRANT, {"reference": reference}).one_or_none()
    if row is None:
        raise UnknownCase
    return Grant(
        _state(row, row.status, now),
        row.ends_at,
        _asked(row.passphrase_hash, with_password=row.password_at is not None),
    )


def begin(installation: Installation, reference: str, now: datetime, *, passphrase_given: bool) -> Proven:
    """For the browser that has proven the case; `passphrase_given` in it, too. Raises `UnknownCase`.

    Where a passphrase is set, a browser that only gave the code has not proven all: whoever reads the customer's mail
    could wait for the customer to give it.
    """
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        if _asked_in(case) is AskedProof.PASSPHRASE and not passphrase_given:
            return Proven(None, EnrolmentFault.PASSPHRASE_FIRST)
        return _begin(case, "session of the case", now)


def send_code(installation: Installation, reference: str, now: datetime) -> Queued:
    """Sends a new code to the contact point that was proven. Raises `UnknownCase` or `NotAllowed`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        contact = case.carrier()
        is_asked = _standing(case, now) is GrantState.OPEN and _asked_in(case) is AskedProof.CODE
        if not is_asked or contact is None or case.channel is None:
            raise NotAllowed("No code is asked for here.")
        if not is_pinned(installation, case.id, case.contact_digest or b"", contact):
            raise NotAllowed("The contact point has changed since.")
        channel = case.channel
        return account_codes.send(installation, connection, case.account.id, contact, channel, CodeFor.ENROLMENT, now)


def prove_code(installation: Installation, reference: str, typed: str, now: datetime) -> Proven:
    """The code that `send_code` sent. Raises `UnknownCase`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        if _standing(case, now) is not GrantState.OPEN or case.contact_id is None or case.channel is None:
            return Proven(None, EnrolmentFault.NOT_OPEN)
        if _asked_in(case) is not AskedProof.CODE:
            return Proven(None, EnrolmentFault.NO_VALID_CODE)
        checked = account_codes.check(
            installation, connection, case.contact_id, case.channel, CodeFor.ENROLMENT, typed, now
        )
        if checked.fault:
            return Proven(None, _FAULTS[checked.fault], checked.tries_left)
        return _begin(case, "code again", now)


def prove_passphrase(installation: Installation, reference: str, passphrase: str, now: datetime) -> Proven:
    """The reset passphrase, once more. Wrong ones count as tries of the case. Raises `UnknownCase`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        if _standing(case, now) is not GrantState.OPEN:
            return Proven(None, EnrolmentFault.NOT_OPEN)
        if case.wrong_tries >= installation.policy.limits.wrong_tries_per_case:
            return Proven(None, EnrolmentFault.TRIES_USED_UP)
        if case.passphrase_hash is None or not passphrase_matches(passphrase, case.passphrase_hash):
            return _wrong_passphrase(case, now)
        return _begin(case, "passphrase again", now)


def _wrong_passphrase(case: Case, now: datetime) -> Proven:
    limits = case.installation.policy.limits
    case.wrong_tries += 1
    case.account.wrong_in_a_row += 1
    if case.account.wrong_in_a_row >= limits.wrong_tries_per_account:
        case.account.resets_disabled_at = now
    left = limits.wrong_tries_per_case - case.wrong_tries
    case.record("wrong_passphrase", actor=Actor.CUSTOMER, now=now, tries_left=left)
    return Proven(None, EnrolmentFault.WRONG_PASSPHRASE, left)


_FAULTS = {
    CodeFault.WRONG: EnrolmentFault.WRONG_CODE,
    CodeFault.MALFORMED: EnrolmentFault.MALFORMED_CODE,
    CodeFault.NONE_VALID: EnrolmentFault.NO_VALID_CODE,
}


def _standing(case: Case, now: datetime) -> GrantState:
    return _state(granting.of_case(case.connection, case.id), case.account.status, now)


def _state(grant: AnyRow | None, status: AccountStatus, now: datetime) -> GrantState:
    if grant is None or grant.ends_at is None:
        return GrantState.NONE
    if grant.used_at is not None:
        return GrantState.USED
    is_open = now < grant.ends_at and status is AccountStatus.ENROLMENT_PENDING
    return GrantState.OPEN if is_open else GrantState.OVER


def _asked_in(case: Case) -> AskedProof:
    return _asked(case.passphrase_hash, with_password=ProofKind.PASSWORD in case.proofs)


def _asked(passphrase_hash: str | None, *, with_password: bool) -> AskedProof:
    if passphrase_hash is not None:
        return AskedProof.PASSPHRASE
    return AskedProof.NOTHING if with_password else AskedProof.CODE


def _begin(case: Case, how: str, now: datetime) -> Proven:
    if _standing(case, now) is not GrantState.OPEN:
        return Proven(None, EnrolmentFault.NOT_OPEN)
    cookie = portal.begin_enrolment(case.installation, case.connection, case.account.id, case.id, now)
    case.record("enrolment_begun", actor=Actor.CUSTOMER, now=now, how=how)
    return Proven(cookie)
