"""What a completed reset grants: one new second factor may be enrolled, for as long as the policy says.

The link that says so goes to the contact point that was proven and grants nothing alone. Its token is derived, never
stored: whoever opens it proves the case once more, or has the session that proved it.
"""

import base64
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from models.access import Enrolment
from models.base import AnyRow
from workflows.cases import Case
from workflows.installation import Installation

_LINK = "enrolment link"
_TOKEN_BYTES = 16

_OF_CASE = select(Enrolment.account_id, Enrolment.ends_at, Enrolment.used_at).where(
    Enrolment.case_id == bindparam("case_id")
)
_USE = (
    update(Enrolment)
    .where(
        Enrolment.case_id == bindparam("of_case"),
        Enrolment.used_at.is_(None),
        Enrolment.ends_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)


def grant(case: Case, now: datetime) -> None:
    """Lets the customer of a case that completes enrol a new factor."""
    ends_at = now + case.installation.policy.sign_in.enrolment_valid
    row = {"case_id": case.id, "account_id": case.account.id, "ends_at": ends_at}
    case.connection.execute(insert(Enrolment), row)


def of_case(connection: Connection, case_id: UUID) -> AnyRow | None:
    """The grant of a case: `account_id`, `ends_at` and `used_at`."""
    return connection.execute(_OF_CASE, {"case_id": case_id}).one_or_none()


def use(connection: Connection, case_id: UUID, now: datetime) -> bool:
    """Uses the grant up; False where it was used, or is over."""
    return connection.execute(_USE, {"of_case": case_id, "now": now}).rowcount == 1


def enrolment_token(installation: Installation, case_id: UUID) -> str:
    """What the link carries: 22 characters of URL-safe base 64, 128 bits."""
    digest = installation.keyring.digest(case_id.bytes, purpose=_LINK)[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_enrolment_token(installation: Installation, case_id: UUID, shown: str) -> bool:
    """Whether this is the token of the case's link."""
    try:
        beginning = base64.b64decode(shown + "==", altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(beginning) == _TOKEN_BYTES and installation.keyring.begins_digest(
        beginning, case_id.bytes, purpose=_LINK
    )
