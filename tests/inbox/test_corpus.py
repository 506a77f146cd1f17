"""Each mail of the corpus is read as its table says, in the child that reads real mail."""

import re
from collections.abc import Iterator

import pytest

from inbox.answer import Read, answer_to
from inbox.reader import Reader
from inbox.reading import Unreadable
from tests.inbox.mails import BUILT, EXPECTED, FOLDER, Expected, raw

PATIENCE = 60  # seconds: timings decide nothing
FILES = [name for name in EXPECTED if name not in BUILT]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(PATIENCE) as reader:
        yield reader


def answered(reader: Reader, mail: bytes) -> Read | Unreadable:
    try:
        return reader.read_and_judge(mail)
    except Unreadable as fault:
        return fault


def differences(answer: Read | Unreadable, expected: Expected) -> list[str]:
    if isinstance(answer, Unreadable):
        return [] if answer.reason == expected.unreadable else [f"unreadable: {answer.reason}"]
    mail = answer.mail
    seen = {
        "unreadable": None,
        "sender": mail.sender,
        "sender_problem": mail.sender_problem,
        "asks": answer.judgement.asks,
        "flagged": bool(answer.judgement.flags),
        "machine": mail.machine_sign or (answer.judgement.reasons[0] if expected.machine else None),
        "subject": mail.subject,
        "message_id": mail.message_id or "",
        "says": expected.says if (expected.says or "") in mail.text else mail.text,
        "silent": expected.silent if (expected.silent or "\0") not in mail.text else mail.text,
    }
    always = ("unreadable", "sender", "sender_problem", "asks", "flagged")
    wanted = {name: getattr(expected, name) for name in seen}
    return [
        f"{name}: {seen[name]!r}, not {value!r}"
        for name, value in wanted.items()
        if seen[name] != value and (name in always or value is not None)
    ]


def later(name: str) -> list[pytest.MarkDecorator]:
    reason = EXPECTED[name].later
    return [pytest.mark.xfail(strict=True, reason=f"later: {reason}")] if reason else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=later(name)) for name in EXPECTED])
def test_each_mail_is_read_as_the_table_says(reader: Reader, name: str) -> None:
    assert differences(answered(reader, raw(name)), EXPECTED[name]) == []


@pytest.mark.parametrize("name", [name for name in FILES if b"\r" not in raw(name)])
def test_line_ends_as_mail_travels_with_them_change_nothing(reader: Reader, name: str) -> None:
    as_file = answered(reader, raw(name))
    as_sent = answered(reader, raw(name).replace(b"\n", b"\r\n"))
    assert as_sent == as_file or str(as_sent) == str(as_file)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_child_that_can_open_no_file_reads_each_mail_as_this_process_does(reader: Reader, name: str) -> None:
    through_child, here = answered(reader, raw(name)), answer_to(raw(name))
    assert through_child == here or str(through_child) == str(here)


def test_every_mail_has_its_line_and_every_line_its_mail() -> None:
    assert {file.stem for file in FOLDER.glob("*.eml")} | set(BUILT) == set(EXPECTED)
    assert len(EXPECTED) >= 150


def test_all_mails_use_reserved_domains_and_telephone_numbers_only() -> None:
    reserved = re.compile(r"(.+\.)?(example|test|example\.(com|net|org))", re.IGNORECASE)
    for name in FILES:
        text = raw(name).decode("latin-1")
        for domain in re.findall(r"(?a:(?:@|https?://)([\w-]+(?:\.[\w-]+)+))", text):
            assert reserved.fullmatch(domain.lower()), f"{name}: {domain}"
        for number in re.findall(r"\+\d[\d -]{6,}\d", text):
            assert re.fullmatch(r"\+1 202-555-01\d\d|\+9+", number), f"{name}: {number}"
