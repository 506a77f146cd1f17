"""How many messages one number or address gets, whosever it is: against pumping of SMS and bombing with letters."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from models.accounts import ContactPoint
from models.base import AnyRow, UtcDateTime
from models.messages import Message, MessageStatus
from workflows.installation import Installation

_LATELY = (
    select(func.coalesce(Message.sent_at, Message.claimed_at, type_=UtcDateTime()).label("at"))
    .join(ContactPoint, ContactPoint.id == Message.contact_id)
    .where(
        ContactPoint.value == bindparam("value"),
        Message.channel == bindparam("channel"),
        Message.id != bindparam("but"),
        Message.status.in_([MessageStatus.CLAIMED, MessageStatus.SENT]),
        func.coalesce(Message.sent_at, Message.claimed_at) > bindparam("since", type_=UtcDateTime()),
    )
    .order_by(func.coalesce(Message.sent_at, Message.claimed_at).desc())
)


def wait_for(installation: Installation, connection: Connection, row: AnyRow, now: datetime) -> datetime | None:
    """Until when the message of `row` waits, because its destination has had enough; None where it may go."""
    limits = installation.policy.channels[row.channel].to_one_destination
    if not limits or row.value is None:
        return None
    since = now - max(limit.within for limit in limits)
    key = {"value": row.value, "channel": row.channel, "but": row.id, "since": since}
    sent = [each.at for each in connection.execute(_LATELY, key)]
    full = [limit for limit in limits if len(sent) >= limit.most]
    ends = [sent[limit.most - 1] + limit.within for limit in full]
    return max((end for end in ends if end > now), default=None)
