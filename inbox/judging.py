"""What a mail asks: a reset of the second factor, something else, or nothing at all because a machine wrote it.

Phrases from a table are looked for, sentence by sentence, in the writer's own words; a few rules say which of them are
enough. Whatever they do not settle is `something_else` and goes to a person: a reset that waits is better than one that
nobody asked for. The phrases that decided are the reasons.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from inbox.phrases import ENGLISH, Table
from inbox.quoting import own_subject, own_words
from inbox.reading import Mail
from inbox.sentences import Found, Sentence, sentences

_LONGEST_READ = 8_000  # characters of the writer's own words: people say what they want early
_APART = 5  # words between what happens and the thing it happens to: "my phone, which is a Pixel, died"
_WHOSE = 4  # words before both in which its owner may be named: "my wife has just lost her phone"


class Ask(StrEnum):
    """What a mail asks. `automatic` mail is never answered."""

    RESET = "reset"
    SOMETHING_ELSE = "something_else"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a mail asks, and the words that decided: phrases of our tables, never a text of the sender's."""

    asks: Ask
    reasons: tuple[str, ...]


def judge(mail: Mail) -> Judgement:
    """Say what `mail` asks. The sender plays no part in it: who wrote, and whether they did, is for the caller."""
    if mail.machine_sign:
        return Judgement(Ask.AUTOMATIC, (mail.machine_sign,))
    said = sentences(f"{own_subject(mail.subject)}\n\n{own_words(mail.text)}"[:_LONGEST_READ])
    if doubt := _heard(said, _doubt):
        return Judgement(Ask.SOMETHING_ELSE, (doubt,))
    for rules in _ENOUGH:
        reasons = [reason for rule in rules if (reason := _heard(said, rule))]
        if len(reasons) == len(rules):
            return Judgement(Ask.RESET, tuple(reasons))
    return Judgement(Ask.SOMETHING_ELSE, ("nothing tells of a lost second factor or asks for its reset",))


Rule: TypeAlias = Callable[[Sentence], Iterator[str]]
"""Looks at one sentence and gives the phrases that it found, if any."""


def _heard(said: Sequence[Sentence], rule: Rule) -> str | None:
    return next((phrases for sentence in said for phrases in rule(sentence)), None)


def _doubt(sentence: Sentence) -> Iterator[str]:
    return (found.phrase for found in sentence.find(ENGLISH.doubts) if not sentence.denies(found))


def _factor_lost(sentence: Sentence) -> Iterator[str]:
    yield from map(_named, _pairs(sentence, ENGLISH.lost + ENGLISH.broken, ENGLISH.factors))
    yield from map(_named, _pairs(sentence, ENGLISH.lost, ENGLISH.protections))


def _device_lost(sentence: Sentence) -> Iterator[str]:
    return map(_named, _pairs(sentence, ENGLISH.lost + ENGLISH.broken, ENGLISH.devices))


def _replaced(sentence: Sentence) -> Iterator[str]:
    return map(_named, _pairs(sentence, ENGLISH.replaced, ENGLISH.devices + ENGLISH.factors))


def _locked_out(sentence: Sentence) -> Iterator[str]:
    return (found.phrase for found in sentence.meant(ENGLISH.locked_out))


def _factor_named(sentence: Sentence) -> Iterator[str]:
    return (found.phrase for found in sentence.find(ENGLISH.factors + ENGLISH.protections))


def _reset_asked(sentence: Sentence) -> Iterator[str]:
    return _asked(sentence, ENGLISH.reset)


def _take_off_asked(sentence: Sentence) -> Iterator[str]:
    return _asked(sentence, ENGLISH.take_off)


def _asked(sentence: Sentence, doings: Table) -> Iterator[str]:
    for first, second in _pairs(sentence, doings, ENGLISH.factors + ENGLISH.protections):
        requested = first.start == 0 or any(asking.start < first.start for asking in sentence.find(ENGLISH.asking))
        if requested and not any(question.start < first.start for question in sentence.find(ENGLISH.questions)):
            yield _named((first, second))


def _pairs(sentence: Sentence, doings: Table, things: Table) -> Iterator[tuple[Found, Found]]:
    """Find what is done to a thing, or happens to it: both phrases close to each other, in either order."""
    for doing in sentence.meant(doings):
        for thing in sentence.find(things):
            first, second = (doing, thing) if doing.start < thing.start else (thing, doing)
            between = sentence.words[first.end : second.start]
            # "I lost my temper, my phone …": an object does not stand behind a comma; a verb may.
            severed = first is doing and "," in between
            if len(between) <= _APART and not severed and not _about_another(sentence, first, second):
                yield first, second


def _about_another(sentence: Sentence, first: Found, second: Found) -> bool:
    near = sentence.words[max(sentence.clause_start(first), first.start - _WHOSE) : second.end]
    between = sentence.words[first.end : second.start]
    return not ENGLISH.other_people.isdisjoint(near) or not ENGLISH.other_things.isdisjoint(between)


def _named(pair: tuple[Found, Found]) -> str:
    first, second = pair
    return f"{first.phrase} … {second.phrase}"


_ENOUGH: tuple[tuple[Rule, ...], ...] = (
    (_factor_lost,),
    (_reset_asked,),
    # A lost phone is a lost factor only if the mail also speaks of a factor, or of not getting in.
    (_device_lost, _factor_named),
    (_device_lost, _locked_out),
    # A new phone need not mean that the old one is gone; a mail program may be what cannot sign in on it.
    (_replaced, _locked_out, _factor_named),
    (_take_off_asked, _locked_out),
)
