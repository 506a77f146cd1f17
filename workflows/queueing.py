"""The row of a message that waits to be sent: the one shape in which all of them are queued."""

from datetime import datetime
from uuid import UUID

from models.base import new_id
from models.messages import MessageStatus
from policy.vocabulary import Change, Channel, MessageKind


def queued(
    kind: MessageKind, channel: Channel, now: datetime, *, due_at: datetime | None = None, **of: UUID | Change | None
) -> dict[str, object]:
    """A row for `Message`, due now or at `due_at`. `of` are the columns that say what it is about and who gets it.

    What is due now counts as rung for: whoever queues it rings after the commit.
    """
    due = due_at or now
    return {
        "id": new_id(),
        "kind": kind,
        "channel": channel,
        "status": MessageStatus.QUEUED,
        "created_at": now,
        "due_at": due,
        "rung_at": now if due == now else None,
        **of,
    }
