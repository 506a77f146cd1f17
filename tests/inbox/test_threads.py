"""Where tokens of threads are looked for, and which bounces are for good."""

import pytest

from inbox.bounces import says_undeliverable
from inbox.threads import MOST, tokens_anywhere, tokens_in_header

ONE, OTHER = "abcdefghijklmnopqrstuvwxyz234567abcdefghij", "bcdefghijklmnopqrstuvwxyz234567abcdefghijk"
REPLY = f"""\
To: Support <support+{ONE}@hosting.example>
In-Reply-To: <{OTHER}@hosting.example>
References: <x@y.example> <{OTHER.upper()}@hosting.example>

Your mail <{OTHER[::-1]}@hosting.example> said so.
""".encode()
BOUNCE = """\
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; nobody@far.example
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: <{token}@hosting.example>

--b--
"""


def test_an_answer_names_its_thread_in_its_header_each_once_in_either_case() -> None:
    assert tokens_in_header(REPLY) == (ONE, OTHER)


def test_a_bounce_names_it_in_what_it_returns() -> None:
    raw = BOUNCE.format(action="failed", status="5.1.1", token=ONE).encode()
    assert (tokens_in_header(raw), tokens_anywhere(raw)) == ((), (ONE,))


@pytest.mark.parametrize("token", [ONE[:-1], ONE + "a", ONE[:-1] + "1", ""])
def test_what_has_not_the_length_or_the_letters_is_no_token(token: str) -> None:
    assert tokens_in_header(f"To: support+{token}@hosting.example\n\n".encode()) == ()


def test_no_more_are_looked_at_than_a_thread_could_have() -> None:
    many = "".join(f"X: <{chr(97 + n // 26)}{chr(97 + n % 26)}{ONE[2:]}@a>\n" for n in range(100))
    assert len(tokens_in_header(many.encode())) == MOST


@pytest.mark.parametrize(
    ("action", "status", "for_good"),
    [("failed", "5.1.1", True), ("Failed", "5.7.1", True), ("delayed", "4.4.1", False), ("failed", "4.2.2", False)],
)
def test_only_a_failure_for_good_counts(action: str, status: str, *, for_good: bool) -> None:
    assert says_undeliverable(BOUNCE.format(action=action, status=status, token=ONE).encode()) is for_good


def test_the_words_of_a_status_in_a_text_prove_nothing() -> None:
    assert not says_undeliverable(b"From: a@b.example\n\nAction: failed\nStatus: 5.1.1\n")
