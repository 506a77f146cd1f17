"""What the README invites to: in a running demo each channel's reset is played through, with the clock moved ahead.

All tests share one demo; each closes what it opened, since moving the clock moves it for all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from notifiers import outbox
from notifiers.outbox import OutboxItem
from notifiers.phrases import spoken_code
from policy.vocabulary import Channel
from tests.cli.commands import KEYTURN, Commands
from tests.end_to_end.processes import running
from tests.servers.ports import LOOPBACK, free_port, is_served
from tests.servers.waiting import until

IN_MAIL = re.compile(r"^ +(\d{4} \d{4})$", re.MULTILINE)
IN_LETTER = re.compile(r"^Type this code:\n(\d{5} \d{5})$", re.MULTILINE)
DIGITS = {spoken_code(f"{digit}0").partition(".")[0]: str(digit) for digit in range(10)}


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: its commands, and a browser on its pages."""

    keyturn: Commands
    pages: httpx2.Client

    def write_to_support(self, example: str, account: str, channel: Channel) -> tuple[str, OutboxItem]:
        """A customer's mail arrives; the reference of the case, and the message with its code."""
        before = len(self.sent())
        mail = Path(f"examples/{example}.eml").read_bytes()
        # The very same mail would be held as one that has opened a reset before.
        again = self.keyturn.data_dir / "again.eml"
        again.write_bytes(mail.replace(b"Message-ID: <", f"Message-ID: <{uuid4().hex}.".encode()))
        assert self.keyturn("inbox", "add", str(again)).status == 0
        cases = until(lambda: self.open_cases(account), "the case to be opened")
        return cases[0], until(lambda: self.codes_sent(channel, before), "the message with the code")[0]

    def open_cases(self, account: str) -> list[str]:
        cases = self.keyturn("reset", "list", "--state", "requested", "--json").data
        return [case["reference"] for case in cases if case["account"] == account]

    def sent(self) -> list[OutboxItem]:
        return outbox.read(self.keyturn.data_dir / "outbox")

    def codes_sent(self, channel: Channel, before: int) -> list[OutboxItem]:
        sent = [item for item in self.sent()[before:] if item.channel is channel]
        return [item for item in sent if channel is not Channel.EMAIL or IN_MAIL.search(item.body)]

    def type_code(self, reference: str, code: str) -> httpx2.Response:
        return self.pages.post("/", data={"reference": reference, "code": code})

    def state_of(self, reference: str) -> str:
        state: str = self.keyturn("reset", "show", reference, "--json").data["case"]["state"]
        return state

    def let_pass(self, time: str) -> None:
        assert self.keyturn("clock", "advance", time).status == 0

    def completes_after_the_hold(self, reference: str) -> None:
        assert self.state_of(reference) == "passphrase_checked"
        self.let_pass("25h")
        until(lambda: self.state_of(reference) == "completed", "the reset to be completed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    keyturn = Commands(folder / "data", {"KEYTURN_WEB_PORT": str(port)})
    with (
        running((*KEYTURN, "demo"), keyturn.variables, folder / "demo.log"),
        httpx2.Client(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as pages,
    ):
        until(lambda: is_served(port), "the pages to be served")
        yield Demo(keyturn, pages)


def test_a_call_is_rehearsed_to_completed(demo: Demo) -> None:
    reference, call = demo.write_to_support("call-customer", "OMAR-4", Channel.VOICE)
    assert demo.type_code(reference, heard(call)).status_code == 303
    given = demo.pages.post(f"/reset/{reference}/passphrase", data={"passphrase": "quiet copper meadow"})
    assert given.status_code == 303
    assert demo.state_of(reference) == "completed"


def test_a_mail_is_rehearsed_to_completed(demo: Demo) -> None:
    reference, mail = demo.write_to_support("email-customer", "GRACE-5", Channel.EMAIL)
    assert demo.type_code(reference, found(IN_MAIL, mail.body)).status_code == 303
    demo.completes_after_the_hold(reference)


def test_a_letter_to_hawaii_is_rehearsed_to_completed_with_its_code_typed_after_29_days(demo: Demo) -> None:
    reference, letter = demo.write_to_support("letter-customer-hawaii", "KEONI-6", Channel.MAIL)
    demo.let_pass("29d")
    assert demo.type_code(reference, found(IN_LETTER, letter.body)).status_code == 303
    demo.completes_after_the_hold(reference)


def test_a_letter_to_hawaii_is_refused_after_31_days(demo: Demo) -> None:
    reference, letter = demo.write_to_support("letter-customer-hawaii", "KEONI-6", Channel.MAIL)
    demo.let_pass("31d")
    answer = demo.type_code(reference, found(IN_LETTER, letter.body))
    assert answer.status_code == 409
    assert "No code works at the moment: the last one has run out" in answer.text
    assert demo.state_of(reference) == "requested"
    assert demo.keyturn("reset", "cancel", reference).status == 0


def test_the_outbox_page_shows_what_the_demo_has_sent(demo: Demo) -> None:
    reference, letter = demo.write_to_support("letter-customer", "RUTH-2", Channel.MAIL)
    page = demo.pages.get("/outbox").text
    assert f'<article id="{letter.receipt_id}">' in page
    assert reference in page
    assert found(IN_LETTER, letter.body) in demo.pages.get(f"/outbox/{letter.receipt_id}").text
    assert demo.keyturn("reset", "cancel", reference).status == 0


def heard(call: OutboxItem) -> str:
    """The code that is read out after 1 is pressed."""
    words = re.split(r"[ ,.]+", call.script[1].splitlines()[1])
    return "".join(DIGITS[word] for word in words)


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    assert match, text
    return match[1]
