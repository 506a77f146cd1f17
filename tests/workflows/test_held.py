"""A held mail waits for a person: it opens a case for the account they name, or is dismissed; both keep their name."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from models.cases import Actor
from models.inbound import InboundMail, Verdict
from tests.installations import DAY, HOUR, START, address_of, email_account, rows, start_case
from tests.workflows.racing import at_once
from workflows.accounts import UnknownAccount
from workflows.held import NotHeld, UnknownMail, dismiss, open_case_for
from workflows.installation import Installation
from workflows.intake import Reading, Request, decide, store
from workflows.upkeep import sweep
from workflows.views import case_with_history, mail_view, waiting_mails

RAW = b"From: somebody\r\n\r\nSomething else"


def held_mail(installation: Installation, asks: Request = Request.UNSURE) -> UUID:
    mail_id = store(installation, "maildir", str(uuid4()), RAW, START)
    assert mail_id is not None
    decide(installation, mail_id, Reading(asks, ("lost … phone",), address_of("JONAS"), "<1@mail.example>"), START)
    return mail_id


def test_an_unsure_mail_is_held_with_its_reasons_and_owes_nobody_an_answer(installation: Installation) -> None:
    email_account(installation)
    mail_id = held_mail(installation)
    (line,) = waiting_mails(installation)
    assert (line.id, line.reasons, line.reference) == (mail_id, "lost … phone", None)


def test_a_person_opens_a_case_and_their_name_stands_in_mail_and_history(installation: Installation) -> None:
    email_account(installation)
    mail_id = held_mail(installation)
    opened = open_case_for(installation, mail_id, "JONAS", by="kim", now=START + HOUR)
    view, raw = mail_view(installation, mail_id)
    assert (view.verdict, view.decided_by, view.decided_at, view.reference) == (
        Verdict.OPENED,
        "kim",
        START + HOUR,
        opened.reference,
    )
    assert raw.raw == RAW
    events = case_with_history(installation, opened.reference)[1]
    assert [(each.event, each.actor) for each in events] == [("open", Actor.AGENT), ("mail_decided", Actor.AGENT)]
    assert events[1].facts == {"by": "kim", "mail": str(mail_id)}


def test_a_case_that_is_open_is_joined(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    mail_id = held_mail(installation)
    assert open_case_for(installation, mail_id, "JONAS", by="kim", now=START + HOUR).reference == case.reference
    assert mail_view(installation, mail_id)[0].verdict is Verdict.JOINED


def test_a_dismissed_mail_is_no_longer_held(installation: Installation) -> None:
    mail_id = held_mail(installation)
    dismiss(installation, mail_id, by="kim", now=START + HOUR)
    assert mail_view(installation, mail_id)[0].verdict is Verdict.DISMISSED
    assert waiting_mails(installation) == []


def test_an_unreadable_mail_waits_for_a_person_too(installation: Installation) -> None:
    mail_id = held_mail(installation, Request.UNREADABLE)
    assert [each.id for each in waiting_mails(installation)] == [mail_id]
    dismiss(installation, mail_id, by="kim", now=START)
    assert waiting_mails(installation) == []


def test_whoever_sends_many_pushes_nobody_out_of_sight(installation: Installation) -> None:
    first = held_mail(installation)
    for _ in range(4):
        held_mail(installation)
    assert [each.id for each in waiting_mails(installation, limit=1)] == [first]


def test_only_a_held_mail_can_be_decided_and_by_one_person(installation: Installation) -> None:
    email_account(installation)
    automatic = held_mail(installation, Request.AUTOMATIC)
    with pytest.raises(NotHeld, match="it is automatic"):
        dismiss(installation, automatic, by="kim", now=START)
    with pytest.raises(UnknownMail):
        dismiss(installation, uuid4(), by="kim", now=START)
    mail_id = held_mail(installation)
    with pytest.raises(UnknownAccount):
        open_case_for(installation, mail_id, "NOBODY", by="kim", now=START)
    assert mail_view(installation, mail_id)[0].verdict is Verdict.HELD


def test_two_people_who_decide_at_once_end_in_one_decision(installation: Installation) -> None:
    email_account(installation)
    mail_id = held_mail(installation)

    def deciding(decision: Callable[[], object]) -> Callable[[], bool]:
        def try_it() -> bool:
            try:
                decision()
            except NotHeld:
                return False
            return True

        return try_it

    done = at_once(
        deciding(lambda: dismiss(installation, mail_id, by="kim", now=START)),
        deciding(lambda: open_case_for(installation, mail_id, "JONAS", by="lee", now=START)),
    )
    assert sorted(done) == [False, True]


def test_old_mails_are_erased_and_what_was_decided_stays(installation: Installation) -> None:
    email_account(installation)
    mail_id = held_mail(installation)
    opened = open_case_for(installation, mail_id, "JONAS", by="kim", now=START + HOUR)
    waiting = store(installation, "maildir", "not judged", RAW, START)
    assert sweep(installation, START + 90 * DAY - HOUR).erased == 0
    assert sweep(installation, START + 90 * DAY).erased == 1
    assert sweep(installation, START + 91 * DAY).erased == 0
    view, raw = mail_view(installation, mail_id)
    assert (view.sender, view.verdict, view.decided_by, view.reference) == (
        None,
        Verdict.OPENED,
        "kim",
        opened.reference,
    )
    assert (raw.raw, view.erased_at) == (b"", START + 90 * DAY)
    assert case_with_history(installation, opened.reference)[1][1].facts == {"by": "kim", "mail": str(mail_id)}
    (left,) = rows(installation, select(InboundMail.id).where(InboundMail.raw == RAW))
    assert left.id == waiting
    assert store(installation, "maildir", "not judged", RAW, START + 91 * DAY) is None
