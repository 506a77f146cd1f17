"""Saying that a factor was stolen: once the contact is proven it is suspended at once, and signs in no longer.

Cancelling the case restores it. A case that ends in any other way does not: a thief could wait for that.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from authenticators.listing import Listed, current
from authenticators.suspending import suspend
from models.cases import Actor, ResetCase
from policy.vocabulary import Change, ProofKind
from workflows import portal
from workflows.answers import Answer, Problem, answer
from workflows.cases import locked
from workflows.installation import Installation
from workflows.machine import expire_if_due
from workflows.telling import tell_change

_ACCOUNT = select(ResetCase.account_id).where(ResetCase.reference == bindparam("reference"))


def factors_of(installation: Installation, reference: str) -> tuple[Listed, ...]:
    """The account's factors. Show them only to the case's session: a stranger must not learn what exists."""
    with installation.database.read() as connection:
        account_id = connection.execute(_ACCOUNT, {"reference": reference}).scalar_one()
        return current(connection, account_id)


def report(installation: Installation, reference: str, authenticator_id: UUID, now: datetime) -> Answer:
    """Suspends the factor. Saying it twice changes nothing. Raises `UnknownCase`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return answer(case, Problem.CLOSED)
        if ProofKind.CODE not in case.proofs:
            return answer(case, Problem.CODE_FIRST)
        told: tuple[UUID, ...] = ()
        if suspend(connection, case.account.id, authenticator_id, case.id, now):
            portal.forget_factors(connection, case.account.id)
            case.record("factor_suspended", actor=Actor.CUSTOMER, now=now, authenticator=str(authenticator_id))
            told = tell_change(installation, connection, case.account, Change.FACTOR_SUSPENDED, now)
        return answer(case, also=told)
