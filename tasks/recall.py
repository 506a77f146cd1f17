"""Has the vendor stop a letter that has not left yet."""

import logging
from uuid import UUID

from foundation import clock
from notifiers.contract import DeliveryFailed
from notifiers.directory import ChannelUnavailable, recaller
from tasks.broker import RECALL, app
from workflows import installation, recalling
from workflows.installation import Installation
from workflows.recalling import Recall

log = logging.getLogger(__name__)


@app.task(name=RECALL)
def recall_letter(message_id: str) -> None:
    """Stops the letter if it is to be stopped; asking the vendor twice does no harm."""
    recall_if_due(installation.load(), UUID(message_id))


def recall_if_due(loaded: Installation, message_id: UUID) -> None:
    """What `recall_letter` does, for any installation."""
    recall = recalling.due(loaded, message_id, clock.now())
    if recall is None:
        return
    # Until the letter has left the relay rings again, also where the vendor does not list it.
    try:
        stopped = _stopped(loaded, recall)
    except (ChannelUnavailable, DeliveryFailed) as failure:
        log.warning("letter %s: not stopped yet (%s)", recall.message_id, type(failure).__name__)
    else:
        if stopped is not None:
            recalling.record(loaded, recall, clock.now(), stopped=stopped)


def _stopped(loaded: Installation, recall: Recall) -> bool | None:
    """Whether the vendor stopped the letter; None where it was in doubt and the vendor lists none so far."""
    vendor = recaller(recall.channel, loaded.settings)
    provider_id = recall.provider_id or vendor.find(recall.message_id)
    return vendor.recall(provider_id) if provider_id else None
