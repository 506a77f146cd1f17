"""What a mail says besides, and for what a person must look at it, whatever else it asks."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import takewhile

from foundation.addresses import normalise_address
from inbox.finding import Found
from inbox.phrases import table
from inbox.sentences import Sentence

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# Words between "customer number" and the number, short enough to be taken for letters of it.
_LINKS = frozenset(
    table(
        "is, are, ist, est, es, e, em, de, la, el, le, o, os, as, no, nr, num, id, my, the, for, in, of, and, at"
    ).phrases
)
_LETTERS = re.compile(r"[a-z]{1,4}")
_DIGITS = re.compile(r"[a-z]{0,4}\d+[a-z]{0,4}")
# It has three digits and is no year, or letters before it: no "account 24 hours", but "account A-99".
_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)\w*\d{3}\w*|[a-z]{1,4}\d{2}\w*")
_PIECES = 4  # "C 40 718 2": a number is written in pieces


class Flag(StrEnum):
    """Why a person must look at a mail, in words for that person."""

    CONTACT_CHANGE = "it also asks to change a contact, the passphrase or the way of resetting"
    OTHER_ADDRESS = "its text names an address that is not the sender's"


def flags_of(said: Iterable[Sentence], text: str, sender: str | None) -> tuple[Flag, ...]:
    """Return what must be looked at in a mail: `said` in every language, `text` as its writer wrote it."""
    return tuple(flag for flag in Flag if flag in set(_flags(list(said), text, sender)))


def _flags(said: list[Sentence], text: str, sender: str | None) -> Iterator[Flag]:
    if any(
        not sentence.denies(found) for sentence in said for found in sentence.find(sentence.phrases.contact_changes)
    ):
        yield Flag.CONTACT_CHANGE
    if any(normalise_address(address) != sender for address in _ADDRESS.findall(text)):
        yield Flag.OTHER_ADDRESS


def accounts_named(said: Iterable[Sentence]) -> tuple[str, ...]:
    """Return the numbers of accounts in a mail, as small letters and digits: "customer no. A-99" names "a99"."""
    numbers = (_number(sentence, found) for sentence in said for found in sentence.find(sentence.phrases.accounts))
    return tuple(dict.fromkeys(number for number in numbers if number))


def _number(sentence: Sentence, account: Found) -> str | None:
    words = list(sentence.words[account.end : account.end + _PIECES + 1])
    if words and _is_between(words[0]):
        words = words[1:]
    letters = words[:1] if words and _LETTERS.fullmatch(words[0]) else []
    first, *others = words[len(letters) :] or [""]
    if not _DIGITS.fullmatch(first):
        return None
    number = "".join([*letters, first, *takewhile(str.isdecimal, others)])
    return number if _NUMBER.fullmatch(number) else None


def _is_between(word: str) -> bool:
    return word in _LINKS or not (_LETTERS.fullmatch(word) or _DIGITS.fullmatch(word))
