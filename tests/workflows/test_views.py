"""What people see: masked, complete, and nowhere a code, a token, a passphrase or an address."""

from typing import Any

import pytest
from sqlalchemy import select

from models.accounts import Account, AccountStatus
from models.cases import Actor, CaseState, Challenge, HeldFor
from models.factors import AuthenticatorKind
from models.inbound import Verdict
from models.messages import MessageStatus
from policy.vocabulary import Channel, ContactKind, MessageKind, ProofKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    PHONE,
    START,
    TOTP_SECRET,
    address_of,
    deliver_all,
    email_account,
    factor_address_of,
    letter_account,
    rows,
    sms_account,
    start_case,
    wrong,
)
from workflows.accounts import UnknownAccount
from workflows.cases import UnknownCase
from workflows.closing import cancel, stop_token
from workflows.installation import Installation
from workflows.intake import Reading, Request, decide, store
from workflows.opening import open_case
from workflows.proving import prove_code, prove_passphrase
from workflows.views import account_view, case_view, case_with_history, list_cases, list_mails


def everything_shown(installation: Installation, reference: str, ref: str) -> str:
    shown = (
        case_view(installation, reference),
        case_with_history(installation, reference),
        account_view(installation, ref),
        list_cases(installation),
        list_mails(installation),
    )
    return repr(shown)


def secrets_of(installation: Installation) -> set[str]:
    (account,) = rows(installation, select(Account.passphrase_hash))
    (challenge,) = rows(installation, select(Challenge.sealed_secret))
    return {account.passphrase_hash, challenge.sealed_secret, PASSPHRASE, TOTP_SECRET, "a wrong phrase", "the raw mail"}


def test_no_view_shows_a_secret_or_a_whole_address(installation: Installation) -> None:
    ref = sms_account(installation, passphrase=PASSPHRASE, totp_secret=TOTP_SECRET)
    case = start_case(installation, ref)
    mail_id = store(installation, "maildir", "1", b"the raw mail", START)
    assert mail_id is not None
    decide(installation, mail_id, Reading(Request.RESET, ("lost … my phone",), address_of(ref), "<1@x>"), START)
    for typed in (wrong(case.code), case.code):
        prove_code(installation, case.reference, typed, actor=Actor.CUSTOMER, now=START)
    for passphrase in ("a wrong phrase", PASSPHRASE):
        prove_passphrase(installation, case.reference, passphrase, actor=Actor.CUSTOMER, now=START)
    shown = everything_shown(installation, case.reference, ref)
    assert case.reference in shown
    addresses = {address_of(ref), factor_address_of(ref), PHONE, "202555"}
    codes = {case.code, wrong(case.code), case.token, stop_token(installation, case.id)}
    assert not [secret for secret in secrets_of(installation) | addresses | codes if secret in shown]


def test_a_case_is_shown_with_where_its_code_went_and_until_when(installation: Installation) -> None:
    ref = sms_account(installation, passphrase=PASSPHRASE)
    opened = open_case(installation, ref, actor=Actor.AGENT, now=START)
    view = case_view(installation, opened.reference)
    assert (view.id, view.account, view.state, view.held_for) == (opened.case_id, ref, CaseState.REQUESTED, None)
    assert (view.channel, view.destination, view.passphrase_set) == (Channel.SMS, "••• ••• ••42", True)
    assert (view.is_open, view.takes_code, view.needs_passphrase, view.proofs) == (True, True, False, ())
    assert view.code is not None
    assert (view.code.status, view.code.sent_at, view.code.valid_until) == (MessageStatus.QUEUED, None, None)
    deliver_all(installation, opened.owed, START + MINUTE)
    view = case_view(installation, opened.reference)
    assert view.code is not None
    assert (view.code.status, view.code.queued_at, view.code.sent_at) == (MessageStatus.SENT, START, START + MINUTE)
    assert (view.code.valid_until, view.code.is_over) == (START + 11 * MINUTE, False)


DESTINATIONS: dict[str, tuple[Any, dict[str, str], str | None, HeldFor | None]] = {
    "an address": (email_account, {}, "j•••@f•••.example", None),
    "a phone": (sms_account, {"preference": "voice"}, "••• ••• ••42", None),
    "a letter": (letter_account, {}, "••• in Millbrook, VT", None),
    "nothing": (letter_account, {"preference": "", "primary_email": ""}, None, HeldFor.NO_USABLE_CONTACT),
}


@pytest.mark.parametrize(("account", "columns", "shown", "held_for"), DESTINATIONS.values(), ids=DESTINATIONS)
def test_a_destination_is_masked_so_that_its_owner_knows_it(
    installation: Installation, account: Any, columns: dict[str, str], shown: str | None, held_for: HeldFor | None
) -> None:
    opened = open_case(installation, account(installation, **columns), actor=Actor.AGENT, now=START)
    view = case_view(installation, opened.reference)
    assert (view.destination, view.held_for) == (shown, held_for)


