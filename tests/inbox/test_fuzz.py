"""Mails that nobody would write: whatever is done to a mail, it is answered in time, and names nobody whom it does not.

Who may be named is told here once more, in the plainest way: all ends of lines count, the header ends at the first
empty line, and there must be one From line in it, with one address. With KEYTURN_TEST_PROFILE=thorough there are more
mails, and others each time.
"""

import os
import random
import re
from collections.abc import Iterator

import idna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.reader import Reader
from inbox.reading import Unreadable
from tests.inbox.mails import BUILT, EXPECTED, raw

THOROUGH = os.environ.get("KEYTURN_TEST_PROFILE") == "thorough"
MUTANTS = 50_000 if THOROUGH else 2_000
SEED = random.SystemRandom().randrange(1_000_000) if THOROUGH else 4711
CORPUS = {name: raw(name) for name in EXPECTED if name not in BUILT}

TOKENS = [
    b"From: victim@bank.example\n", b"\nFrom: Victim <victim@bank.example>\n", b"\rFrom: victim@bank.example\r",
    b"From : victim@bank.example\n", b"From victim@bank.example Mon Nov  2 10:00:00 2026\n", b"\nfrom:", b"From:",
    b"Sender: victim@bank.example\n", b"Reply-To: victim@bank.example\n", b"victim@bank.example",
    b"<victim@bank.example>", b", victim@bank.example", b"(victim@bank.example)", b'"victim@bank.example"',
    b"=?utf-8?q?victim=40bank.example?=", b"=?utf-8?b?", b"?=", b"<", b">", b"@", b",", b";", b":", b'"', b"\\", b"(",
    b")",
    b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\n", b"\n ", b"\n\t", b" ", b"\x00", b"\xff", b"\x0b", b"\x0c", b"\x85",
    b"\xe2\x84\xaa", b"\xe2\x80\xae", b"\xc2\xa0", b"\xd0\xb0", b"\xef\xbc\xa0", b"\xe3\x80\x82",
    b"Content-Type: multipart/mixed; boundary=b\n", b"\n--b\n", b"\n--b--\n", b"Content-Type: message/rfc822\n\n",
    b"charset=utf-7", b"charset*0*=", b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n", b"<!--", b"<div style='display:none'>", b"&#x0;", b"=00",
    b"=\n",
]  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as reader:
        yield reader


# --- What must hold


def header_lines(mail: bytes) -> list[str]:
    """The header's lines, unfolded."""
    text = mail.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n(?=[ \t])", "", text.partition("\n\n")[0]).split("\n")


def from_values(mail: bytes) -> list[str]:
    return [
        line.partition(":")[2].strip() for line in header_lines(mail) if re.match(r"from[ \t]*:", line, re.IGNORECASE)
    ]


