"""Telling a customer what changed on the account, at every contact point that can be reached.

A contact point that is being replaced is told too: call `tell_change` before it is replaced.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert

from models.messages import Message
from policy.routing import notice_ways
from policy.vocabulary import Change, MessageKind
from workflows.accounts import LockedAccount
from workflows.installation import Installation
from workflows.queueing import queued

_INSERT = insert(Message)


def tell_change(
    installation: Installation, connection: Connection, account: LockedAccount, change: Change, now: datetime
) -> tuple[UUID, ...]:
    """Queues a notice to each contact point (NIST SP 800-63B-4 §4.6). Ring for the ids after the commit."""
    ways = notice_ways(installation.policy, account.profile(connection), None)
    rows = [
        queued(MessageKind.NOTICE_CHANGED, channel, now, contact_id=contact.id, change=change)
        for channel, contact in ways
    ]
    if rows:
        connection.execute(_INSERT, rows)
    return tuple(UUID(str(row["id"])) for row in rows)
