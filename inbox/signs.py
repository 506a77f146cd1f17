"""What a mail shows, as signs that can be weighed: the words that it uses, and the phrases of the tables in it.

Of its words these are each, two in a row, and three where a character is a word; those with a number in them are left
out, as if they were not there. Of phrases, `[lost]` says that one of
that table is there, `[lost] meant` and `[lost] denied` in what sense, `[lost] in the subject` where, and
`[devices] [lost]` that one sentence has both. A short mail has `[at most 20 words]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import combinations, pairwise
from typing import Final

from inbox.finding import CHARACTER, lexicon
from inbox.phrases import Phrases, Table
from inbox.rules import ENOUGH, rule_signs
from inbox.sentences import Sentence

# These tell something else than what a mail asks: its language, what to look at besides, that a machine wrote it.
_NOT_WEIGHED: Final = frozenset({"common", "contact_changes", "accounts", "automatic_subjects", "automatic_openings"})
_PURPOSES: Final = tuple(
    field.name for field in fields(Phrases) if field.type is Table and field.name not in _NOT_WEIGHED
)
_FEW: Final = (10, 20, 40, 80)  # different words: of a short mail less can be expected
_VERY_FEW: Final = (10, 20)  # in so few, it matters more that the rules found enough
_NUMBER: Final = re.compile(r"\d{3}")  # a code, an account's number: what a mail asks does not hang on it


def signs_of(sentences: Sequence[Sentence]) -> Mapping[str, str]:
    """The signs in these sentences, each with the phrase of our tables that tells it to a person; "" where none does.

    What is told is kept when a mail is erased, and a word that was learned may be somebody's name.
    """
    told = {**dict.fromkeys(_of_length(sentences), ""), **rule_signs(sentences)}
    if ENOUGH in told:
        told |= {f"{ENOUGH} {at_most(words)}": told[ENOUGH] for words in _VERY_FEW if at_most(words) in told}
    for sentence in sentences:
        for sign, words in (*_of_phrases(sentence), *_of_words(sentence)):
            told.setdefault(sign, words)
    return told


def _of_length(sentences: Iterable[Sentence]) -> Iterator[str]:
    different = {word for sentence in sentences for word in sentence.words}
    return (at_most(most) for most in _FEW if len(different) <= most)


def at_most(words: int) -> str:
    """The sign of a mail that has no more different words than these."""
    return f"[at most {words} words]"


def _of_words(sentence: Sentence) -> Iterator[tuple[str, str]]:
    words = [word for word in sentence.words if not _NUMBER.search(word)]
    known = lexicon(sentence.phrases)
    for run in _runs(words):
        if "," not in run:
            yield run, run if known.has_run(run) else ""


def _runs(words: list[str]) -> Iterator[str]:
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        if CHARACTER.fullmatch(second):
            yield f"{first} {second} {third}"


def _of_phrases(sentence: Sentence) -> Iterator[tuple[str, str]]:
    shown = {purpose: found for purpose in _PURPOSES if (found := _first(sentence, purpose))}
    for purpose, phrase in shown.items():
        is_meant = any(sentence.meant(getattr(sentence.phrases, purpose)))
        yield f"[{purpose}]", phrase
        yield f"[{purpose}] {'meant' if is_meant else 'denied'}", phrase
        if sentence.is_subject:
            yield f"[{purpose}] in the subject", phrase
    for (one, phrase), (other, other_phrase) in combinations(sorted(shown.items()), 2):
        yield f"[{one}] [{other}]", f"{phrase} … {other_phrase}"


def _first(sentence: Sentence, purpose: str) -> str | None:
    return next((found.phrase for found in sentence.find(getattr(sentence.phrases, purpose))), None)
