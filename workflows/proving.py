"""Proving a case: the code or link of its message, the passphrase, a password sign-in the billing system attests.

Each proof is recorded, moves the case on where it can, and completes it where a sufficient set is met and its hold is
over. Wrong tries are counted, for the code, the case and the account, and close the case when they are used up.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select

from models.accounts import Account
from models.cases import Actor, CaseState, Proof, ResetCase
from policy.rules import ProofSet
from policy.vocabulary import MessageKind, ProofKind
from workflows import challenges
from workflows.account_codes import digits_of
from workflows.answers import Answer, Problem, answer
from workflows.cases import Case, locked
from workflows.challenges import Issued
from workflows.installation import Installation
from workflows.machine import expire_if_due, fire
from workflows.passphrases import passphrase_matches

_CLOCKS_DIFFER = timedelta(minutes=1)

_AWAITED_PASSPHRASE = (
    select(Account.passphrase_hash)
    .join(ResetCase, ResetCase.account_id == Account.id)
    .where(ResetCase.reference == bindparam("reference"), ResetCase.state == CaseState.CONTACT_VERIFIED)
)
_FORGET = delete(Proof).where(Proof.case_id == bindparam("case_id"), Proof.kind == bindparam("kind"))


def prove_code(installation: Installation, reference: str, typed: str, *, actor: Actor, now: datetime) -> Answer:
    """The code, as somebody typed it. A wrong one counts as a try, one of another length does not."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        return take_code(case, typed, "code typed", actor=actor, now=now)


def take_code(case: Case, typed: str, how: str, *, actor: Actor, now: datetime) -> Answer:
    """The same, within the transaction of whoever has locked the case."""
    code = digits_of(typed)
    problem, challenge = _awaited(case, now)
    if problem or challenge is None:
        return answer(case, problem)
    if len(code) != challenge.secret.digits:
        return answer(case, Problem.MALFORMED_CODE)
    if not challenge.secret.is_code(code):
        return _wrong_code(case, challenge, actor, now)
    return _contact_proven(case, challenge, how, actor, now)


def prove_link(installation: Installation, reference: str, token: str, *, now: datetime) -> Answer:
    """The token of the link in the message. It cannot be guessed, so a wrong one is an old link and no try."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        problem, challenge = _awaited(case, now)
        if problem or challenge is None:
            return answer(case, problem)
        if not challenge.secret.is_token(token):
            return answer(case, Problem.WRONG_LINK)
        return _contact_proven(case, challenge, "link opened", Actor.CUSTOMER, now)


def prove_passphrase(
    installation: Installation, reference: str, passphrase: str, *, actor: Actor, now: datetime
) -> Answer:
    """The reset passphrase. A wrong one counts as a try. Raises `UnknownCase`."""
    # Hashing takes some 20 ms: before the lock, so that nobody waits for it. The hash is frozen while the case is open.
    right = _is_passphrase_of(installation, reference, passphrase)
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        if problem := _passphrase_problem(case, now):
            return answer(case, problem)
        if right is None:
            # The code's proof came in between: now there is a passphrase to compare.
            right = passphrase_matches(passphrase, case.passphrase_hash or "")
        if not right:
            return _wrong_passphrase(case, actor, now)
        _add_proof(case, ProofKind.PASSPHRASE, "passphrase typed", now)
        fire(case, "check_passphrase", actor=actor, now=now, required=True)
        _settle(case, now)
        return answer(case)


def attest_password(installation: Installation, reference: str, *, signed_in_at: datetime, now: datetime) -> Answer:
    """The billing system attests that the customer has just signed in with the password. Raises `UnknownCase`.

    A sign-in that is too old, or further ahead than clocks differ, is none.
    """
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return answer(case, Problem.CLOSED)
        fresh_for = installation.policy.limits.password_fresh_for
        if not now - fresh_for < signed_in_at <= now + _CLOCKS_DIFFER:
            return answer(case, Problem.SIGN_IN_NOT_RECENT)
        fresh_until = signed_in_at + fresh_for
        _add_proof(case, ProofKind.PASSWORD, "password sign-in", now, fresh_until)
        case.record("password_attested", actor=Actor.BILLING, now=now)
        _settle(case, now)
        return answer(case)


def _is_passphrase_of(installation: Installation, reference: str, passphrase: str) -> bool | None:
    """Whether it is the case's passphrase; None where the case does not wait for one yet."""
    with installation.database.read() as connection:
        passphrase_hash = connection.execute(_AWAITED_PASSPHRASE, {"reference": reference}).scalar_one_or_none()
    return None if passphrase_hash is None else passphrase_matches(passphrase, passphrase_hash)


def _awaited(case: Case, now: datetime) -> tuple[Problem | None, Issued | None]:
    """The challenge whose code is awaited now, or why there is none."""
    expire_if_due(case, now)
    if not case.is_open:
        return Problem.CLOSED, None
    challenge = challenges.current(case)
    if challenge is None and case.state is not CaseState.REQUESTED:
        return Problem.ALREADY_PROVEN, None
    if challenge is None or not challenge.is_valid(now) or _tries_left(case, challenge) == 0:
        return Problem.NO_VALID_CODE, None
    return None, challenge


