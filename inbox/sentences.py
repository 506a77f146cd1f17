"""A text as sentences, heard in a language: which of its phrases stand where, and what denies or supposes them."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from inbox.finding import Found, lexicon, plain, words_of
from inbox.phrases import Phrases, Table

_LONGEST = 200  # words; what goes on for longer is cut, since finding pairs takes the square of it

# "Customer no. A-99" goes on behind its dot.
_SENTENCE_END = re.compile(r"[!?;\u3002]+|[.:]+(?=\s|$)(?!\s[a-z]{0,3}-?\d\d)|\n\s{0,20}(?:\n|[-*\u2022])")


class Sentence:
    """Words, and the phrases of one language in them. A subject has the number 0, a text begins with 1."""

    def __init__(self, number: int, words: Sequence[str], phrases: Phrases) -> None:
        self.number = number
        self.words = words
        self.phrases = phrases
        self._found = lexicon(phrases).find(words)

    @property
    def is_subject(self) -> bool:
        """It stands in the mail's subject."""
        return self.number == 0

    def find(self, *tables: Table) -> Iterator[Found]:
        """Find every phrase of the tables, in the order of each table's places."""
        return (found for table in tables for found in self._found.get(table, ()))

    def meant(self, *tables: Table) -> Iterator[Found]:
        """Find what is said, and neither denied nor only supposed."""
        return (found for found in self.find(*tables) if not self.denies(found) and not self._supposes(found))

    def denies(self, found: Found) -> bool:
        """Tell whether a negation stands closely before `found` or in its gap, or a denial closely after."""
        first = max(self.clause_start(found.start), found.start - self.phrases.denies)
        last = found.end + self.phrases.denies
        return any(
            first <= negation.start < found.end
            and not _is_part(negation, found)
            and not self._belongs_elsewhere(negation, found)
            for negation in self.find(self.phrases.negations)
        ) or any(
            found.end <= denial.start <= last
            and self.same_clause(found.end, denial.start)
            and not self._belongs_elsewhere(denial, found)
            for denial in self.find(self.phrases.denials)
        )

    def clause_start(self, place: int) -> int:
        """Return the place of the first word of the clause in which `place` is."""
        return max((end for end in self._clause_ends if end <= place), default=0)

    def same_clause(self, one: int, other: int) -> bool:
        """Tell whether no clause ends between two places."""
        return self.clause_start(one) == self.clause_start(other)

    def _supposes(self, found: Found) -> bool:
        buts = [but.start for but in self.find(self.phrases.but) if but.start < found.start]
        return any(
            supposition.start < found.start and not any(supposition.start < but for but in buts)
            for supposition in self.find(self.phrases.suppositions)
        )

    @cached_property
    def _clause_ends(self) -> list[int]:
        commas = [place for place, word in enumerate(self.words, start=1) if word == ","]
        return commas + [found.end for found in self.find(self.phrases.but, self.phrases.because)]

    def _belongs_elsewhere(self, negation: Found, found: Found) -> bool:
        # The "not" in "I can not log in, I lost my phone" is part of another phrase and denies nothing after it.
        phrases = self.phrases
        return any(
            other.start <= negation.start < other.end and (other.end <= found.start or other.start >= found.end)
            for other in self.find(phrases.locked_out, phrases.lost, phrases.broken, phrases.idioms)
        )


def _is_part(negation: Found, found: Found) -> bool:
    if negation.start < found.start:
        return False
    return not found.has_gap or any(negation.phrase.startswith(word) for word in found.phrase.split())


def sentences(text: str) -> list[list[str]]:
    """Cut `text` into sentences of words; a single line end is only a line end."""
    pieces = (words_of(piece) for piece in _SENTENCE_END.split(plain(text)))
    return [words[at : at + _LONGEST] for words in pieces for at in range(0, len(words), _LONGEST)]
