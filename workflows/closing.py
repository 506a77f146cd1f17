"""Cancelling a case: by its customer ("this wasn't me"), also from a notice's link, or by an agent."""

from datetime import datetime
from uuid import UUID

from authenticators.suspending import restore_suspended
from models.cases import Actor
from workflows.answers import Answer, Problem, answer
from workflows.cases import locked
from workflows.installation import Installation
from workflows.machine import expire_if_due, fire

_STOP = "stop link"


def cancel(installation: Installation, reference: str, *, actor: Actor, now: datetime, how: str) -> Answer:
    """Cancels the case; a case that is closed stays as it is. Raises `UnknownCase`."""
    with installation.database.begin() as connection, locked(installation, connection, reference) as case:
        expire_if_due(case, now)
        if not case.is_open:
            return answer(case, Problem.CLOSED)
        fire(case, "cancel", actor=actor, now=now, how=how)
        # Somebody says that nothing was lost.
        restore_suspended(connection, case.id)
        return answer(case)


def stop_token(installation: Installation, case_id: UUID) -> str:
    """What a link carries that cancels this case and does nothing else: 64 hexadecimal digits, derived, not stored."""
    return installation.keyring.digest(case_id.bytes, purpose=_STOP).hex()


def is_stop_token(installation: Installation, case_id: UUID, shown: str) -> bool:
    """Whether this is the case's token for cancelling."""
    try:
        digest = bytes.fromhex(shown)
    except ValueError:
        return False
    return installation.keyring.digest_matches(digest, case_id.bytes, purpose=_STOP)
