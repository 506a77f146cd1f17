"""What beat asks for every few seconds: the relay and the sweep."""

import logging

from foundation import clock
from tasks.broker import RELAY, SWEEP, app
from tasks.ringing import ring, ring_for_mails, ring_for_recalls, ring_for_receipts
from workflows import installation, upkeep

log = logging.getLogger(__name__)


@app.task(name=RELAY)
def relay() -> None:
    """Rings again for what is overdue."""
    loaded, now = installation.load(), clock.now()
    overdue = upkeep.overdue(loaded, now)
    ring(overdue.messages)
    ring_for_mails(overdue.mails)
    ring_for_receipts(overdue.receipts)
    ring_for_recalls(overdue.recalls)


@app.task(name=SWEEP)
def sweep() -> None:
    """Expires, completes and erases what is due."""
    swept = upkeep.sweep(installation.load(), clock.now())
    ring(swept.owed)
    level = logging.INFO if swept.expired or swept.completed or swept.erased else logging.DEBUG
    done = "sweep: done, %d expired, %d completed, %d mails erased"
    log.log(level, done, swept.expired, swept.completed, swept.erased)
