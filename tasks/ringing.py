"""`ring`: tells the broker, best effort, which messages are due and which mails wait for their judge."""

import logging
from collections.abc import Iterable
from uuid import UUID

from tasks.broker import DELIVER, JUDGE, RECALL, SETTLE, app

log = logging.getLogger(__name__)


def ring(message_ids: Iterable[UUID]) -> None:
    """Publishes `deliver` for each message. Call it after the commit. A broker that is down costs time only."""
    _publish(DELIVER, message_ids)


def ring_for_mails(mail_ids: Iterable[UUID]) -> None:
    """Publishes `judge` for each mail, in the same way."""
    _publish(JUDGE, mail_ids)


def ring_for_receipts(receipt_ids: Iterable[UUID]) -> None:
    """Publishes `settle` for each word of a vendor, in the same way."""
    _publish(SETTLE, receipt_ids)


def ring_for_recalls(message_ids: Iterable[UUID]) -> None:
    """Publishes `recall` for each letter that is to be stopped, in the same way."""
    _publish(RECALL, message_ids)


def _publish(task: str, ids: Iterable[UUID]) -> None:
    ids = list(ids)
    if not ids:
        return
    try:
        with app.producer_or_acquire() as producer:
            for each in ids:
                app.send_task(task, (str(each),), producer=producer)
    except Exception as error:  # noqa: BLE001 - each transport has its own errors, and none may undo what is committed
        log.warning("the broker cannot be reached (%s); the relay will ring for %d", type(error).__name__, len(ids))
