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
    loaded = installation.load()
    if recall := recalling.due(loaded, UUID(message_id), clock.now()):
        _stop(loaded, recall)


def _stop(loaded: Installation, recall: Recall) -> None:
    try:
        stopped = recaller(recall.channel, loaded.settings).recall(recall.provider_id)
    except (ChannelUnavailable, DeliveryFailed) as failure:
        # The relay rings again until the letter has left.
        log.warning("letter %s: not stopped yet (%s)", recall.message_id, type(failure).__name__)
    else:
        recalling.record(loaded, recall, clock.now(), stopped=stopped)
