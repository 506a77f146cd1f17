"""What a mail says besides, and for what a person must look at it, whatever else it asks."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from foundation.addresses import normalise_address
from inbox.finding import Found
from inbox.sentences import Sentence

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# An account's number has three digits and is no year, or a letter before it: no "account 24 hours", but "account A-99".
_NUMBER = re.compile(r"(?:\S{1,12} )?((?!(?:19|20)\d\d\b)[a-z]{0,4}\d{3,}|[a-z] \d{2,})")


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
    return tuple(dict.fromkeys(number.replace(" ", "") for number in numbers if number))


def _number(sentence: Sentence, account: Found) -> str | None:
    match = _NUMBER.match(" ".join(sentence.words[account.end : account.end + 3]))
    return match[1] if match else None