def _contact_proven(case: Case, challenge: Issued, how: str, actor: Actor, now: datetime) -> Answer:
    challenges.use(case.connection, challenge, now)
    if case.state is not CaseState.REQUESTED:
        # Somebody who has lost the case's page comes back to it by a new code. The case stays where it is.
        case.record("contact_proven_again", actor=actor, now=now, channel=case.channel, how=how)
        return answer(case)
    _add_proof(case, ProofKind.CODE, how, now)
    fire(case, "verify_contact", actor=actor, now=now, channel=case.channel, how=how)
    if case.passphrase_hash is None:
        fire(case, "check_passphrase", actor=Actor.SYSTEM, now=now, required=False)
        _settle(case, now)
    return answer(case)


def _passphrase_problem(case: Case, now: datetime) -> Problem | None:
    expire_if_due(case, now)
    if not case.is_open:
        return Problem.CLOSED
    if case.passphrase_hash is None:
        return Problem.NO_PASSPHRASE
    if case.state is CaseState.REQUESTED:
        return Problem.CODE_FIRST
    return None if case.state is CaseState.CONTACT_VERIFIED else Problem.ALREADY_PROVEN


def _wrong_code(case: Case, challenge: Issued, actor: Actor, now: datetime) -> Answer:
    challenges.count_try(case.connection, challenge)
    left = _tries_left(case, challenge) - 1
    _count_wrong_try(case, "wrong_code", actor, now, left)
    return answer(case, Problem.WRONG_CODE if case.is_open else Problem.CLOSED, tries_left=left)


def _wrong_passphrase(case: Case, actor: Actor, now: datetime) -> Answer:
    left = case.installation.policy.limits.wrong_tries_per_case - case.wrong_tries - 1
    _count_wrong_try(case, "wrong_passphrase", actor, now, left)
    return answer(case, Problem.WRONG_PASSPHRASE if case.is_open else Problem.CLOSED, tries_left=left)


def _tries_left(case: Case, challenge: Issued) -> int:
    assert case.channel is not None  # noqa: S101 - a case with a challenge has a channel
    of_code = case.installation.policy.channels[case.channel].tries - challenge.tries
    of_case = case.installation.policy.limits.wrong_tries_per_case - case.wrong_tries
    return max(0, min(of_code, of_case))


def _count_wrong_try(case: Case, event: str, actor: Actor, now: datetime, left: int) -> None:
    limits = case.installation.policy.limits
    case.wrong_tries += 1
    case.account.wrong_in_a_row += 1
    case.record(event, actor=actor, now=now, tries_left=left)
    if case.account.wrong_in_a_row >= limits.wrong_tries_per_account:
        case.account.resets_disabled_at = now
        fire(case, "deny", actor=Actor.SYSTEM, now=now, why="too many wrong tries in a row on this account")
    elif case.wrong_tries >= limits.wrong_tries_per_case:
        fire(case, "deny", actor=Actor.SYSTEM, now=now, why="the tries are used up")


def _add_proof(case: Case, kind: ProofKind, how: str, now: datetime, fresh_until: datetime | None = None) -> None:
    row = {"case_id": case.id, "kind": kind, "met_at": now, "fresh_until": fresh_until, "how": how}
    if kind in case.proofs:
        case.connection.execute(_FORGET, {"case_id": case.id, "kind": kind})
    case.connection.execute(insert(Proof), row)
    case.proofs[kind] = fresh_until


def _settle(case: Case, now: datetime) -> None:
    """Takes the best set of proofs that is met: completes the case, or starts the hold that the set asks for."""
    if case.state is not CaseState.PASSPHRASE_CHECKED:
        return
    fresh = [kind for kind, fresh_until in case.proofs.items() if fresh_until is None or now < fresh_until]
    best = case.installation.policy.sufficient(fresh)
    if best is None:
        return
    hold_until = now + max(best.hold, timedelta(seconds=case.least_hold_seconds))
    if case.hold_until is None or hold_until < case.hold_until:
        _take(case, best, hold_until, now)


def _take(case: Case, best: ProofSet, hold_until: datetime, now: datetime) -> None:
    case.proof_set, case.remark, case.hold_until = best.name, best.remark, hold_until
    case.expires_at = hold_until + case.installation.policy.limits.complete_within
    until = hold_until.isoformat()
    case.record(
        "proofs_suffice", actor=Actor.SYSTEM, now=now, proof_set=best.name, remark=best.remark, hold_until=until
    )
    if hold_until <= now and case.held_for is None:
        fire(case, "complete", actor=Actor.SYSTEM, now=now)
    else:
        case.owe_notices(MessageKind.NOTICE_HOLD_STARTED, now)
