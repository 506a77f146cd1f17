"""Reading at arm's length: whatever a mail does to the child that reads it, there is an answer, and the next is read.

What bounds a child is looked at from outside, in /proc, so some of these tests run on Linux only.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from inbox.answer import Nonsense, Read, answer_to, from_json, to_json
from inbox.child import LENGTH_BYTES, MAX_GROWTH_BYTES
from inbox.reader import LARGE_BYTES, MAX_CHILDREN, Reader
from inbox.reading import Unreadable
from tests.servers.waiting import until

ROOT = Path(__file__).parents[2]
EXAMPLES = [file.read_bytes() for file in sorted((ROOT / "examples").glob("*.eml"))]
PATIENCE = 60  # seconds: no ordinary mail takes as long on any machine
TOO_LONG = "takes too long to read"
BROUGHT_DOWN = "brings down what reads it"

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="macOS: no /proc, and no limit of memory")


def mail(subject: str) -> bytes:
    return f"From: dana@x.example\nSubject: {subject}\n\nI lost my phone and can't log in\n".encode()


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Reader(PATIENCE) as reader:
        yield reader


def child_of(reader: Reader) -> int:
    reader.read_and_judge(mail("warm-up"))
    return reader._idle[0]._process.pid


def reason(reader: Reader, raw: bytes) -> str:
    with pytest.raises(Unreadable) as fault:
        reader.read_and_judge(raw)
    return fault.value.reason


def while_stopped(reader: Reader, then: Callable[[int], None]) -> "Future[str]":
    """Hand a mail to a child that stands still, as one that a mail hangs does, and do `then` with its process."""
    child = child_of(reader)
    os.kill(child, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(reason, reader, mail("hang"))
        until(lambda: not reader._idle, "the child has been lent")
        then(child)
    return answer


# --- What comes out is what reading in this process would give


@pytest.mark.parametrize("raw", [*EXAMPLES, mail("héé \N{GRINNING FACE}"), b"From: a, b\n\n"])
def test_a_mail_is_read_as_it_would_be_in_this_process(reader: Reader, raw: bytes) -> None:
    answer = answer_to(raw)
    assert isinstance(answer, Read)
    assert reader.read_and_judge(raw) == answer


@pytest.mark.parametrize("raw", [b"", b"hello", b"X:y\n" * 2_000, b"\n" * 21_000_000])
def test_what_cannot_be_read_has_the_same_reason_as_in_this_process(reader: Reader, raw: bytes) -> None:
    answer = answer_to(raw)
    assert isinstance(answer, Unreadable)
    assert reason(reader, raw) == answer.reason


def test_threads_share_the_children_and_get_each_its_own_answer(reader: Reader) -> None:
    subjects = [f"mail {number}" for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda subject: reader.read_and_judge(mail(subject)).mail.subject, subjects))
    assert answers == subjects
    assert 1 <= len(reader._idle) <= MAX_CHILDREN


# --- What a mail may do to its child


def test_a_mail_that_hangs_its_child_takes_too_long_and_the_next_is_read() -> None:
    with Reader(seconds=2) as reader:
        child = child_of(reader)
        assert while_stopped(reader, lambda _: None).result() == TOO_LONG
        assert has_ended(child)
        assert reader.read_and_judge(mail("next")).mail.subject == "next"


def test_a_large_mail_that_its_child_does_not_even_take_in_takes_too_long() -> None:
    with Reader(seconds=2) as reader:
        os.kill(child_of(reader), signal.SIGSTOP)
        assert reason(reader, mail("large") + b"x" * 10_000_000) == TOO_LONG


def test_a_mail_that_kills_its_child_is_unreadable_and_the_next_is_read(reader: Reader) -> None:
    killed = while_stopped(reader, lambda child: os.kill(child, signal.SIGKILL))
    assert killed.result() == BROUGHT_DOWN
    assert reader.read_and_judge(mail("next")).mail.subject == "next"


def test_a_child_that_was_killed_between_two_mails_costs_none_its_reading(reader: Reader) -> None:
    os.kill(child_of(reader), signal.SIGKILL)
    reader._idle[0]._process.wait()
    assert reader.read_and_judge(mail("next")).mail.subject == "next"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_is_not_stopped_by_what_stops_everybody(reader: Reader, number: signal.Signals) -> None:
    child = child_of(reader)
    os.kill(child, number)
    assert child_of(reader) == child


def test_a_large_mail_has_a_child_of_its_own_and_a_small_one_has_not(reader: Reader) -> None:
    child = child_of(reader)
    assert child_of(reader) == child
    reader.read_and_judge(mail("large") + b"x" * LARGE_BYTES)
    assert child_of(reader) != child


def test_no_mail_is_blamed_where_no_child_can_start() -> None:
    script = """
import resource
from inbox.reader import NoChild, Reader
resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
try:
    Reader().read_and_judge(b"From: dana@x.example\\n\\n")
except NoChild:
    print("no child")
