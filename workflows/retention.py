"""Mails are erased when they are older than the policy keeps them: what they said goes, what was decided stays.

A case's history needs none of what goes: it names its mail by id. A mail that nobody has judged yet is never erased.
"""

from datetime import datetime

from sqlalchemy import bindparam, select, update

from models.inbound import InboundMail, Verdict
from workflows.installation import Installation

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
