"""How many of the labelled texts are judged right: those learned from, and those that were not.

`texts/known`, `texts/apart` and `texts/blind` hold one file a language, or two. A text's class is what it should come
to: `reset` opens a case, `other` asks for something else, `unclear` leaves doubt; neither of these opens one. The known
ones are learned from. By those apart, written without knowledge of the rules, the score was chosen that opens a case.
Nobody changes a rule, a weight or that score for the sake of a blind text: they tell how judging does on mails that it
has never met. `texts/learned` holds the rest of what is learned from, and is not measured.
"""

import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from inbox.judging import judge
from tests.inbox.test_judging import mail

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("en", "es", "fr", "de", "pt", "ru", "zh", "ja")


class Part(StrEnum):
    KNOWN = "known"
    APART = "apart"
    BLIND = "blind"


class Class(StrEnum):
    RESET = "reset"
    OTHER = "other"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Text:
    language: str
    label: Class
    subject: str
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(f"{self.subject} {self.text}".split())

    @property
    def opens(self) -> bool:
        return judge(mail(self.subject, self.text)).opens


def texts(part: Part) -> list[Text]:
    return read(TEXTS / part)


def read(folder: Path) -> list[Text]:
    files = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.toml"))]
    return [
        Text(row["language"], Class(row["class"]), row["subject"], row["text"])
        for file in files
        for row in file["text"]
    ]


def figures(all_texts: list[Text]) -> list[str]:
    """How many of each language and class open a case, out of how many."""
    of = Counter((text.language, text.label) for text in all_texts)
    opened = Counter((text.language, text.label) for text in all_texts if text.opens)
    return [
        f"{language}: " + ", ".join(f"{label} {opened[language, label]}/{of[language, label]}" for label in Class)
        for language in LANGUAGES
    ]


@pytest.mark.parametrize("part", Part)
def test_the_figures_are_told(part: Part, record_property: Callable[[str, object], None]) -> None:
    lines = figures(texts(part))
    record_property("told", "\n".join([f"{part} texts that open a case:", *lines]))
    assert len(lines) == len(LANGUAGES)


@pytest.mark.parametrize("part", Part)
def test_no_text_that_asks_for_something_else_opens_a_case(part: Part) -> None:
    assert [text for text in texts(part) if text.label is Class.OTHER and text.opens] == []


# What leaves doubt and opens all the same sends a code to the contact on file: a nuisance, so long as it is rare.
@pytest.mark.parametrize(("part", "most"), [(Part.KNOWN, 0), (Part.APART, 1 / 14), (Part.BLIND, 1 / 14)])
def test_few_texts_that_leave_doubt_open_a_case(part: Part, most: float) -> None:
    doubtful = [text for text in texts(part) if text.label is Class.UNCLEAR]
    opened = [text for text in doubtful if text.opens]
    assert len(opened) <= most * len(doubtful), opened


def test_no_text_that_is_apart_or_blind_was_learned_from() -> None:
    folders = {name: read(TEXTS / name) for name in ("known", "learned", "apart", "blind")}
    learned, others = folders["known"] + folders["learned"], folders["apart"] + folders["blind"]
    assert not {text.words for text in learned} & {text.words for text in others}


@pytest.mark.parametrize("part", Part)
def test_of_the_clear_requests_95_in_100_open_a_case(part: Part) -> None:
    requests = [text for text in texts(part) if text.label is Class.RESET]
    held = [text for text in requests if not text.opens]
    assert len(held) <= 0.05 * len(requests), held


def test_the_texts_are_enough_and_a_third_of_them_is_blind() -> None:
    known, blind = texts(Part.KNOWN), texts(Part.BLIND)
    assert len(known) + len(blind) >= 400
    assert len(blind) >= (len(known) + len(blind)) / 3
    of = Counter((text.language, text.label) for text in blind)
    assert all(of[language, label] >= 10 for language in LANGUAGES for label in (Class.RESET, Class.OTHER)), of
