"""What a mail asks: a reset of the second factor, perhaps one, something else, or nothing since a machine wrote it.

Each sign in the writer's own words speaks for a request or against one, by a weight that was learned from labelled
mails. Only a high score opens a reset, and only where nothing takes the request back: one that waits for a person is
better than one that nobody asked for. The signs that weighed most are the reasons.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from inbox.flags import Flag, accounts_named, flags_of
from inbox.hearing import Heard
from inbox.quoting import own_subject, own_words
from inbox.reading import Mail
from inbox.sentences import Sentence
from inbox.signs import signs_of
from inbox.weighing import learned

_LONGEST_READ: Final = 8_000  # characters of the writer's own words: people say what they want early
_OPENING: Final = 3  # sentences in which a machine says that it is one
_SURE: Final = 0.4  # above this score a mail is a request; how it was chosen: docs/decisions/mails-are-weighed.md
_PERHAPS: Final = -1.3  # above this one a person is told that it may be one
_REASONS: Final = 4  # on each side
_ELSE: Final = "its words are those of other mails"


class Ask(StrEnum):
    """What a mail asks. `unsure` may be a reset, a person looks; `automatic` mail is never answered."""

    RESET = "reset"
    UNSURE = "unsure"
    SOMETHING_ELSE = "something_else"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a mail asks, and the words that decided: phrases of our tables, never a text of the sender's.

    Whatever it asks, a mail with flags is for a person. `accounts` are the numbers of accounts that it names, small
    letters and digits: whether they are the sender's is for the caller.
    """

    asks: Ask
    reasons: tuple[str, ...]
    flags: tuple[Flag, ...] = ()
    accounts: tuple[str, ...] = ()

    @property
    def opens(self) -> bool:
        """It asks for a reset and for nothing else. Whether the writer may have one is for the caller."""
        return self.asks is Ask.RESET and not self.flags


def judge(mail: Mail) -> Judgement:
    """Say what `mail` asks. The sender only serves to tell other people's addresses from theirs."""
    if mail.machine_sign:
        return Judgement(Ask.AUTOMATIC, (mail.machine_sign,))
    text = _own(mail)
    whole = Heard(mail.subject, text)
    automatic = _first(whole.any_language, _automatic)
    asks, reasons = _asks(whole if _is_own(mail.subject) and not automatic else Heard("", text), automatic)
    flags = flags_of(whole.any_language, text, mail.sender)
    return Judgement(asks, reasons, flags, accounts_named(whole.any_language))


def heard(mail: Mail) -> Heard:
    """What is weighed of a person's mail."""
    return Heard(mail.subject if _is_own(mail.subject) else "", _own(mail))


def _is_own(subject: str) -> bool:
    # The subject of an answer was chosen by somebody else.
    return own_subject(subject) == subject


def _own(mail: Mail) -> str:
    return own_words(mail.text)[:_LONGEST_READ]


def _asks(said: Heard, automatic: str | None) -> tuple[Ask, tuple[str, ...]]:
    signs, weights = signs_of(said.own), learned()
    score = weights.score(signs)
    speak_for = _told(signs, weights.strongest(signs))
    if automatic:
        # Somebody who is out of office may have lost a phone there.
        return (Ask.UNSURE, (*speak_for, automatic)) if score > _SURE else (Ask.AUTOMATIC, (automatic,))
    taken_back = _first(said.any_language, _taken_back)
    if score > _SURE and not taken_back:
        return Ask.RESET, speak_for
    speak_against = (taken_back,) if taken_back else _told(signs, weights.weakest(signs))
    if score > _PERHAPS:
        return Ask.UNSURE, (*speak_for, *(f"but: {told}" for told in speak_against))
    return Ask.SOMETHING_ELSE, (_ELSE, *speak_against)


def _told(signs: Mapping[str, str], weightiest: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(signs[sign] for sign in weightiest if signs[sign]), _REASONS))


def _first(said: Iterable[Sentence], rule: Callable[[Sentence], Iterator[str]]) -> str | None:
    return next((phrases for sentence in said for phrases in rule(sentence)), None)


def _taken_back(sentence: Sentence) -> Iterator[str]:
    return (found.phrase for found in sentence.meant(sentence.phrases.taken_back))


def _automatic(sentence: Sentence) -> Iterator[str]:
    phrases = sentence.phrases
    if sentence.is_subject:
        return (found.phrase for found in sentence.find(phrases.automatic_subjects) if found.start == 0)
    return (found.phrase for found in sentence.find(phrases.automatic_openings) if sentence.number < _OPENING)
