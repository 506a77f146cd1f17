"""From a mail's bytes to what becomes of it: the reader, who wrote it, the threads of our own mails, and the intake."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from inbox.judging import Ask
from inbox.packages import Source
from models.accounts import ContactPoint
from models.cases import ResetCase
from models.inbound import Authenticity, InboundMail, Verdict
from models.messages import DeliveryReceipt, Message
from policy.vocabulary import MessageKind
from tasks.judge import OWN_MAIL, reading_of
from tests.inbox.mails import EXPECTED, Expected
from tests.inbox.mails import raw as corpus_mail
from tests.installations import (
    START,
    Started,
    address_of,
    deliver_all,
    email_account,
    factor_address_of,
    make_installation,
    rows,
    sms_account,
    start_case,
)
from tests.servers.inbound_parse import multipart
from workflows.importing import import_accounts
from workflows.installation import Installation
from workflows.intake import NOT_AS_CLAIMED, UNPROVEN, WRITES_TOO_OFTEN, Decided, Stored, decide, store
from workflows.replies import OF_ANOTHER
from workflows.threads import token_of
from workflows.views import case_with_history, list_cases

BOUNDARY, AUTHSERV = "mx.hosting.example", "hosting.example"
SUPPORT = "support@hosting.example"
ASKS = "I lost my phone and cannot log in. Please reset my two-factor authentication."
numbers = count()


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(
        f"sqlite:///{tmp_path / 'keyturn.db'}",
        tmp_path,
        authserv_id=AUTHSERV,
        boundary_host=BOUNDARY,
        inbox_address="support@hosting.example",
        sendgrid_from="reset@hosting.example",
    )
    yield made
    made.database.dispose()


def mail(sender: str, text: str = ASKS, *, above: str = "", to: str = SUPPORT, more: str = "") -> bytes:
    received = f"Received: from out.example by {BOUNDARY} with ESMTPS; Tue, 24 Nov 2026 10:00:00 +0000\n"
    own = f"From: {sender}\nTo: {to}\nSubject: Help\nMessage-ID: <{next(numbers)}@mail.example>\n"
    return f"{above}{received}{own}{more}\n{text}\n".encode()


def passed(domain: str, *, outcome: str = "pass") -> str:
    return f"Authentication-Results: {AUTHSERV}; dmarc={outcome} header.from={domain}\n"


def judged(installation: Installation, raw: bytes, source: Source = Source.IMAP) -> Decided:
    mail_id = store(installation, source, str(next(numbers)), raw, START)
    assert mail_id is not None
    reading = reading_of(installation.settings, Stored(source, raw), START)
    decided = decide(installation, mail_id, reading, START)
    assert decided is not None
    return decided


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def test_a_mail_that_its_domain_vouches_for_opens_a_case(hosting: Installation) -> None:
    email_account(hosting)
    sender = address_of("JONAS")
    assert judged(hosting, mail(sender, above=passed(domain_of(sender)))).verdict is Verdict.OPENED
    (row,) = rows(hosting, select(InboundMail.authenticity))
    assert row.authenticity is Authenticity.AUTHENTIC


def test_where_the_policy_holds_what_nothing_proves_only_a_vouched_one_opens(hosting: Installation) -> None:
    inbox = hosting.policy.inbox.model_copy(update={"unauthenticated": "hold"})
    strict = replace(hosting, policy=hosting.policy.model_copy(update={"inbox": inbox}))
    email_account(strict)
    sender = address_of("JONAS")
    unproven = judged(strict, mail(sender))
    assert (unproven.verdict, unproven.reasons[-1]) == (Verdict.HELD, UNPROVEN)
    assert list_cases(strict) == []
    assert judged(strict, mail(sender, above=passed(domain_of(sender)))).verdict is Verdict.OPENED


def test_a_mail_that_its_domain_disowns_is_held_and_not_answered(hosting: Installation) -> None:
    email_account(hosting)
    sender = address_of("JONAS")
    decided = judged(hosting, mail(sender, above=passed(domain_of(sender), outcome="fail")))
    assert (decided.verdict, decided.reasons[-1], decided.answer) == (Verdict.HELD, NOT_AS_CLAIMED, None)
    assert list_cases(hosting) == []


@pytest.mark.parametrize("source", [Source.FILE, Source.SENDGRID, Source.HELPDESK])
def test_the_boundarys_lines_count_for_nothing_where_a_mail_did_not_pass_it(
    hosting: Installation, source: Source
) -> None:
    email_account(hosting)
    sender = address_of("JONAS")
    raw = mail(sender, above=passed(domain_of(sender)))
    packages = {Source.SENDGRID: multipart({"email": raw}), Source.HELPDESK: _of_helpdesk(raw)}
    judged(hosting, packages.get(source, raw), source)
    (row,) = rows(hosting, select(InboundMail.authenticity))
    assert row.authenticity is Authenticity.UNAUTHENTICATED


def _of_helpdesk(raw: bytes) -> bytes:
    return json.dumps({"raw": base64.b64encode(raw).decode()}).encode()


@pytest.mark.parametrize(
    ("said", "unsigned", "authenticity"),
    [
        ("{@customers.example : pass}", False, Authenticity.AUTHENTIC),
        ("{@customers.example : fail}", False, Authenticity.UNAUTHENTICATED),
        ("{@other.example : pass}", False, Authenticity.UNAUTHENTICATED),
        ("{@customers.example : pass}", True, Authenticity.UNAUTHENTICATED),
    ],
)
def test_what_sendgrid_says_of_signatures_counts_if_its_forms_are_signed(
    tmp_path: Path, said: str, unsigned: bool, authenticity: Authenticity
) -> None:
    url = f"sqlite:///{tmp_path / 'keyturn.db'}"
    installation = make_installation(url, tmp_path, sendgrid_inbound_unsigned=unsigned)
    form = multipart({"email": mail("a@customers.example"), "dkim": said.encode()})
    judged(installation, form, Source.SENDGRID)
    (row,) = rows(installation, select(InboundMail.authenticity))
    installation.database.dispose()
    assert row.authenticity is authenticity


def test_a_header_that_programs_read_in_two_ways_is_vouched_for_by_nobody(hosting: Installation) -> None:
    raw = mail("a@customers.example").replace(b"Subject: Help", b"Subject: Help\rFrom: b@other.example")
    judged(hosting, multipart({"email": raw, "dkim": b"{@customers.example : pass}"}), Source.SENDGRID)
    (row,) = rows(hosting, select(InboundMail.authenticity))
    assert row.authenticity is not Authenticity.AUTHENTIC


@pytest.mark.parametrize(
    "sender",
    ["support@hosting.example", "Support@Hosting.Example", "support+abc@hosting.example", "reset@hosting.example"],
)
def test_our_own_mail_come_back_is_a_machines_and_gets_no_answer(hosting: Installation, sender: str) -> None:
    decided = judged(hosting, mail(sender))
    assert (decided.verdict, decided.reasons, decided.answer) == (Verdict.AUTOMATIC, (OWN_MAIL,), None)


def test_a_mail_without_one_sender_is_held_and_says_why(hosting: Installation) -> None:
    email_account(hosting)
    two = mail(address_of("JONAS"), more="From: mallory@evil.example\n")
    decided = judged(hosting, two)
    assert (decided.verdict, decided.reasons[-1]) == (Verdict.HELD, "it has more than one From header")


@pytest.fixture
def case(hosting: Installation) -> Started:
    return start_case(hosting, email_account(hosting))


def notice_token(hosting: Installation) -> str:
    statement = select(Message.id).where(Message.kind == MessageKind.NOTICE_OPENED)
    (row, *_) = rows(hosting, statement)
    return token_of(hosting, row.id)


@pytest.mark.parametrize("where", ["plus", "in-reply-to"])
def test_an_answer_joins_its_case_by_either_of_the_threads_marks(
    hosting: Installation, case: Started, where: str
) -> None:
    token = notice_token(hosting)
    sender = factor_address_of("JONAS")
    if where == "plus":
        raw = mail(sender, to=f"Support <support+{token.upper()}@hosting.example>")
    else:
        raw = mail(sender, more=f"In-Reply-To: <{token}@hosting.example>\n")
    decided = judged(hosting, raw)
    assert (decided.verdict, decided.case_id) == (Verdict.JOINED, case.id)


def test_a_stranger_with_the_token_joins_nothing(hosting: Installation, case: Started) -> None:
    decided = judged(
        hosting, mail("mallory@evil.example", more=f"References: <{notice_token(hosting)}@hosting.example>\n")
    )
    assert (decided.verdict, decided.case_id, decided.reasons[-1]) == (Verdict.HELD, None, OF_ANOTHER)
    assert [each.event for each in case_with_history(hosting, case.reference)[1]] == ["open"]


def test_a_code_in_an_answer_leads_to_a_notice_that_points_to_the_page(hosting: Installation, case: Started) -> None:
    typed = f"{case.code[:4]} {case.code[4:]}"
    text = f"My code is {typed}\n\nOn Tue, 24 Nov 2026, Hosting wrote:\n> Your code: 1111 2222"
    raw = mail(factor_address_of("JONAS"), text, more=f"In-Reply-To: <{notice_token(hosting)}@hosting.example>\n")
    decided = judged(hosting, raw)
    assert decided.verdict is Verdict.JOINED
    (parcel,) = deliver_all(hosting, decided.owed, START)
    assert parcel.kind is MessageKind.NOTICE_CODE_BY_MAIL
    assert typed not in "; ".join(decided.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "That was not me! Please call me at 5558675309.",
        "I have a question about invoice 20261110, thanks.",
        "My code is {code}, and please send everything to my new e-mail address from now on: me@new.example",
    ],
)
def test_a_reply_that_says_more_than_a_code_is_for_a_person(hosting: Installation, case: Started, text: str) -> None:
    more = f"In-Reply-To: <{notice_token(hosting)}@hosting.example>\n"
    raw = mail(factor_address_of("JONAS"), text.format(code=case.code), more=more)
    long = raw + b"\n" + b"I would like to tell you a little more about what has happened since then. " * 2
    decided = judged(hosting, long)
    assert (decided.verdict, decided.case_id) == (Verdict.HELD, case.id)


def test_mails_forged_in_a_customers_name_do_not_use_up_what_the_customer_may_write(hosting: Installation) -> None:
    email_account(hosting)
    sender = address_of("JONAS")
    for _ in range(12):
        judged(hosting, mail(sender, above=passed(domain_of(sender), outcome="fail")))
        judged(hosting, mail(sender))
    assert judged(hosting, mail(sender, above=passed(domain_of(sender)))).verdict is Verdict.JOINED


def test_who_writes_too_often_is_held(hosting: Installation) -> None:
    for number in range(11):
        decided = judged(hosting, mail("nobody@elsewhere.example"))
        assert (decided.reasons[-1] == WRITES_TOO_OFTEN) is (number == 10)


@pytest.mark.usefixtures("case")
def test_a_bounce_that_holds_the_token_is_heard_and_a_forged_one_is_not(hosting: Installation) -> None:
    right = notice_token(hosting)
    for token, heard in ((right[:-4] + "qqqq", 0), (right, 1)):
        bounce = f"""\
