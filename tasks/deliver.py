"""Sends one message: claims it, calls the channel's notifier with no transaction open, and records what happened."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from foundation import clock
from foundation.settings import Settings
from models.cases import AskedThrough
from models.messages import Outcome
from notifiers import contract
from notifiers.contract import Brand, DeliveryFailed, OutgoingMessage, Receipt
from notifiers.directory import ChannelUnavailable, examiner, for_channel
from policy.vocabulary import MessageKind
from tasks.broker import DELIVER, app
from tasks.ringing import ring
from workflows import delivery, installation
from workflows.delivery import Then
from workflows.installation import Installation
from workflows.parcels import Parcel

log = logging.getLogger(__name__)

_MEANINGS: Mapping[type[DeliveryFailed], tuple[Outcome, Then | None]] = MappingProxyType(
    {
        contract.NotSent: (Outcome.NOT_SENT, None),
        contract.Absent: (Outcome.NOT_SENT, Then.ANEW),
        contract.Unavailable: (Outcome.UNAVAILABLE, None),
        contract.Rejected: (Outcome.REJECTED, None),
        contract.Unaddressable: (Outcome.REJECTED, Then.UNASKED),
        contract.Misconfigured: (Outcome.MISCONFIGURED, None),
        contract.Unknown: (Outcome.UNKNOWN, None),
        contract.Undecided: (Outcome.UNKNOWN, Then.NOTHING),
    }
)
_THROUGH = MappingProxyType(
    {AskedThrough.INBOX: contract.AskedThrough.EMAIL, AskedThrough.SUPPORT: contract.AskedThrough.SUPPORT}
)


@app.task(name=DELIVER)
def deliver(message_id: str) -> None:
    """Sends the message if it is due; does nothing if it was sent, or is with another worker."""
    send_if_due(installation.load(), UUID(message_id))


def send_if_due(loaded: Installation, message_id: UUID) -> None:
    """What `deliver` does, for any installation."""
    parcel = delivery.claim(loaded, message_id, clock.now())
    if parcel is None:
        return
    try:
        refused = _examine(loaded, parcel) if parcel.unexamined else None
        receipt = _send(loaded.settings, parcel) if refused is None else None
    except ChannelUnavailable as unavailable:
        # Nobody's code waits for a channel that this installation does not have: the backup, or a supervisor.
        log.warning("message %s cannot go: %s", message_id, unavailable)
        why, now = "channel_unavailable", clock.now()
        ring(delivery.record_failed(loaded, parcel, Outcome.REJECTED, why, now, then=Then.UNASKED))
    except DeliveryFailed as failure:
        _record(loaded, parcel, failure)
    except Exception as error:
        log.exception("message %s: not sent, because of a bug", message_id)
        delivery.record_failed(loaded, parcel, Outcome.UNKNOWN, type(error).__name__, clock.now())
    else:
        if receipt is not None:
            delivery.record_sent(loaded, parcel, receipt.provider, receipt.provider_id, clock.now())
        ring(refused or ())


def _examine(loaded: Installation, parcel: Parcel) -> tuple[UUID, ...] | None:
    """Has the vendor say what the contact point is; None where the message may go there, or nobody can be asked."""
    asked = examiner(parcel.channel, loaded.settings)
    if asked is None:
        return None
    finding = asked.examine(parcel.permit)
    refused = delivery.record_finding(loaded, parcel, finding, clock.now())
    if refused is not None:
        log.warning("message %s over %s: not sent, its destination is %s", parcel.message_id, parcel.channel, finding)
    return refused


def _send(settings: Settings, parcel: Parcel) -> Receipt:
    return for_channel(parcel.channel, settings).send(_outgoing(settings, parcel), parcel.permit)


def _record(loaded: Installation, parcel: Parcel, failure: DeliveryFailed) -> None:
    outcome, then = _MEANINGS[type(failure)]
    level = logging.ERROR if outcome is Outcome.MISCONFIGURED else logging.WARNING
    log.log(level, "message %s over %s: %s (%s)", parcel.message_id, parcel.channel, outcome, failure.code)
    retry_after = failure.retry_after if isinstance(failure, contract.Unavailable | contract.Unknown) else None
    now = clock.now()
    ring(delivery.record_failed(loaded, parcel, outcome, failure.code, now, then=then, retry_after=retry_after))


def _outgoing(settings: Settings, parcel: Parcel) -> OutgoingMessage:
    return OutgoingMessage(
        id=parcel.message_id,
        kind=parcel.kind,
        brand=Brand.of(settings),
        typed_at=settings.typed_address,
        requested_at=parcel.requested_at,
        asked_through=_THROUGH[parcel.asked_through] if parcel.asked_through else None,
        customer_name=parcel.customer_name,
        reference=parcel.reference,
        code=parcel.code,
        link=_link_on(settings, parcel),
        cancel_link=_link(settings, "stop", parcel.reference, parcel.stop_token),
        valid_until=parcel.valid_until,
        hold_until=parcel.hold_until,
        change=parcel.change,
        in_reply_to=parcel.in_reply_to,
        thread=parcel.thread,
        reply_to=_reply_to(settings, parcel.thread),
        leaves_at=parcel.leaves_at,
        call_link=_call_link(settings, parcel),
        in_doubt_since=parcel.in_doubt_since,
        known_ids=parcel.known_ids,
    )


def _reply_to(settings: Settings, thread: str | None) -> str | None:
    """Where an answer to the mail goes: an address whose part after the plus says what it answers (RFC 5233)."""
    local, at, domain = settings.inbox_address.rpartition("@")
    return f"{local}+{thread}@{domain}" if at and thread else None


def _link_on(settings: Settings, parcel: Parcel) -> str | None:
    if parcel.kind is MessageKind.ENROLMENT_LINK:
        # Under the case's address, so that the cookie of the browser that proved it comes along.
        return f"{settings.public_url}/reset/{parcel.reference}/enrol/{parcel.token}"
    return _link(settings, "confirm", parcel.reference, parcel.token)


def _link(settings: Settings, page: str, reference: str | None, token: str | None) -> str | None:
    return f"{settings.public_url}/{page}/{reference}/{token}" if token else None


def _call_link(settings: Settings, parcel: Parcel) -> str | None:
    return f"{settings.public_url}/calls/{parcel.message_id}/{parcel.call_token}" if parcel.call_token else None
