"""A mail server's report that a mail of ours can never be delivered: it counts if the token of that mail is in it.

So a forged bounce silences nothing. What counts is heard as if the vendor had said it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from models.messages import Message
from policy.vocabulary import Fate
from workflows import receipts
from workflows.installation import Installation
from workflows.receipts import Said
from workflows.threads import message_of

_SENT = select(Message.id, Message.provider, Message.provider_id).where(
    Message.id == bindparam("message_id"), Message.provider_id.is_not(None)
)


def hear(installation: Installation, connection: Connection, tokens: Iterable[str], now: datetime) -> tuple[UUID, ...]:
    """Stores that the message of the first right token bounced; answers with the receipt to ring for, if it is new."""
    for token in tokens:
        message_id = message_of(installation, token)
        row = message_id and connection.execute(_SENT, {"message_id": message_id}).one_or_none()
        if row:
            event_id = f"bounce of {row.id} {row.provider_id}"
            word = Said(row.provider, event_id, row.id, row.provider_id, Fate.UNREACHABLE, "bounced", None)
            stored = receipts.store(connection, word, now)
            return (stored,) if stored else ()
    return ()
