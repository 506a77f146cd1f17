"""A text as sentences of plain words, in which phrases from a table can be found, and what denies or supposes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from inbox.phrases import ENGLISH, Table

_LONGEST = 100  # words; what goes on for longer is cut, since finding pairs takes the square of it
_DENIES = 4  # words between a negation and the last word that it denies: "do not want you to reset"

_SHORT_FORMS = (
    (re.compile(r"[\u2018\u2019\u02bc`\u00b4]"), "'"),
    (re.compile(r"\b(?:can't|cannot|cant)\b"), "can not"),
    (re.compile(r"\bwon'?t\b"), "will not"),
    (re.compile(r"\b(do|does|did|is|was|are|were|have|has|had|would|could|should)n'?t\b"), r"\1 not"),
    (re.compile(r"\b(i|you|we|they)'ve\b"), r"\1 have"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(\w+)'d\b"), r"\1 would"),
    (re.compile(r"\b(\w+)'s\b"), r"\1"),
)
_SENTENCE_END = re.compile(r"[.!?;:]+(?=\s|$)|\n\s*(?:\n|[-*\u2022])")
_WORD = re.compile(r"\w+|,")


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a sentence: `start` is its first word, `end` the one after its last."""

    phrase: str
    start: int
    end: int


class Sentence:
    """Words in lower case with short forms written out; a comma is a word too, since it ends a clause."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self._text = " ".join(words)
        self._found: dict[Table, list[Found]] = {}

    def find(self, table: Table) -> list[Found]:
        """Find every phrase of `table`, in order; where two begin at one word, the longer."""
        if table not in self._found:
            self._found[table] = [self._placed(match) for match in _pattern(table).finditer(self._text)]
        return self._found[table]

    def meant(self, table: Table) -> Iterator[Found]:
        """Find what is said, and neither denied nor only supposed."""
        suppositions = self.find(ENGLISH.suppositions)
        for found in self.find(table):
            if not self.denies(found) and not any(supposition.start < found.start for supposition in suppositions):
                yield found

    def denies(self, found: Found) -> bool:
        """Tell whether a negation stands closely before `found`, in the same clause."""
        clause = max(self.clause_start(found), found.start - _DENIES)
        return any(
            clause <= negation.start < found.start and not self._belongs_elsewhere(negation)
            for negation in self.find(ENGLISH.negations)
        )

    def clause_start(self, found: Found) -> int:
        """Return the place of the first word after the last comma before `found`."""
        before = self.words[: found.start]
        return len(before) - before[::-1].index(",") if "," in before else 0

    def _belongs_elsewhere(self, negation: Found) -> bool:
        # The "not" in "I can not log in, I lost my phone" is part of another phrase and denies nothing after it.
        others = (ENGLISH.locked_out, ENGLISH.lost, ENGLISH.broken)
        return any(other.start <= negation.start < other.end for table in others for other in self.find(table))

    def _placed(self, match: re.Match[str]) -> Found:
        start = self._text.count(" ", 0, match.start())
        return Found(match[0], start, start + match[0].count(" ") + 1)


def sentences(text: str) -> list[Sentence]:
    """Cut `text` into sentences; a single line end is only a line end."""
    text = text.lower()
    for short, long in _SHORT_FORMS:
        text = short.sub(long, text)
    pieces = (_WORD.findall(piece) for piece in _SENTENCE_END.split(text))
    return [Sentence(words[at : at + _LONGEST]) for words in pieces for at in range(0, len(words), _LONGEST)]


@cache
def _pattern(table: Table) -> re.Pattern[str]:
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first))})(?!\S)")
