"""Judges one stored mail: reads it, finds out who wrote it, and has the intake decide what becomes of it."""

import logging
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from foundation import clock
from foundation.redaction import codes_in
from foundation.settings import Settings
from inbox.answer import Read
from inbox.authenticity import Trust, authenticity_of, may_be_misread
from inbox.bounces import says_undeliverable
from inbox.boundary import Boundary
from inbox.findings import Finding, authentic
from inbox.judging import Ask, Judgement
from inbox.packages import Package, Source, opened
from inbox.quoting import own_words
from inbox.reader import read_and_judge
from inbox.reading import Unreadable
from inbox.threads import tokens_anywhere, tokens_in_header
from models.inbound import Authenticity
from tasks.broker import JUDGE, app
from tasks.ringing import ring, ring_for_receipts
from workflows import installation, intake
from workflows.intake import Reading, Request, Stored

log = logging.getLogger(__name__)

_LITTLE: Final = 120  # characters: "My code is 1234 5678, thank you", and a name

NAMES_AN_ACCOUNT: Final = "its text names an account"
OWN_MAIL: Final = "it came from an address of our own"

_REQUESTS = MappingProxyType(
    {
        Ask.RESET: Request.RESET,
        Ask.UNSURE: Request.UNSURE,
        Ask.SOMETHING_ELSE: Request.SOMETHING_ELSE,
        Ask.AUTOMATIC: Request.AUTOMATIC,
    }
)
# These need not have come in through the operator's mail server, so its lines in them may be forged.
_NOT_THROUGH_THE_BOUNDARY: Final = frozenset({Source.FILE, Source.SENDGRID, Source.HELPDESK})


@app.task(name=JUDGE)
def judge_mail(mail_id: str) -> None:
    """Decides on the mail if nobody has yet."""
    loaded, now = installation.load(), clock.now()
    mail = intake.stored(loaded, UUID(mail_id))
    if mail is None:
        return
    decided = intake.decide(loaded, UUID(mail_id), reading_of(loaded.settings, mail, now), now)
    if decided is not None:
        log.info("mail %s: %s", mail_id, decided.verdict)
        ring(decided.owed)
        ring_for_receipts(decided.receipts)


def reading_of(settings: Settings, mail: Stored, now: datetime) -> Reading:
    """What the mail says and who wrote it, whatever its bytes. It takes 5 seconds, and 2 more to ask DNS."""
    try:
        package = opened(Source(mail.source), mail.raw)
        read = read_and_judge(package.raw)
    except Unreadable as fault:
        return Reading(Request.UNREADABLE, (str(fault),))
    if read.judgement.asks is Ask.AUTOMATIC or _is_our_own(settings, read.mail.sender):
        return _of_a_machine(package, read)
    return _of_a_person(settings, Source(mail.source), package, read, now)


def _of_a_machine(package: Package, read: Read) -> Reading:
    reasons = read.judgement.reasons if read.judgement.asks is Ask.AUTOMATIC else (OWN_MAIL,)
    return Reading(
        Request.AUTOMATIC,
        reasons,
        read.mail.sender,
        read.mail.message_id,
        tokens=tokens_anywhere(package.raw),
        bounced=says_undeliverable(package.raw),
    )


def _of_a_person(settings: Settings, source: Source, package: Package, read: Read, now: datetime) -> Reading:
    mail, judgement = read.mail, read.judgement
    if mail.sender is None:
        return Reading(_request(judgement), (*judgement.reasons, *judgement.flags, mail.sender_problem or ""))
    finding = _finding(settings, source, package, read, mail.sender, now)
    return Reading(
        _request(judgement),
        (*judgement.reasons, *judgement.flags, *((NAMES_AN_ACCOUNT,) if judgement.accounts else ()), finding.reason),
        mail.sender,
        mail.message_id,
        Authenticity(finding.authenticity),
        tokens_in_header(package.raw),
        code=None if judgement.flags or judgement.accounts else _bare_code(own_words(mail.text)),
        accounts=judgement.accounts,
    )


def _bare_code(words: str) -> str | None:
    """The one code that a mail consists of. Where it says more a person reads it: the digits may be a phone number."""
    found = codes_in(words)
    return found[0] if len(found) == 1 and len(words) <= _LITTLE else None


def _request(judgement: Judgement) -> Request:
    # A mail that asks for a reset, and for more, is for a person.
    return Request.UNSURE if judgement.asks is Ask.RESET and not judgement.opens else _REQUESTS[judgement.asks]


def _finding(settings: Settings, source: Source, package: Package, read: Read, sender: str, now: datetime) -> Finding:
    domain = sender.rpartition("@")[2]
    # Without SendGrid's signature on the form anybody may have written what it says of signatures.
    vouched = domain in package.vouching and not settings.sendgrid_inbound_unsigned
    if vouched and not may_be_misread(package.raw):
        return authentic("SendGrid says that a signature of the sender's domain holds (DKIM)")
    return authenticity_of(package.raw, read.mail.trace, sender, _trust(settings, source), now)


def _trust(settings: Settings, source: Source) -> Trust:
    through = settings.boundary_host and source not in _NOT_THROUGH_THE_BOUNDARY
    boundary = Boundary(settings.authserv_id, settings.boundary_host) if through else None
    return Trust(boundary, settings.dkim_resolvers)


def _is_our_own(settings: Settings, sender: str | None) -> bool:
    if sender is None:
        return False
    ours = {settings.inbox_address, settings.sendgrid_from, settings.brand_support_email} - {""}
    return _without_plus(sender) in {_without_plus(address.lower()) for address in ours}


def _without_plus(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
