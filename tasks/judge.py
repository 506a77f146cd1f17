"""Judges one stored mail: reads it, and has the intake decide what becomes of it."""

import logging
from types import MappingProxyType
from uuid import UUID

from foundation import clock
from inbox.judging import Ask
from inbox.reader import read_and_judge
from inbox.reading import Unreadable
from tasks.broker import JUDGE, app
from tasks.ringing import ring, ring_for_receipts
from workflows import installation, intake
from workflows.intake import Reading, Request

log = logging.getLogger(__name__)

_REQUESTS = MappingProxyType(
    {
        Ask.RESET: Request.RESET,
        Ask.SOMETHING_ELSE: Request.SOMETHING_ELSE,
        Ask.AUTOMATIC: Request.AUTOMATIC,
    }
)


@app.task(name=JUDGE)
def judge_mail(mail_id: str) -> None:
    """Decides on the mail if nobody has yet."""
    loaded = installation.load()
    mail = intake.stored(loaded, UUID(mail_id))
    if mail is None:
        return
    decided = intake.decide(loaded, UUID(mail_id), reading_of(mail.raw), clock.now())
    if decided is not None:
        log.info("mail %s: %s", mail_id, decided.verdict)
        ring(decided.owed)
        ring_for_receipts(decided.receipts)


def reading_of(raw: bytes) -> Reading:
    """What the mail says, whatever its bytes."""
    try:
        read = read_and_judge(raw)
    except Unreadable as fault:
        return Reading(Request.UNREADABLE, (str(fault),))
    mail, judgement = read.mail, read.judgement
    reasons = judgement.reasons if mail.sender else (*judgement.reasons, mail.sender_problem or "")
    return Reading(_REQUESTS[judgement.asks], reasons, mail.sender, mail.message_id)
