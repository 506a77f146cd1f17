"""What a person decides on a held mail: it opens a case for an account that they name, or it is dismissed.

Who decided is kept with the mail, and in the history of the case that they opened.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, or_, select, update

from models.accounts import Account, ContactPoint
from models.cases import Actor, AskedThrough, ResetCase
from models.inbound import WAITING, InboundMail, Verdict
from workflows.accounts import account_id_of
from workflows.cases import locked
from workflows.installation import Installation
from workflows.intake import verdict_of
from workflows.opening import Opened, open_within

LONGEST_NAME = 100
"""Characters of the name of whoever decides."""

_LOCK = select(InboundMail.verdict).where(InboundMail.id == bindparam("mail_id")).with_for_update()
_DECIDE = (
    update(InboundMail)
    .where(InboundMail.id == bindparam("of"))
    .values(verdict=bindparam("to"), decided_by=bindparam("by"), decided_at=bindparam("now"))
)
_HASHES = (
    select(Account.passphrase_hash)
    .distinct()
    .outerjoin(ContactPoint, ContactPoint.account_id == Account.id)
    .outerjoin(ResetCase, ResetCase.account_id == Account.id)
    .join(InboundMail, or_(InboundMail.sender == ContactPoint.value, InboundMail.case_id == ResetCase.id))
    .where(InboundMail.id == bindparam("mail_id"), Account.passphrase_hash.is_not(None))
)
_OF_CASE = update(InboundMail).where(InboundMail.id == bindparam("of")).values(case_id=bindparam("opened"))


class UnknownMail(Exception):
    """No mail has this id. `keyturn inbox list` names them."""

    def __init__(self) -> None:
        super().__init__("there is no mail with this id")


class NotHeld(Exception):
    """The mail waits for nobody: it was decided already. Its verdict says how."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"this mail is not held: it is {verdict}")


def open_case_for(installation: Installation, mail_id: UUID, ref: str, *, by: str, now: datetime) -> Opened:
    """Opens a case for the account `ref`, or joins its open one.

    Raises `UnknownMail`, `NotHeld`, `UnknownAccount` or `ResetsDisabled`.
    """
    with installation.database.begin() as connection:
        _require_held(connection, mail_id)
        account_id = account_id_of(connection, ref)
        opened = open_within(installation, connection, account_id, AskedThrough.INBOX, actor=Actor.AGENT, now=now)
        with locked(installation, connection, opened.case_id) as case:
            case.record("mail_decided", actor=Actor.AGENT, now=now, by=by, mail=str(mail_id))
        _decide(connection, mail_id, verdict_of(opened), by, now)
        connection.execute(_OF_CASE, {"of": mail_id, "opened": opened.case_id})
    return opened


def dismiss(installation: Installation, mail_id: UUID, *, by: str, now: datetime) -> None:
    """Puts the mail aside. Raises `UnknownMail` or `NotHeld`."""
    with installation.database.begin() as connection:
        _require_held(connection, mail_id)
        _decide(connection, mail_id, Verdict.DISMISSED, by, now)


def passphrase_hashes(installation: Installation, mail_id: UUID) -> tuple[str, ...]:
    """The hashes of the passphrases that the mail may hold: those of its sender's accounts, and of its case's."""
    with installation.database.read() as connection:
        return tuple(row.passphrase_hash for row in connection.execute(_HASHES, {"mail_id": mail_id}))


def _require_held(connection: Connection, mail_id: UUID) -> None:
    verdict = connection.execute(_LOCK, {"mail_id": mail_id}).scalar_one_or_none()
    if verdict is None:
        raise UnknownMail
    if verdict not in WAITING:
        raise NotHeld(verdict)


def _decide(connection: Connection, mail_id: UUID, verdict: Verdict, by: str, now: datetime) -> None:
    connection.execute(_DECIDE, {"of": mail_id, "to": verdict, "by": by[:LONGEST_NAME], "now": now})
