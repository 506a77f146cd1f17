"""What is erased in time: mails that are older than the policy keeps them, and visits and challenges that are over.

What a mail said goes, what was decided stays. A case's history needs none of what goes: it names its mail by id. A mail
that nobody has judged yet is never erased. That a customer was at the settings stays in the account's history.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update

from models.access import PortalSession
from models.base import UtcDateTime
from models.factors import KeyChallenge
from models.inbound import InboundMail, Verdict
from workflows import crowded_addresses
from workflows.installation import Installation

_SLACK = timedelta(days=1)
"""What is over may still be asked about, and be told that it is: a link that was used, a page that is old."""

_BATCH = 500  # rows that one transaction takes

_TOO_OLD = (
    select(InboundMail.id)
    .where(
        InboundMail.erased_at.is_(None),
        InboundMail.received_at <= bindparam("before"),
        InboundMail.verdict != Verdict.RECEIVED,
    )
    .order_by(InboundMail.received_at)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_ERASE = (
    update(InboundMail)
    .where(InboundMail.id.in_(_TOO_OLD))
    .values(raw=b"", sender=None, message_id=None, erased_at=bindparam("now"))
)

_FORGET_CHALLENGES = delete(KeyChallenge).where(KeyChallenge.expires_at <= bindparam("before"))
_ENDED = func.coalesce(PortalSession.ends_at, PortalSession.link_until, PortalSession.created_at, type_=UtcDateTime())
_FORGET_VISITS = delete(PortalSession).where(bindparam("before", type_=UtcDateTime()) >= _ENDED)


def forget_visits(installation: Installation, now: datetime) -> None:
    """Deletes visits to the settings, what security keys were to sign, and counts of addresses, once they are over."""
    with installation.database.begin() as connection:
        for statement in (_FORGET_CHALLENGES, _FORGET_VISITS):
            connection.execute(statement, {"before": now - _SLACK})
        crowded_addresses.forget_old(connection, now)


def erase_mails(installation: Installation, now: datetime) -> int:
    """Erases all that is due, batch by batch; answers with how many mails that were."""
    key = {"before": now - installation.policy.inbox.kept_for, "now": now}
    erased = 0
    while batch := _erase_batch(installation, key):
        erased += batch
    return erased


def _erase_batch(installation: Installation, key: dict[str, datetime]) -> int:
    with installation.database.begin() as connection:
        return connection.execute(_ERASE, key).rowcount