"""
    assert subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True) == "no child\n"


# --- What bounds a child


def limits_of(child: int) -> dict[str, str]:
    lines = Path(f"/proc/{child}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}  # the hard limit, which nothing can raise


def status_of(child: int, what: str) -> int:
    lines = Path(f"/proc/{child}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


@on_linux
def test_a_child_can_open_write_and_start_nothing_and_cannot_grow_without_end(reader: Reader) -> None:
    child = child_of(reader)
    limits = limits_of(child)
    for what in ("Max open files", "Max file size", "Max processes", "Max core file size"):
        assert limits[what] == "0", what
    base = int(limits["Max address space"]) - MAX_GROWTH_BYTES
    assert 0 < base <= status_of(child, "VmPeak")


@on_linux
def test_a_child_gets_none_of_our_variables(monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    monkeypatch.setenv("KEYTURN_KEYS", "a key of ours")
    child = child_of(reader)
    assert Path(f"/proc/{child}/environ").read_bytes() == b""
    assert Path(f"/proc/{child}/cwd").readlink() == Path("/")


@on_linux
def test_no_file_is_open_in_a_child_but_its_connection(reader: Reader) -> None:
    entries = Path(f"/proc/{child_of(reader)}/fd").iterdir()
    assert sorted(str(entry.readlink()).partition(":")[0] for entry in entries) == ["/dev/null", "/dev/null", "socket"]


HEAVY = {
    "bytes beyond ASCII": b"\n" + b"\xff" * 20_900_000,
    "lines beyond ASCII": b"\n" + (b"\xff" * 70 + b"\n") * 290_000,
    "base64": b"Content-Transfer-Encoding: base64\n\n" + (b"AAAA" * 19 + b"\n") * 260_000,
    "a delivery report of many blocks": b"Content-Type: message/delivery-status\n\n" + b"A\n\n" * 249_000,
    "a delivery report of large blocks": b"Content-Type: message/delivery-status\n\n"
    + (b"A: " + b"\xff" * 70 + b"\n\n") * 249_000,
}


@on_linux
@pytest.mark.parametrize("heavy", HEAVY)
def test_the_heaviest_mails_get_an_answer_within_the_memory_allowed(reader: Reader, heavy: str) -> None:
    pid = child_of(reader)
    child = reader._idle[0]
    before = status_of(pid, "VmSize")
    answer = from_json(child.ask(b"From: dana@x.example\n" + HEAVY[heavy], PATIENCE))
    assert isinstance(answer, Read) or answer.reason == "takes too much memory to read"
    assert status_of(pid, "VmPeak") - before <= MAX_GROWTH_BYTES


# --- When the parent ends

PARENT = """
import time
from inbox.reader import Reader
reader = Reader()
reader.read_and_judge(b"From: dana@x.example\\n\\n")
print(reader._idle[0]._process.pid, flush=True)
{then}
"""


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")  # a zombie waits only for whoever adopted it
    return status.exists() and "\nState:\tZ" in status.read_text()


@pytest.mark.parametrize("then", ["time.sleep(600)", "reader.read_and_judge(b'A: b\\n\\n' + b'x\\n' * 400_000)"])
def test_a_child_ends_with_its_parent_even_if_that_is_killed(then: str) -> None:
    script = PARENT.format(then=then)
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not has_ended(child)
        parent.kill()
    until(lambda: has_ended(child), "the child has ended")


def test_a_child_ends_a_reading_that_nobody_else_ends() -> None:
    with Reader(seconds=2) as reader:
        child_of(reader)
        child = reader._idle[0]
        child._connection.sendall((5).to_bytes(LENGTH_BYTES))  # and never the five bytes
        assert child._process.wait(PATIENCE) == -signal.SIGALRM


# --- What a child that was taken over may say

SAID = to_json(answer_to(EXAMPLES[0])).decode()


def test_what_a_child_says_is_what_it_means() -> None:
    for raw in (*EXAMPLES, b""):
        answer = answer_to(raw)
        heard = from_json(to_json(answer))
        assert heard == answer or (isinstance(heard, Unreadable) and str(heard) == str(answer))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "null",
        "{}",
        '{"read": null, "unreadable": null}',
        '{"read": null, "unreadable": ""}',
        '{"read": null, "unreadable": "a\\u0000b"}',
        '{"read": null, "unreadable": 7}',
        "[" * 100_000,
        SAID.replace('"unreadable": null', '"unreadable": "both"'),
        SAID.replace('"asks": "reset"', '"asks": "anything"'),
        SAID.replace('"asks": "reset"', '"asks": null'),
        SAID.replace('"sender": "', '"sender": "Jo <'),
        SAID.replace('"sender": "', '"sender": "A'),
        SAID.replace('"sender_problem": null', '"sender_problem": "it has no From header"'),
        SAID.replace('"subject": "', '"subject": "\\u0000'),
        SAID.replace('"text": "', '"text": "\\ud800'),
        SAID.replace('"message_id": "<', '"message_id": "'),
        SAID.replace('"reasons": [', '"reasons": ["\\u0007", '),
    ],
)
def test_an_answer_that_no_child_of_ours_gives_is_nonsense(said: str) -> None:
    assert said != SAID
    with pytest.raises(Nonsense):
        from_json(said.encode())
