"""What phrases say together, by rules: whose thing is lost, what is asked for, is that enough, and what casts doubt.

A rule looks at one sentence. What the rules find are signs like others; learning says how much they are worth.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from inbox.finding import Found
from inbox.pairs import Pair, is_about_another, own, pairs
from inbox.phrases import Table
from inbox.sentences import Sentence

_WITHOUT_DOUBT: Final = "enough, without doubt"
ENOUGH: Final = f"[{_WITHOUT_DOUBT}]"

Rule: TypeAlias = Callable[[Sentence], Iterator[str]]
"""Looks at one sentence and gives the phrases that it found, if any."""


def rule_signs(sentences: Iterable[Sentence]) -> Mapping[str, str]:
    """The signs of the rules that found something, each with the phrase that showed it."""
    found = {name: phrase for name, rule in _RULES.items() if (phrase := _first(sentences, rule))}
    for enough in _ENOUGH:
        if found.keys() >= set(enough):
            found.setdefault("enough", found[enough[0]])
    if "enough" in found and not found.keys() & _DOUBTS:
        found[_WITHOUT_DOUBT] = found["enough"]
    return {f"[{name}]": phrase for name, phrase in found.items()}


def _first(sentences: Iterable[Sentence], rule: Rule) -> str | None:
    return next((phrases for sentence in sentences for phrases in rule(sentence)), None)


def _doubt(sentence: Sentence) -> Iterator[str]:
    none = list(sentence.find(sentence.phrases.no_doubts))
    found = (doubt for doubt in sentence.find(sentence.phrases.doubts) if not sentence.denies(doubt))
    return (doubt.phrase for doubt in found if not any(_overlap(doubt, other) for other in none))


def _overlap(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end


def _factor_lost(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    yield from own(sentence, pairs(sentence, (phrases.lost, phrases.broken), (phrases.factors,)))
    yield from own(sentence, pairs(sentence, (phrases.lost,), (phrases.protections,)))


def _device_lost(sentence: Sentence) -> Iterator[str]:
    return own(sentence, _device_losses(sentence))


def _of_another(sentence: Sentence) -> Iterator[str]:
    return (str(pair) for pair in _device_losses(sentence) if is_about_another(sentence, pair))


def _device_losses(sentence: Sentence) -> Iterator[Pair]:
    phrases = sentence.phrases
    return pairs(sentence, (phrases.lost, phrases.broken), (phrases.devices, phrases.factors))


def _replaced(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    return own(sentence, pairs(sentence, (phrases.replaced,), (phrases.devices, phrases.factors)))


def _locked_out(sentence: Sentence) -> Iterator[str]:
    return (found.phrase for found in sentence.meant(sentence.phrases.locked_out))


def _factor_named(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    return (found.phrase for found in sentence.find(phrases.factors, phrases.protections, phrases.codes))


def _reset_asked(sentence: Sentence) -> Iterator[str]:
    return _asked(sentence, sentence.phrases.reset, sentence.phrases.reset_orders)


def _take_off_asked(sentence: Sentence) -> Iterator[str]:
    return _asked(sentence, sentence.phrases.take_off, sentence.phrases.take_off_orders)


def _it_asked(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    wished = (pair for pair in pairs(sentence, (phrases.take_off,), (phrases.stand_ins,)) if _requested(sentence, pair))
    return own(sentence, (pair for pair in wished if not _in_question(sentence, pair)))


def _asked(sentence: Sentence, doings: Table, orders: Table) -> Iterator[str]:
    things = (sentence.phrases.factors, sentence.phrases.protections)
    wished = (pair for pair in pairs(sentence, (doings,), things) if _requested(sentence, pair))
    for found in (pairs(sentence, (orders,), things), wished):
        yield from own(sentence, (pair for pair in found if not _in_question(sentence, pair)))


def _requested(sentence: Sentence, pair: Pair) -> bool:
    phrases = sentence.phrases
    # An order begins with what to do, or says nothing else. In a subject "2FA reset" may be a question, or thanks.
    if (pair.doing.start == 0 or pair.end - pair.start == len(sentence.words)) and not sentence.is_subject:
        return True
    pleas = [plea for plea in sentence.find(phrases.pleading) if not sentence.denies(plea)]
    before = [asking for asking in sentence.find(phrases.asking) if not sentence.denies(asking)] + pleas
    return any(asking.start < pair.start for asking in before) or any(
        sentence.same_clause(pair.start, plea.start) for plea in pleas
    )


def _in_question(sentence: Sentence, pair: Pair) -> bool:
    return any(
        question.start < pair.start or sentence.same_clause(pair.start, question.start)
        for question in sentence.find(sentence.phrases.questions)
    )


_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "factor lost": _factor_lost,
        "device lost": _device_lost,
        "device replaced": _replaced,
        "cannot get in": _locked_out,
        "factor named": _factor_named,
        "reset asked": _reset_asked,
        "removal asked": _take_off_asked,
        "its removal asked": _it_asked,
        "doubted": _doubt,
        "of another": _of_another,
    }
)
_DOUBTS: Final = {"doubted", "of another"}
# The first tells it to a person.
_ENOUGH: Final = (
    ("factor lost",),
    ("reset asked",),
    # A lost phone is a lost factor only if the mail also speaks of a factor, or of not getting in.
    ("device lost", "factor named"),
    ("device lost", "cannot get in"),
    # A new phone need not mean that the old one is gone; a mail program may be what cannot sign in on it.
    ("device replaced", "cannot get in", "factor named"),
    ("removal asked", "cannot get in"),
    # "Remove it": the rest of the mail has to say what.
    ("its removal asked", "cannot get in", "factor named"),
)
