"""The one door for mails, whatever their source: the raw bytes are stored, once a delivery, and a judge is rung for."""

from uuid import UUID

from foundation import clock
from inbox.packages import Source
from tasks.ringing import ring_for_mails
from workflows import intake
from workflows.installation import Installation


def take(installation: Installation, source: Source, delivery_id: str, raw: bytes) -> UUID | None:
    """Stores a delivery; None where it was stored before. A broker that is down delays its judge only."""
    mail_id = intake.store(installation, source, delivery_id, raw, clock.now())
    if mail_id is not None:
        ring_for_mails([mail_id])
    return mail_id
