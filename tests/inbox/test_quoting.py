"""What is quoted, forwarded or signed with is not what the writer says."""

import pytest

from inbox.quoting import own_subject, own_words


@pytest.mark.parametrize(
    "foreign",
    [
        "> quoted",
        "On Mon, 9 Nov 2026 at 10:00, Support <support@x.example> wrote:\n> quoted\n> more",
        "On Mon, 9 Nov 2026 at 10:00, Northfold Support\n<support@x.example> wrote:\n\n> quoted",
        "On Monday Support wrote:\nquoted without a mark",
        "-----Original Message-----\nquoted",
        "----- Forwarded message from Jo -----\nquoted",
        "---------- Forwarded message ---------\nFrom: Jo\nquoted",
        "Begin forwarded message:\n\nquoted",
        "________________________________\nFrom: Jo\nquoted",
        "From: Jo <jo@x.example>\nSent: Monday\nTo: Dana\n\nquoted",
        "*From:* Jo\n*Date:* Monday\n\nquoted",
        "-- \nquoted",
        "--\nquoted",
        "Sent from my iPhone",
        "Get Outlook for Android",
    ],
)
def test_what_others_said_is_cut(foreign: str) -> None:
    assert own_words(f"my words\n\n{foreign}") == "my words"


def test_an_answer_below_marked_lines_is_kept() -> None:
    text = "On Monday, Support wrote:\n> Which account is it?\n\nThe pottery one.\n\n> And the phone?\nLost."
    assert own_words(text).split() == ["The", "pottery", "one.", "Lost."]


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I lost my phone.\nMy wife wrote down the number.",
        "The parcel is from: Berlin\nand it is late",
        "I sent from my account a mail - see there",
        "a -- b",
        "---",
    ],
)
def test_what_only_looks_a_little_like_it_is_kept(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize(
    "subject", ["Re: lost phone", "RE:lost phone", "AW: lost phone", "Fwd: lost phone", "Re[2]: x"]
)
def test_the_subject_of_an_answer_is_somebody_else_s(subject: str) -> None:
    assert own_subject(subject) == ""


@pytest.mark.parametrize("subject", ["Lost phone", "Reset my 2FA", "Question: lost phone", ""])
def test_a_subject_of_one_s_own_is_kept(subject: str) -> None:
    assert own_subject(subject) == subject


@pytest.mark.parametrize(
    "scrap", ["On x\n", "On " + "w " * 98 + "\n", "- ", "from: x\n", "> \n", "\n", " \t", "_", "Sent from "]
)
def test_no_text_takes_long(scrap: str) -> None:
    assert len(own_words(scrap * (100_000 // len(scrap)))) <= 100_000
