"""Finds the phrases of a language in a list of words: all its tables in one pass, in time linear in the words."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from inbox.phrases import Phrases, Table

_GAP = "…"
_STEM = "*"
_INDEXED = 3  # letters of a word that lead to the stems; none is shorter

_ACCENT = re.compile(r"[\u0300-\u036f]")  # not the marks of kana, which make another syllable
# Han, kana and their signs for repeating and lengthening, but not the dot that separates foreign words.
_CHARACTER = r"\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff"
CHARACTER = re.compile(rf"[{_CHARACTER}]")
_WORD = re.compile(rf"[{_CHARACTER}]|[^\W{_CHARACTER}]+|[,\u3001]")
_SHORT_FORMS = (
    (re.compile(r"[\u2018\u2019\u02bc`\u00b4]"), "'"),
    (re.compile(r"\b(?:can't|cannot|cant)\b"), "can not"),
    (re.compile(r"\bwon'?t\b"), "will not"),
    (re.compile(r"\b(do|does|did|is|was|are|were|have|has|had|would|could|should)n'?t\b"), r"\1 not"),
    (re.compile(r"\b(i|you|we|they)'ve\b"), r"\1 have"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(\w{1,40})'d\b"), r"\1 would"),
    (re.compile(r"\b(\w{1,40})'s\b"), r"\1"),
)


def plain(text: str) -> str:
    """Write `text` in small letters without accents, with English short forms written out."""
    # The quotation marks first: normalising makes a blank and an accent of the acute.
    quoting, *short_forms = _SHORT_FORMS
    text = quoting[0].sub(quoting[1], text)
    text = _ACCENT.sub("", unicodedata.normalize("NFKD", text).casefold())
    text = unicodedata.normalize("NFC", text)
    for short, long in short_forms:
        text = short.sub(long, text)
    return text


def words_of(plain_text: str) -> list[str]:
    """Cut plain text into words; a comma is a word too, since it ends a clause, and so is each Chinese character."""
    return ["," if word == "\u3001" else word for word in _WORD.findall(plain_text)]


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a list of words: `start` is its first word, `end` the one after its last."""

    phrase: str
    start: int
    end: int

    @property
    def has_gap(self) -> bool:
        """Other words may stand between those of the phrase."""
        return _GAP in self.phrase


class _Step(NamedTuple):
    word: str
    is_stem: bool
    after_gap: bool

    def fits(self, word: str) -> bool:
        return word.startswith(self.word) if self.is_stem else word == self.word


class _Entry(NamedTuple):
    phrase: str
    table: Table
    steps: tuple[_Step, ...]

    @property
    def begins_with_two(self) -> bool:
        first, *others = self.steps
        return bool(others) and not (first.is_stem or others[0].is_stem or others[0].after_gap)


class Lexicon:
    """The phrases of one language, ready to be found: by their first two words, or the first, or how that begins."""

    def __init__(self, phrases: Phrases) -> None:
        self._gap = phrases.apart
        self._by_two: dict[tuple[str, str], list[_Entry]] = defaultdict(list)
        self._by_one: dict[str, list[_Entry]] = defaultdict(list)
        self._by_stem: dict[str, list[_Entry]] = defaultdict(list)
        for entry in _entries(phrases):
            self._file(entry)
        self._words = frozenset(step.word for entry in _entries(phrases) for step in entry.steps)
        self._runs = frozenset(run for entry in _entries(phrases) for run in _runs_of(entry.steps))

    def known(self, words: frozenset[str]) -> int:
        """Count the words that are words of this language's tables."""
        return len(self._words & words)

    def has_run(self, words: str) -> bool:
        """Tell whether these words, with blanks between, are a phrase of this language, or two in a row of one."""
        return words in self._runs

    def find(self, words: Sequence[str]) -> Mapping[Table, list[Found]]:
        """Find every phrase, by table, in order; where two of a table overlap, the first, and of two the longer."""
        found: dict[Table, list[Found]] = defaultdict(list)
        for start, (word, following) in enumerate(zip(words, (*words[1:], ""), strict=True)):
            for entry in self._beginning(word, following):
                if end := self._end(entry.steps, words, start):
                    _keep(found[entry.table], Found(entry.phrase, start, end))
        return found

    def _file(self, entry: _Entry) -> None:
        first = entry.steps[0]
        if entry.begins_with_two:
            self._by_two[first.word, entry.steps[1].word].append(entry)
        elif first.is_stem:
            self._by_stem[first.word[:_INDEXED]].append(entry)
        else:
            self._by_one[first.word].append(entry)

    def _beginning(self, word: str, following: str) -> Iterable[_Entry]:
        two, one = self._by_two.get((word, following), ()), self._by_one.get(word, ())
        return (*two, *one, *self._by_stem.get(word[:_INDEXED], ()))

    def _end(self, steps: tuple[_Step, ...], words: Sequence[str], at: int) -> int | None:
        for step in steps:
            place = self._over_gap(step, words, at) if step.after_gap else at
            if place is None or place >= len(words) or not step.fits(words[place]):
                return None
            at = place + 1
        return at

    def _over_gap(self, step: _Step, words: Sequence[str], at: int) -> int | None:
        for place in range(at, min(at + self._gap + 1, len(words))):
            if step.fits(words[place]):
                return place
            if words[place] == ",":
                return None
        return None


@cache
def lexicon(phrases: Phrases) -> Lexicon:
    """Return the lexicon of a language, built at its first use."""
    return Lexicon(phrases)


def _entries(phrases: Phrases) -> Iterator[_Entry]:
    for field in fields(phrases):
        table = getattr(phrases, field.name)
        if isinstance(table, Table):
            for phrase in table.phrases:
                yield _Entry(phrase.replace(_STEM, ""), table, tuple(_steps(phrase)))


def _steps(phrase: str) -> Iterator[_Step]:
    after_gap = False
    for piece in phrase.split():
        words = () if piece == _GAP else words_of(plain(piece))
        for place, word in enumerate(words, start=1):
            yield _Step(word, piece.endswith(_STEM) and place == len(words), after_gap and place == 1)
        after_gap = piece == _GAP


def _runs_of(steps: tuple[_Step, ...]) -> Iterator[str]:
    if len(steps) == 1 and not steps[0].is_stem:
        yield steps[0].word
    for one, other in pairwise(steps):
        if not (one.is_stem or other.is_stem or other.after_gap or CHARACTER.match(one.word)):
            yield f"{one.word} {other.word}"


def _keep(found: list[Found], new: Found) -> None:
    if found and found[-1].start == new.start and found[-1].end < new.end:
        found[-1] = new
    elif not found or found[-1].end <= new.start:
        found.append(new)
