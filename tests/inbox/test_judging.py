"""What a mail asks: mails as people write them, in two files by their judgement, and what holds for all of them."""

from pathlib import Path

import pytest

from inbox.judging import Ask, judge
from inbox.reading import Mail


def mail(subject: str, text: str, machine_sign: str | None = None) -> Mail:
    return Mail(
        sender="dana@whitfield-pottery.example",
        sender_problem=None,
        subject=subject,
        text=text,
        date=None,
        message_id=None,
        machine_sign=machine_sign,
    )


TEXTS = Path(__file__).parent / "texts"


def texts(file: str) -> list[tuple[str, str]]:
    """The (subject, text) pairs of a file; its first block says what it holds."""
    _, *blocks = (TEXTS / file).read_text(encoding="utf-8").split("\n=====\n")
    pairs = [block.split("\n", 1) for block in blocks]
    return [(subject.removeprefix("Subject:").strip(), text) for subject, text in pairs]


@pytest.mark.parametrize(("subject", "text"), texts("reset.txt"))
def test_a_lost_factor_or_a_wish_for_its_reset_is_a_reset(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert judgement.asks is Ask.RESET, judgement.reasons


@pytest.mark.parametrize(("subject", "text"), texts("something_else.txt"))
def test_everything_else_is_left_to_a_person(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert not judgement.opens, judgement.reasons


def test_the_reasons_are_the_phrases_that_decided() -> None:
    assert judge(mail("", "I lost my phone, can't sign in")).reasons == ("lost … phone", "can not sign in")
    assert judge(mail("", "I lost my YubiKey. Never mind, I found it.")).reasons == ("lost … yubikey", "never mind")


def test_no_text_of_the_sender_reaches_the_reasons() -> None:
    theirs = "r-aaaa-aaaa 12345678 dana@whitfield-pottery.example"
    for text in (f"I lost my phone {theirs} and 2FA", f"{theirs} found it", theirs):
        assert not any(part in str(judge(mail(theirs, text)).reasons) for part in theirs.split())


def test_a_machine_s_mail_is_automatic_whatever_it_says() -> None:
    judgement = judge(mail("Lost phone", "I lost my phone and can't log in", machine_sign="Auto-Submitted says so"))
    assert (judgement.asks, judgement.reasons) == (Ask.AUTOMATIC, ("Auto-Submitted says so",))


@pytest.mark.parametrize(
    "word", ["lost my phone ", "not ", "if i ", "2fa reset, ", "can't log in lost ", "\N{SNOWMAN}"]
)
def test_a_text_without_an_end_gets_a_judgement_too(word: str) -> None:
    assert judge(mail(word * 100, word * 100_000)).asks is not Ask.AUTOMATIC
