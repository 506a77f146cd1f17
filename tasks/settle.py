"""Settles what a vendor said later about a message."""

from uuid import UUID

from foundation import clock
from tasks.broker import SETTLE, app
from tasks.ringing import ring
from workflows import installation, receipts


@app.task(name=SETTLE)
def settle(receipt_id: str) -> None:
    """Does what the word means for its message, if nobody has yet."""
    ring(receipts.settle(installation.load(), UUID(receipt_id), clock.now()))