From: MAILER-DAEMON@far.example
To: reset@hosting.example
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; far.example

Final-Recipient: rfc822; nobody@far.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <{token}@hosting.example>

--b--
"""
        assert judged(hosting, bounce.encode()).verdict is Verdict.AUTOMATIC
        assert len(rows(hosting, select(DeliveryReceipt.id))) == heard


def test_a_mail_that_names_the_victim_everywhere_but_in_from_opens_nothing_for_them(hosting: Installation) -> None:
    sms_account(hosting, "VICTIM")
    victim = address_of("VICTIM")
    more = f"Sender: {victim}\nReply-To: {victim}\nReturn-Path: <{victim}>\n"
    judged(hosting, mail(f'"{victim}" <mallory@evil.example>', f"My address is {victim}. {ASKS}", more=more))
    assert rows(hosting, select(ResetCase.id)) == []


def expected_verdicts(expected: Expected) -> set[Verdict]:
    if expected.unreadable is not None:
        return {Verdict.UNREADABLE}
    if expected.asks is Ask.AUTOMATIC:
        return {Verdict.AUTOMATIC}
    opens = expected.asks is Ask.RESET and not expected.flagged and expected.sender is not None
    return {Verdict.OPENED, Verdict.JOINED} if opens else {Verdict.HELD}


def test_each_mail_of_the_corpus_becomes_what_its_table_says_and_opens_a_case_for_its_sender_alone(
    hosting: Installation,
) -> None:
    often = hosting.policy.inbox.model_copy(update={"most_a_day": 1000})
    patient = replace(hosting, policy=hosting.policy.model_copy(update={"inbox": often}))
    import_accounts(patient, map(account_of, {each.sender for each in EXPECTED.values() if each.sender}), START)
    wrong = {}
    for name, expected in EXPECTED.items():
        decided = judged(patient, corpus_mail(name))
        owner = account_of_case(patient, decided)
        right = decided.verdict in expected_verdicts(expected) and owner in {None, expected.sender}
        if not expected.later and not right:
            wrong[name] = (decided.verdict, owner)
    assert wrong == {}


def account_of(sender: str) -> dict[str, object]:
    """An account that this address alone belongs to."""
    verified = {"primary_email": sender, "primary_email_verified": "2024-03-02"}
    return {"ref": re.sub(r"[^a-z0-9.-]", "-", sender)[-64:], "name": "Somebody", "country": "DE", **verified}


def account_of_case(installation: Installation, decided: Decided) -> str | None:
    """The one address of the account whose case the mail led to."""
    if decided.case_id is None:
        return None
    statement = (
        select(ContactPoint.value)
        .join(ResetCase, ResetCase.account_id == ContactPoint.account_id)
        .where(ResetCase.id == decided.case_id)
    )
    (row,) = rows(installation, statement)
    return str(row.value)
