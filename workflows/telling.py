"""Telling a customer what changed on the account, at every contact point that can be reached.

A contact point that is being replaced is told too: call `tell_change` before it is replaced.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert

from models.base import new_id
from models.messages import Message, MessageStatus
from policy.routing import notice_ways
from policy.vocabulary import Change, MessageKind
from workflows.accounts import LockedAccount
from workflows.installation import Installation

_INSERT = insert(Message)


def tell_change(
    installation: Installation, connection: Connection, account: LockedAccount, change: Change, now: datetime
) -> tuple[UUID, ...]:
    """Queues a notice to each contact point (NIST SP 800-63B-4 §4.6). Ring for the ids after the commit."""
    ways = notice_ways(installation.policy, account.profile(connection), None)
    rows = [
        {
            "id": new_id(),
            "kind": MessageKind.NOTICE_CHANGED,
            "channel": channel,
            "status": MessageStatus.QUEUED,
            "contact_id": contact.id,
            "change": change,
            "created_at": now,
            "due_at": now,
            "rung_at": now,
        }
        for channel, contact in ways
    ]
    if rows:
        connection.execute(_INSERT, rows)
    return tuple(UUID(str(row["id"])) for row in rows)