def names(value: str, address: str) -> bool:
    """Whether `value` has one address outside of quotes and comments, and this is it."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\([^()]*\)', "", value)
    local, _, domain = address.partition("@")
    spellings = {domain, idna.decode(domain)}
    found = re.fullmatch(r"(?s)[^@]*?(?P<local>[^\s<>@]*)@(?P<domain>[^\s<>@]*)[^@]*", bare)
    return found is not None and found["local"].lower() == local and found["domain"].lower() in spellings


def check(reader: Reader, mail: bytes, *origins: str) -> None:
    sender = sender_of(reader, mail)
    if sender is not None:
        values = from_values(mail)
        assert len(values) == 1
        assert names(values[0], sender)
        for origin in origins:  # a From that was not touched names whom it named, or now nobody
            meant = EXPECTED[origin].sender
            assert meant is None or sender == meant or values != from_values(CORPUS[origin])


def sender_of(reader: Reader, mail: bytes) -> str | None:
    reason = "read"
    try:
        return reader.read_and_judge(mail).mail.sender
    except Unreadable as fault:
        reason = fault.reason
    assert reason not in ("takes too long to read", "brings down what reads it")
    return None


# --- Mutants of the corpus


def mutant(dice: random.Random, mails: list[bytes]) -> bytes:
    """One mail with a few changes, or the beginning of one and the end of another."""
    mail = bytearray(mails[0])
    if len(mails) > 1:
        mail = mail[: place(dice, mail)] + bytearray(mails[1])[place(dice, mails[1]) :]
    for _ in range(dice.choice([0, 1, 1, 2, 5]) if len(mails) > 1 else dice.choice([1, 1, 1, 2, 3, 8])):
        dice.choice(CHANGES)(dice, mail)
    return bytes(mail)


def place(dice: random.Random, mail: bytes | bytearray) -> int:
    """Anywhere, in the header, or, where it hurts most, at the From line."""
    header = mail.find(b"\n\n") + 1 or len(mail)
    at_from = mail.lower().find(b"from:") + 1
    return dice.choice([dice.randint(0, len(mail)), dice.randint(0, header), max(0, at_from + dice.randint(-20, 60))])


def flip(dice: random.Random, mail: bytearray) -> None:
    at = place(dice, mail)
    if at < len(mail):
        mail[at] ^= 1 << dice.randrange(8)


def delete(dice: random.Random, mail: bytearray) -> None:
    at = place(dice, mail)
    del mail[at : at + dice.choice([1, 1, 10, 100, 1_000])]


def duplicate(dice: random.Random, mail: bytearray) -> None:
    at = place(dice, mail)
    mail[at:at] = mail[at : at + dice.choice([1, 10, 100, 1_000])] * dice.choice([1, 1, 2, 50])


def insert(dice: random.Random, mail: bytearray) -> None:
    at = place(dice, mail)
    mail[at:at] = dice.choice(TOKENS) * dice.choice([1, 1, 1, 1, 200])


def repeat_a_line(dice: random.Random, mail: bytearray) -> None:
    lines = mail.splitlines(keepends=True)
    lines.insert(dice.randint(0, len(lines)), dice.choice(lines or [bytearray()]))
    mail[:] = b"".join(lines)


def truncate(dice: random.Random, mail: bytearray) -> None:
    del mail[place(dice, mail) :]


CHANGES = (flip, delete, duplicate, insert, insert, repeat_a_line, truncate)


def test_a_mutant_is_answered_in_time_and_names_only_whom_its_from_line_names(reader: Reader) -> None:
    print(f"seed {SEED}, {MUTANTS} mutants")  # noqa: T201 - shown if it fails; or with -s
    for number in range(MUTANTS):
        dice = random.Random(f"{SEED}/{number}")  # noqa: S311 - dice
        origins = dice.sample(sorted(CORPUS), dice.choice([1, 1, 1, 2]))
        raw_mutant = mutant(dice, [CORPUS[origin] for origin in origins])
        try:
            check(reader, raw_mutant, *origins)
        except AssertionError as error:
            error.add_note(f"mutant {number} of seed {SEED}, from {origins}: {raw_mutant[:2_000]!r}")
            raise


# --- Mails out of thin air


def header(name: bytes, values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    spelled = st.sampled_from([name, name, name, name.lower(), name.upper(), name + b" "])
    ends = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", b"\r\r\n"])
    return st.tuples(spelled, st.sampled_from([b": ", b":", b":\n ", b" :"]), values, ends).map(b"".join)


def text_of(*pieces: bytes) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(pieces) | st.sampled_from(TOKENS) | st.binary(max_size=3), max_size=6).map(b"".join)


FROM = text_of(b"Dana", b" ", b"dana@x.example", b"<dana@x.example>", b"<dana@x.example>", b"Friends:", b";")
HEADERS = st.lists(
    header(b"From", FROM)
    | header(b"From", st.just(b"Dana <dana@x.example>"))
    | header(b"Subject", text_of(b"lost phone", b"=?utf-8?q?a?="))
    | header(b"Content-Type", text_of(b"text/html", b"text/plain; charset=", b"multipart/report; boundary=b"))
    | header(b"Content-Transfer-Encoding", text_of(b"base64", b"quoted-printable", b"x-uuencode"))
    | header(b"Date", text_of(b"Tue, 10 Nov 2026 09:52:08 +0000", b"9" * 30, b"-0000"))
    | header(b"References", text_of(b"<a@x>", b"<" + b"a" * 300))
    | header(b"To", text_of(b"a@x.example, ", b'"a, b" <c@x.example>', b"Friends:")),
    max_size=8,
)
BODY = text_of(
    b"I lost my phone and can't log in.\n", b"> ", b"\n-- \n", b"\nbegin 644 x\n", b"\n--b\n", b"<p>", b"SGk="
)


@given(HEADERS, BODY)
@settings(max_examples=max(500, settings().max_examples))
def test_a_made_up_mail_is_answered_and_names_only_whom_its_from_line_names(
    reader: Reader, headers: list[bytes], body: bytes
) -> None:
    check(reader, b"".join(headers) + b"\n" + body)


# --- The rule itself


@pytest.mark.parametrize(
    ("value", "address", "truth"),
    [
        ("Dana <dana@x.example>", "dana@x.example", True),
        ('"v@bank.example" <DANA@x.example> (at home)', "dana@x.example", True),
        ("jo@müller.example", "jo@xn--mller-kva.example", True),
        ("v@bank.example <dana@x.example>", "dana@x.example", False),
        ("dana@x.example, v@bank.example", "dana@x.example", False),
        ("xdana@x.example", "dana@x.example", False),
        ("dana@x.example.attacker.test", "dana@x.example", False),
        ("Dana", "dana@x.example", False),
    ],
)
def test_the_rule_knows_the_one_address(value: str, address: str, truth: bool) -> None:
    assert names(value, address) is truth
