"""docs/faults.md, cell by cell: each fault of each vendor, met by a code that is sent, and what comes of it.

Real SDKs, real HTTP to the stand-ins. Waiting is done by moving what is due to now.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from foundation import clock
from models.accounts import ContactPoint
from models.base import AnyRow
from models.cases import Actor
from models.messages import Attempt, ChannelBreaker, Message, MessageStatus, Outcome
from policy.vocabulary import Fate, Finding, MessageKind
from tasks.deliver import send_if_due
from tasks.recall import recall_if_due
from tests.installations import by_hand, email_account, letter_account, make_installation, rows, sms_account
from tests.servers import lob, sendgrid, twilio
from tests.servers.lob import Lob
from tests.servers.openapi import Violation
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.sendgrid import SendGrid
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, StandIn, Truncated
from tests.servers.twilio import StartedCall, Twilio
from workflows import breaker
from workflows.closing import cancel
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.proving import prove_code
from workflows.receipts import Said, settle, take
from workflows.views import case_view, case_with_history

PAGE = (Path(__file__).parents[1] / "docs" / "faults.md").read_text(encoding="utf-8")
ELSEWHERE = Instead(Reply(307, headers={"Location": "http://192.0.2.1/"}))  # leads nowhere, by RFC 5737
NOT_LISTED_YET = Instead(Reply(200, b'{"object":"list","data":[]}'))
PAUSE = 0.2  # seconds until a vendor that never answers ends the connection; a read timeout is in the notifiers' tests
TRIES = 4

CODE = {
    "SendGrid": re.compile(r"^ {4}(\d{4} \d{4})$", re.MULTILINE),
    "Twilio": re.compile(r"^(\d{4} \d{4}) is your"),
    "Lob": re.compile(r'class="code">(\d{5} \d{5})<'),
}


def faults(status: Any, about_recipient: Fault, without_id: Fault) -> dict[str, Fault]:
    """The faults by the page's words, in the vendor's own shapes."""
    return {
        **{str(code): status(code) for code in (400, 401, 403, 404, 408, 422, 429, 500, 503)},
        "400 or 422 about the recipient": about_recipient,
        "429 with Retry-After": status(429, retry_after=17),
        "503 with Retry-After": status(503, retry_after=17),
        "408 after it was taken": Instead(status(408).reply, taken=True),
        "500 after it was taken": Instead(Reply(500), taken=True),
        "503 after it was taken": Instead(status(503).reply, taken=True),
        "no answer": Hang(PAUSE),
        "no answer after it was taken": Hang(PAUSE, taken=True),
        "reset before it was read": CloseUnread(),
        "reset after it was taken": CloseTaken(),
        "a truncated answer": Truncated(),
        "an empty 201": Instead(Reply(201), taken=True),
        "202 without an id": without_id,
        "307 to another host": ELSEWHERE,
    }


WRONG_ADDRESS = sendgrid.Refusal(400, (Violation("personalizations.0.to.0.email", "Does not exist."),))
FAULTS: Mapping[str, Mapping[str, Fault]] = {
    "SendGrid": faults(sendgrid.status, Instead(WRONG_ADDRESS.reply()), sendgrid.WITHOUT_ID),
    "Twilio": faults(twilio.status, twilio.status(400, error=21211), Instead(Reply(202, b"{}"), taken=True)),
    "Lob": faults(
        lob.status,
        lob.status(422, "invalid", message="to.address_zip must be in a valid zip format"),
        Instead(Reply(202, b"{}"), taken=True),
    ),
}
VENDORS: Mapping[str, type[SendGrid] | type[Twilio] | type[Lob]] = {
    "SendGrid": SendGrid,
    "Twilio": Twilio,
    "Lob": Lob,
}
LINES = [
    re.split(r" *\| *", line)[1:-1] for line in PAGE.split("## What vendors say later")[0].splitlines() if "|" in line
]
CELLS = [
    (fault, vendor, answer)
    for fault, *answers in LINES[2:]
    for vendor, answer in zip(LINES[0][1:], answers, strict=True)
]
PLAYED = [cell for cell in CELLS if cell[0] in FAULTS[cell[1]]]
BY_PHONE = {"country": "US", "phone": "+12025550142", "phone_verified": "2024-03-02"}
BY_MAIL = {"two_factor_email": "ruth@factor.example", "two_factor_email_verified": "2024-03-02"}


def account_over(vendor: str, made: Installation) -> str:
    """An account whose codes go over this vendor, and over another one if they must."""
    if vendor == "SendGrid":
        return email_account(made, **BY_PHONE, backup="sms")
    return sms_account(made, backup="email") if vendor == "Twilio" else letter_account(made, **BY_MAIL, backup="email")


@dataclass(frozen=True, slots=True)
class Playing:
    """A case whose code is about to be sent, and its vendor."""

    vendor: str
    installation: Installation
    stand_in: StandIn
    reference: str
    message_id: UUID

    def send(self) -> None:
        send_if_due(self.installation, self.message_id)

    def hurry(self) -> None:
        """Lets what waits be due, and what has stopped be tried."""
        now = clock.now()
        waits = Message.status == MessageStatus.QUEUED
        by_hand(self.installation, update(Message).where(waits).values(due_at=now))
        stopped = ChannelBreaker.stopped_at.is_not(None)
        by_hand(self.installation, update(ChannelBreaker).where(stopped).values(probe_at=now))

    @property
    def row(self) -> AnyRow:
        (row,) = rows(self.installation, select(Message.__table__).where(Message.id == self.message_id))
        return row

    @property
    def outcomes(self) -> list[Outcome]:
        tried = select(Attempt.outcome).where(Attempt.message_id == self.message_id).order_by(Attempt.number)
        return [row.outcome for row in rows(self.installation, tried)]

    @property
    def codes(self) -> list[str]:
        """The code in each message that the vendor took."""
        match self.stand_in:
            case SendGrid(sent=mails):
                texts = [mail.text for mail in mails if CODE["SendGrid"].search(mail.text)]
            case Twilio(sent=messages):
                texts = [message.body for message in messages]
            case Lob(letters=letters):
                texts = [letter.html for letter in letters]
            case _:
                raise AssertionError
        return [match[1] for text in texts if (match := CODE[self.vendor].search(text))]


def settings_of(env: Mapping[str, str]) -> dict[str, str]:
    """What these variables set, as fields."""
    return {name.removeprefix("KEYTURN_").lower(): value for name, value in env.items()}


@contextmanager
def playing(vendor: str, folder: Path, base_url: str = "") -> Iterator[Playing]:
    """A case over this vendor, at `base_url` if it is given."""
    with VENDORS[vendor]() as stand_in:
        env = settings_of(stand_in.env)
        fields = {name: base_url or value if name.endswith("base_url") else value for name, value in env.items()}
        yield from played(vendor, folder, fields, stand_in)


def played(vendor: str, folder: Path, fields: Mapping[str, Any], stand_in: StandIn) -> Iterator[Playing]:
    made = make_installation(f"sqlite:///{folder / 'keyturn.db'}", folder, **fields)
    opened = open_case(made, account_over(vendor, made), actor=Actor.AGENT, now=clock.now())
    kinds = {row.id: row.kind for row in rows(made, select(Message.id, Message.kind))}
    (message_id,) = (each for each in opened.owed if kinds[each] is MessageKind.RESET_CODE)
    # What a vendor finds out about a contact point has tests of its own.
    by_hand(made, update(ContactPoint).values(finding=Finding.UNKNOWN))
    try:
        yield Playing(vendor, made, stand_in, opened.reference, message_id)
    finally:
        made.database.dispose()


def test_the_page_has_every_fault_and_no_other() -> None:
    named = {fault for fault, _, _ in CELLS}
    assert named == set(FAULTS["Lob"]) | {"nobody listens at the vendor's address", "the kept connection was closed"}
    assert LINES[0][1:] == list(VENDORS)
    assert all(f"- **{answer}**:" in PAGE for _, _, answer in CELLS)


@pytest.mark.parametrize(("fault", "vendor", "answer"), PLAYED)
def test_what_the_page_says_is_what_happens(fault: str, vendor: str, answer: str, tmp_path: Path) -> None:
    with playing(vendor, tmp_path) as case:
        case.stand_in.fail(FAULTS[vendor][fault])
        case.send()
        EXPECTED[answer](case)
        assert len(set(case.codes)) <= 1


def ends_sent(case: Playing, first: Outcome, most: int = 1) -> None:
    """After its first attempt the message goes, and the vendor has it as often as this at most."""
    assert case.outcomes == [first]
    for _ in range(TRIES):
        case.hurry()
        case.send()
    assert case.row.status is MessageStatus.SENT
    assert case.outcomes == [first, Outcome.SENT]
    assert 1 <= len(case.codes) <= most
    assert case_view(case.installation, case.reference).held_for is None
    assert breaker.stopped(case.installation) == []


def goes_again(case: Playing) -> None:
    (first,) = case.outcomes
    assert first in {Outcome.NOT_SENT, Outcome.UNAVAILABLE}
    assert case.codes == []
    ends_sent(case, first)


def stops(case: Playing) -> None:
    assert len(breaker.stopped(case.installation)) == 1
    assert case.codes == []
    case.send()
    assert case.outcomes == [Outcome.MISCONFIGURED]
    ends_sent(case, Outcome.MISCONFIGURED)


def takes_backup(case: Playing) -> None:
    assert (case.row.status, case.outcomes) == (MessageStatus.FAILED, [Outcome.REJECTED])
    events = case_with_history(case.installation, case.reference)[1]
    assert events[-1].event == "fell_back"
    assert case_view(case.installation, case.reference).held_for is None


EXPECTED: Mapping[str, Callable[[Playing], None]] = {
    "again": goes_again,
    "a second time": lambda case: ends_sent(case, Outcome.UNAVAILABLE, most=2),
    "stops": stops,
    "backup": takes_backup,
    "repeats": lambda case: ends_sent(case, Outcome.UNKNOWN, most=2),
    "asks": lambda case: ends_sent(case, Outcome.UNKNOWN),
    "same key": lambda case: ends_sent(case, Outcome.UNKNOWN),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_while_nobody_listens_the_code_waits_and_then_goes_once(vendor: str, tmp_path: Path) -> None:
    port = free_port()
    with playing(vendor, tmp_path, f"http://{LOOPBACK}:{port}") as case:
        case.send()
        assert case.outcomes == [Outcome.NOT_SENT]
        with VENDORS[vendor](port) as listening:
            ends_sent(replace(case, stand_in=listening), Outcome.NOT_SENT)


@pytest.mark.parametrize("vendor", VENDORS)
def test_where_the_kept_connection_was_closed_the_code_goes_over_a_new_one(vendor: str, tmp_path: Path) -> None:
    port = free_port()
    with playing(vendor, tmp_path, f"http://{LOOPBACK}:{port}") as case:
        with VENDORS[vendor](port) as before:
            before.fail(FAULTS[vendor]["503"])
            case.send()
            assert before.connections == 1
        case.hurry()
        with VENDORS[vendor](port) as listening:
            case.send()
            assert (case.outcomes[-1], len(replace(case, stand_in=listening).codes)) == (Outcome.SENT, 1)


def test_a_mail_whose_end_is_unknown_twice_is_not_sent_a_third_time(tmp_path: Path) -> None:
    with playing("SendGrid", tmp_path) as case:
        case.stand_in.fail(CloseTaken(), CloseTaken())
        for _ in range(TRIES):
            case.send()
            case.hurry()
        assert (case.row.status, case.outcomes) == (MessageStatus.FAILED, [Outcome.UNKNOWN] * 2)
        assert len(case.codes) == 2
        view, events, _ = case_with_history(case.installation, case.reference)
        assert (view.held_for, events[-1].event) == (None, "code_in_doubt")


def its_date_passes(case: Playing) -> None:
    passed = clock.now() - timedelta(minutes=1)
    by_hand(case.installation, update(Message).where(Message.id == case.message_id).values(leaves_at=passed))


def test_a_letter_that_lob_turns_out_not_to_have_goes_once_and_with_a_new_code(tmp_path: Path) -> None:
    with playing("Lob", tmp_path) as case:
        case.stand_in.fail(CloseUnread())
        case.send()
        first = case.row.challenge_id
        its_date_passes(case)
        for _ in range(TRIES):
            case.hurry()
            case.send()
        assert (case.row.status, case.outcomes) == (
            MessageStatus.SENT,
            [Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.SENT],
        )
        assert case.row.challenge_id != first
        (code,) = case.codes
        typed = code.replace(" ", "")
        proven = prove_code(case.installation, case.reference, typed, actor=Actor.CUSTOMER, now=clock.now())
        assert proven.problem is None


def test_a_letter_whose_first_request_is_still_at_work_is_not_sent_as_another_one(tmp_path: Path) -> None:
    with playing("Lob", tmp_path) as case:
        case.stand_in.fail(CloseTaken(), lob.status(409, "conflict"), NOT_LISTED_YET)
        for _ in range(TRIES):
            case.send()
            case.hurry()
        assert (case.row.status, case.outcomes) == (
            MessageStatus.SENT,
            [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.SENT],
        )
        assert len(case.codes) == 1


def test_a_letter_in_doubt_waits_as_long_as_lob_says(tmp_path: Path) -> None:
    with playing("Lob", tmp_path) as case:
        case.stand_in.fail(lob.status(503, retry_after=170))
        begun = clock.now()
        case.send()
        assert case.row.due_at >= begun + timedelta(seconds=170)


def test_a_letter_in_doubt_is_looked_for_and_stopped_when_its_case_is(tmp_path: Path) -> None:
    with playing("Lob", tmp_path) as case:
        assert isinstance(case.stand_in, Lob)
        case.stand_in.fail(CloseTaken())
        case.send()
        cancel(case.installation, case.reference, actor=Actor.CUSTOMER, now=clock.now(), how="stop link")
        case.hurry()
        case.send()
        assert case.row.status is MessageStatus.CANCELLED
        case.stand_in.fail(NOT_LISTED_YET)
        for stopped in (False, True, True):
            recall_if_due(case.installation, case.message_id)
            events = [event.event for event in case_with_history(case.installation, case.reference)[1]]
            assert [each.deleted for each in case.stand_in.letters] == [stopped]
            assert events.count("letter_stopped") == stopped


# --- Two accounts share a number


@contextmanager
def calling_two(folder: Path) -> Iterator[tuple[Playing, Playing]]:
    """Two cases, of one household, whose codes are about to be told by phone."""
    with Twilio() as stand_in:
        made = make_installation(f"sqlite:///{folder / 'keyturn.db'}", folder, **settings_of(stand_in.env))
        try:
            yield voice_case(made, stand_in, "A"), voice_case(made, stand_in, "B")
        finally:
            made.database.dispose()


def voice_case(made: Installation, stand_in: Twilio, ref: str) -> Playing:
    account = sms_account(made, ref, preference="voice")
    opened = open_case(made, account, actor=Actor.AGENT, now=clock.now())
    by_hand(made, update(ContactPoint).values(finding=Finding.UNKNOWN))
    coded = select(Message.id).where(Message.kind == MessageKind.RESET_CODE, Message.case_id == opened.case_id)
    (row,) = rows(made, coded)
    return Playing("Twilio", made, stand_in, opened.reference, row.id)


def calls_of(case: Playing) -> Sequence[StartedCall]:
    assert isinstance(case.stand_in, Twilio)
    return case.stand_in.calls


def script_links(case: Playing) -> list[str]:
    """Which message each call that was made is about."""
    return [call.url.split("/")[-2] for call in calls_of(case)]


def test_a_call_in_doubt_that_never_went_is_made_though_the_other_one_was_busy(tmp_path: Path) -> None:
    with calling_two(tmp_path) as (first, second):
        first.send()
        second.stand_in.fail(CloseUnread())
        second.send()
        busy = Said("twilio", "busy", first.message_id, first.row.provider_id, Fate.UNANSWERED, "busy", None)
        (receipt,) = take(first.installation, [busy], clock.now())
        settle(first.installation, receipt, clock.now())
        second.hurry()
        second.send()
        assert script_links(second) == [str(first.message_id), str(second.message_id)]


def test_a_call_in_doubt_that_went_is_known_behind_the_other_one(tmp_path: Path) -> None:
    with calling_two(tmp_path) as (first, second):
        first.stand_in.fail(CloseTaken())
        first.send()
        second.send()
        first.hurry()
        first.send()
        assert first.row.status is MessageStatus.SENT
        assert script_links(first) == [str(first.message_id), str(second.message_id)]


def test_two_calls_in_doubt_that_both_went_are_known_each_as_its_own(tmp_path: Path) -> None:
    with calling_two(tmp_path) as both:
        for case in both:
            case.stand_in.fail(CloseTaken())
            case.send()
        for case in both:
            case.hurry()
            case.send()
        assert script_links(both[0]) == [str(case.message_id) for case in both]
        assert [case.row.provider_id for case in both] == [call.sid for call in calls_of(both[0])]
