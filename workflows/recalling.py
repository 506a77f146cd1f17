"""Stopping a letter that has not left yet, when its case was closed.

One of which nobody knows whether the vendor has it is looked for until its date: that the vendor lists none says only
that it has none yet.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, update

from models.cases import OPEN_STATES, Actor, ResetCase
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel, MessageKind
from workflows.cases import locked
from workflows.installation import Installation

# While it is with a worker, that one has the next word.
_MAY_BE_WITH_VENDOR = or_(
    Message.status == MessageStatus.SENT,
    and_(Message.status != MessageStatus.CLAIMED, Message.in_doubt_since.is_not(None)),
)
IS_DUE = and_(
    Message.leaves_at > bindparam("now"),
    Message.kind == MessageKind.RESET_CODE,
    _MAY_BE_WITH_VENDOR,
    Message.recalled_at.is_(None),
    ResetCase.state.not_in(OPEN_STATES),
)
"""Of a message joined to its case: whether it is a letter that is to be stopped `now`."""

_DUE = (
    select(Message.id, Message.case_id, Message.channel, Message.provider_id)
    .join(ResetCase, ResetCase.id == Message.case_id)
    .where(Message.id == bindparam("message_id"), IS_DUE)
)
_RECALLED = (
    update(Message)
    .where(Message.id == bindparam("of"), Message.recalled_at.is_(None))
    .values(recalled_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Recall:
    """A letter that is to be stopped, by the vendor's id for it; None where it has to be looked for."""

    message_id: UUID
    case_id: UUID
    channel: Channel
    provider_id: str | None


def due(installation: Installation, message_id: UUID, now: datetime) -> Recall | None:
    """The recall that is due for this message; None where there is none, or the letter has left."""
    with installation.database.read() as connection:
        row = connection.execute(_DUE, {"message_id": message_id, "now": now}).one_or_none()
    return None if row is None else Recall(row.id, row.case_id, row.channel, row.provider_id)


def record(installation: Installation, recall: Recall, now: datetime, *, stopped: bool) -> None:
    """The vendor stopped the letter, or says that it is too late; the history tells which."""
    event = "letter_stopped" if stopped else "letter_not_stopped"
    with installation.database.begin() as connection:
        if connection.execute(_RECALLED, {"of": recall.message_id, "now": now}).rowcount:
            with locked(installation, connection, recall.case_id) as case:
                case.record(event, actor=Actor.SYSTEM, now=now)