def test_a_case_that_waits_for_the_passphrase_says_so(installation: Installation) -> None:
    case = start_case(installation, email_account(installation, passphrase=PASSPHRASE))
    prove_code(installation, case.reference, case.code, actor=Actor.CUSTOMER, now=START + HOUR)
    view = case_view(installation, case.reference)
    assert (view.needs_passphrase, view.takes_code) == (True, False)
    assert [(proof.kind, proof.met_at) for proof in view.proofs] == [(ProofKind.CODE, START + HOUR)]


def test_a_case_is_shown_with_its_messages_in_the_order_they_were_owed(installation: Installation) -> None:
    case = start_case(installation, sms_account(installation))
    cancel(installation, case.reference, actor=Actor.CUSTOMER, now=START + HOUR, how="stop link")
    _, _, messages = case_with_history(installation, case.reference)
    assert [(each.kind, each.channel, each.destination, each.status, each.attempts) for each in messages] == [
        (MessageKind.RESET_CODE, Channel.SMS, "••• ••• ••42", MessageStatus.SENT, 1),
        (MessageKind.NOTICE_OPENED, Channel.EMAIL, "d•••@p•••.example", MessageStatus.SENT, 1),
        (MessageKind.NOTICE_OPENED, Channel.EMAIL, "d•••@f•••.example", MessageStatus.SENT, 1),
        (MessageKind.NOTICE_CANCELLED, Channel.EMAIL, "d•••@p•••.example", MessageStatus.QUEUED, 0),
        (MessageKind.NOTICE_CANCELLED, Channel.EMAIL, "d•••@f•••.example", MessageStatus.QUEUED, 0),
    ]
    assert [each.sent_at for each in messages] == [START, START, START, None, None]
    assert {each.due_at for each in messages[3:]} == {START + HOUR}


def test_an_account_is_shown_with_its_contacts_factors_and_cases(installation: Installation) -> None:
    ref = letter_account(installation, passphrase=PASSPHRASE, totp_secret=TOTP_SECRET)
    case = start_case(installation, ref)
    view = account_view(installation, ref)
    assert (view.ref, view.name, view.country, view.status) == (ref, "Customer RUTH", "US", AccountStatus.ACTIVE)
    assert (view.preference, view.backup, view.passphrase_set) == (Channel.MAIL, None, True)
    assert [(each.kind, each.destination, each.version) for each in view.contacts] == [
        (ContactKind.POSTAL_ADDRESS, "••• in Millbrook, VT", 1),
        (ContactKind.PRIMARY_EMAIL, "r•••@p•••.example", 1),
    ]
    assert all(each.verified_at for each in view.contacts)
    assert [(each.kind, each.label, each.revoked_at) for each in view.authenticators] == [
        (AuthenticatorKind.TOTP, "Authenticator app", None)
    ]
    assert [each.reference for each in view.cases] == [case.reference]


def test_cases_are_listed_newest_first_by_state_and_no_more_than_asked_for(installation: Installation) -> None:
    made = [
        start_case(installation, email_account(installation, ref), START + days * DAY).reference
        for days, ref in enumerate("ABC")
    ]
    cancel(installation, made[1], actor=Actor.AGENT, now=START + 2 * DAY, how="by telephone")
    assert [line.reference for line in list_cases(installation)] == made[::-1]
    assert [line.reference for line in list_cases(installation, limit=2)] == made[:0:-1]
    (line,) = list_cases(installation, CaseState.CANCELLED)
    assert (line.reference, line.account, line.closed_at) == (made[1], "B", START + 2 * DAY)
    assert list_cases(installation, CaseState.DENIED) == []


def test_mails_are_listed_newest_first_with_what_became_of_them(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    readings = [
        Reading(Request.UNREADABLE, ("has no header, so it is not a mail",)),
        Reading(Request.RESET, ("lost … my phone",), address_of("JONAS")),
    ]
    for minutes, reading in enumerate(readings):
        mail_id = store(installation, "maildir", str(minutes), b"raw", START + minutes * MINUTE)
        assert mail_id is not None
        decide(installation, mail_id, reading, START + HOUR)
    store(installation, "maildir", "new", b"raw", START + DAY)
    shown = [(each.verdict, each.sender, each.reference, each.reasons) for each in list_mails(installation)]
    assert shown == [
        (Verdict.RECEIVED, None, None, ""),
        (Verdict.JOINED, "j•••@p•••.example", case.reference, "lost … my phone"),
        (Verdict.UNREADABLE, None, None, "has no header, so it is not a mail"),
    ]
    assert len(list_mails(installation, limit=1)) == 1


def test_what_does_not_exist_is_said_to_be_unknown(installation: Installation) -> None:
    for view in (case_view, case_with_history):
        with pytest.raises(UnknownCase):
            view(installation, "R-0000-0000")
    with pytest.raises(UnknownAccount, match="NOBODY-9"):
        account_view(installation, "NOBODY-9")
