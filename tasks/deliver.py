"""Sends one message: claims it, calls the channel's notifier with no transaction open, and records what happened."""

import logging
from types import MappingProxyType
from uuid import UUID

from foundation import clock
from foundation.settings import Settings
from models.cases import AskedThrough
from models.messages import Outcome
from notifiers import contract
from notifiers.contract import Brand, DeliveryFailed, OutgoingMessage, Receipt
from notifiers.directory import ChannelUnavailable, for_channel
from tasks.broker import DELIVER, app
from tasks.ringing import ring
from workflows import delivery, installation
from workflows.installation import Installation
from workflows.parcels import Parcel

log = logging.getLogger(__name__)

_OUTCOMES = MappingProxyType(
    {
        contract.NotSent: Outcome.NOT_SENT,
        contract.Unavailable: Outcome.UNAVAILABLE,
        contract.Rejected: Outcome.REJECTED,
        contract.Misconfigured: Outcome.MISCONFIGURED,
        contract.Unknown: Outcome.UNKNOWN,
    }
)
_THROUGH = MappingProxyType(
    {AskedThrough.INBOX: contract.AskedThrough.EMAIL, AskedThrough.SUPPORT: contract.AskedThrough.SUPPORT}
)


@app.task(name=DELIVER)
def deliver(message_id: str) -> None:
    """Sends the message if it is due; does nothing if it was sent, or is with another worker."""
    loaded = installation.load()
    parcel = delivery.claim(loaded, UUID(message_id), clock.now())
    if parcel is None:
        return
    try:
        receipt = _send(loaded.settings, parcel)
    except ChannelUnavailable as unavailable:
        # Nobody's code waits for a channel that this installation does not have: the backup, or a supervisor.
        log.warning("message %s cannot go: %s", message_id, unavailable)
        ring(delivery.record_failed(loaded, parcel, Outcome.REJECTED, "channel_unavailable", clock.now()))
    except DeliveryFailed as failure:
        _record(loaded, parcel, failure)
    except Exception as error:
        log.exception("message %s: not sent, because of a bug", message_id)
        delivery.record_failed(loaded, parcel, Outcome.UNKNOWN, type(error).__name__, clock.now())
    else:
        delivery.record_sent(loaded, parcel, receipt.provider, receipt.provider_id, clock.now())


def _send(settings: Settings, parcel: Parcel) -> Receipt:
    return for_channel(parcel.channel, settings).send(_outgoing(settings, parcel), parcel.permit)


def _record(loaded: Installation, parcel: Parcel, failure: DeliveryFailed) -> None:
    outcome = _OUTCOMES[type(failure)]
    level = logging.ERROR if outcome is Outcome.MISCONFIGURED else logging.WARNING
    log.log(level, "message %s over %s: %s (%s)", parcel.message_id, parcel.channel, outcome, failure.code)
    retry_after = failure.retry_after if isinstance(failure, contract.Unavailable) else None
    ring(delivery.record_failed(loaded, parcel, outcome, failure.code, clock.now(), retry_after))


def _outgoing(settings: Settings, parcel: Parcel) -> OutgoingMessage:
    return OutgoingMessage(
        id=parcel.message_id,
        kind=parcel.kind,
        brand=_brand(settings),
        typed_at=settings.public_url.split("://", 1)[1],
        requested_at=parcel.requested_at,
        asked_through=_THROUGH[parcel.asked_through] if parcel.asked_through else None,
        customer_name=parcel.customer_name,
        reference=parcel.reference,
        code=parcel.code,
        link=_link(settings, "confirm", parcel.reference, parcel.token),
        cancel_link=_link(settings, "stop", parcel.reference, parcel.stop_token),
        valid_until=parcel.valid_until,
        hold_until=parcel.hold_until,
        in_reply_to=parcel.in_reply_to,
    )


def _link(settings: Settings, page: str, reference: str | None, token: str | None) -> str | None:
    return f"{settings.public_url}/{page}/{reference}/{token}" if token else None


def _brand(settings: Settings) -> Brand:
    return Brand(
        name=settings.brand_name,
        support_email=settings.brand_support_email,
        support_phone=settings.brand_support_phone,
        url=settings.brand_url,
        colour=settings.brand_colour,
    )
