"""What a mail asks: a reset of the second factor, perhaps one, something else, or nothing since a machine wrote it.

Phrases from a language's tables are looked for, sentence by sentence, in the writer's own words; a few rules say which
of them are enough. What they settle only in part is unsure and goes to a person: a reset that waits is better than one
that nobody asked for. The phrases that decided are the reasons.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from inbox.finding import Found
from inbox.flags import Flag, flags_of
from inbox.hearing import Heard
from inbox.pairs import Pair, is_about_another, own, pairs
from inbox.phrases import Table
from inbox.quoting import own_subject, own_words
from inbox.reading import Mail
from inbox.sentences import Sentence

_LONGEST_READ = 8_000  # characters of the writer's own words: people say what they want early
_OPENING = 3  # sentences in which a machine says that it is one


class Ask(StrEnum):
    """What a mail asks. `unsure` may be a reset, a person looks; `automatic` mail is never answered."""

    RESET = "reset"
    UNSURE = "unsure"
    SOMETHING_ELSE = "something_else"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a mail asks, and the words that decided: phrases of our tables, never a text of the sender's.

    Whatever it asks, a mail with flags is for a person.
    """

    asks: Ask
    reasons: tuple[str, ...]
    flags: tuple[Flag, ...] = ()

    @property
    def opens(self) -> bool:
        """It asks for a reset and for nothing else. Whether the writer may have one is for the caller."""
        return self.asks is Ask.RESET and not self.flags


def judge(mail: Mail) -> Judgement:
    """Say what `mail` asks. The sender only serves to tell other people's addresses from theirs."""
    if mail.machine_sign:
        return Judgement(Ask.AUTOMATIC, (mail.machine_sign,))
    text = own_words(mail.text)[:_LONGEST_READ]
    whole = Heard(mail.subject, text)
    automatic = _first(whole.any_language, _automatic)
    # The subject of an answer, a machine's too, was chosen by somebody else.
    heard = whole if own_subject(mail.subject) == mail.subject and not automatic else Heard("", text)
    asks, reasons = _asks(heard, automatic)
    return Judgement(asks, reasons, flags_of(heard.any_language, text, mail.sender))


def _asks(heard: Heard, automatic: str | None) -> tuple[Ask, tuple[str, ...]]:
    doubts = _all_reasons(automatic, _first(heard.any_language, _doubt), _first(heard.own, _of_another))
    enough = _enough(heard)
    if enough and not doubts:
        return Ask.RESET, enough
    if hints := enough or _all_reasons(*(_first(heard.own, rule) for rule in _HINTS)):
        return Ask.UNSURE, hints + doubts
    if automatic:
        return Ask.AUTOMATIC, (automatic,)
    return Ask.SOMETHING_ELSE, doubts or ("nothing tells of a lost second factor or asks for its reset",)


Rule: TypeAlias = Callable[[Sentence], Iterator[str]]
"""Looks at one sentence and gives the phrases that it found, if any."""


def _enough(heard: Heard) -> tuple[str, ...]:
    for rules in _ENOUGH:
        reasons = _all_reasons(*(_first(heard.own, rule) for rule in rules))
        if len(reasons) == len(rules):
            return reasons
    return ()


def _first(said: Iterable[Sentence], rule: Rule) -> str | None:
    return next((phrases for sentence in said for phrases in rule(sentence)), None)


def _all_reasons(*reasons: str | None) -> tuple[str, ...]:
    return tuple(reason for reason in reasons if reason)


def _automatic(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    if sentence.is_subject:
        return (found.phrase for found in sentence.find(phrases.automatic_subjects) if found.start == 0)
    return (found.phrase for found in sentence.find(phrases.automatic_openings) if sentence.number < _OPENING)


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


_ENOUGH: tuple[tuple[Rule, ...], ...] = (
    (_factor_lost,),
    (_reset_asked,),
    # A lost phone is a lost factor only if the mail also speaks of a factor, or of not getting in.
    (_device_lost, _factor_named),
    (_device_lost, _locked_out),
    # A new phone need not mean that the old one is gone; a mail program may be what cannot sign in on it.
    (_replaced, _locked_out, _factor_named),
    (_take_off_asked, _locked_out),
    # "Remove it": the rest of the mail has to say what.
    (_it_asked, _locked_out, _factor_named),
)

_HINTS: tuple[Rule, ...] = (_device_lost, _take_off_asked)
