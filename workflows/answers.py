"""What a step in a case leads to: an `Answer`, also where the step was wrong, because wrong tries have to be saved."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from models.cases import CaseState
from workflows.cases import Case


class Problem(StrEnum):
    """Why a step did not succeed. The page and the command line word it."""

    CLOSED = "closed"
    HELD = "held"
    NOT_RELEASABLE = "not_releasable"
    WRONG_CODE = "wrong_code"
    MALFORMED_CODE = "malformed_code"
    NO_VALID_CODE = "no_valid_code"
    WRONG_LINK = "wrong_link"
    ALREADY_PROVEN = "already_proven"
    CODE_FIRST = "code_first"
    WRONG_PASSPHRASE = "wrong_passphrase"
    NO_PASSPHRASE = "no_passphrase"
    TOO_SOON = "too_soon"
    NO_MORE_SENDS = "no_more_sends"
    SIGN_IN_NOT_RECENT = "sign_in_not_recent"


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the case stands after a step; `problem` is None where it succeeded. Ring for `owed` after the commit.

    `tries_left` comes with a wrong code or passphrase, `next_at` with a send that came too soon.
    """

    case_id: UUID
    reference: str
    state: CaseState
    closed_at: datetime | None
    problem: Problem | None
    tries_left: int | None
    next_at: datetime | None
    owed: tuple[UUID, ...]


def answer(
    case: Case,
    problem: Problem | None = None,
    *,
    tries_left: int | None = None,
    next_at: datetime | None = None,
    also: tuple[UUID, ...] = (),
) -> Answer:
    """The answer for a case as it stands now; `also` is owed besides what the case owes."""
    owed = case.owed + also
    return Answer(case.id, case.reference, case.state, case.closed_at, problem, tries_left, next_at, owed)
