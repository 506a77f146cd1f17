"""How many messages one number or address gets, whosever it is: against pumping of SMS and bombing with letters.

What counts is each try that the vendor took, also where one message is sent several times, and each message that it may
have.
"""

from datetime import datetime

from sqlalchemy import CompoundSelect, Connection, bindparam, select, union_all

from models.accounts import ContactPoint
from models.base import AnyRow, UtcDateTime
from models.database import wait_for_turn
from models.messages import Attempt, Message, MessageStatus, Outcome
from workflows.installation import Installation

_TO = (
    Message.channel == bindparam("channel"),
    Message.contact_id == ContactPoint.id,
    ContactPoint.value == bindparam("value"),
)
_OTHER = Message.id != bindparam("but")
_SINCE = bindparam("since", type_=UtcDateTime())
_LATELY: CompoundSelect[datetime] = union_all(
    select(Attempt.started_at.label("at"))
    .join(Message, Message.id == Attempt.message_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(*_TO, Attempt.outcome == Outcome.SENT, Attempt.started_at > _SINCE),
    # The doubt of a message is cleared by trying it again, so it does not stand in its own way.
    select(Message.in_doubt_since.label("at"))
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(*_TO, _OTHER, Message.status != MessageStatus.CLAIMED, Message.in_doubt_since > _SINCE),
    # What is with another worker just now has no attempt yet.
    select(Message.claimed_at.label("at"))
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(*_TO, _OTHER, Message.status == MessageStatus.CLAIMED, Message.claimed_at > _SINCE),
)


def wait_for(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> datetime | None:
    """Until when the message of `row` waits, because its destination has had enough; None where it may go."""
    limits = installation.policy.channels[row.channel].to_one_destination
    if not limits or row.value is None:
        return None
    # Two workers that counted at once would both find room for one more.
    digest = installation.keyring.digest(row.value.encode(), purpose="turn of a destination")
    wait_for_turn(connection, f"keyturn destination {digest.hex()}")
    since = now - max(limit.within for limit in limits)
    key = {"value": row.value, "channel": row.channel, "but": row.id, "since": since}
    sent = sorted((each.at for each in connection.execute(_LATELY, key)), reverse=True)
    full = [limit for limit in limits if len(sent) >= limit.most]
    ends = [sent[limit.most - 1] + limit.within for limit in full]
    return max((end for end in ends if end > now), default=None)
