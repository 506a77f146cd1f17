"""How the words that judging looks for are written down: phrases in tables, one set of tables a language.

Tables are written as people write, with blanks between words, and read as `words_of` reads a text: small letters, no
accents, hyphens are blanks, English short forms written out ("can not", "do not"). In Chinese and Japanese each
character is a word. Two marks help: `потерял*` is every word that begins so, and `setz* … zurück` may have a few words,
but no comma, where the dots are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Phrases that serve one purpose. Compared by identity: a sentence keeps what it finds under its table."""

    phrases: tuple[str, ...]


def table(text: str, *more: str) -> Table:
    """Make a table of phrases that commas separate, and of single ones; a line's end is a blank."""
    return Table((*(" ".join(phrase.split()) for phrase in text.split(",") if phrase.strip()), *more))


_NONE = table("")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Phrases:
    """The phrases of one language, by what they are for."""

    name: str
    """The language, in English."""
    common: Table
    """Frequent words by which the language is recognised, besides all words below."""
    factors: Table
    """Things that are a second factor and nothing else."""
    protections: Table
    """Names of the protection itself. "2FA is broken" may speak of our pages, "I lost my 2FA" does not."""
    codes: Table
    """What a second factor shows or receives: it tells that one is meant, not that one is gone."""
    devices: Table
    """Things that may hold a second factor."""
    other_things: Table
    """Between a loss and a thing, these change what is lost: "lost the password of my phone"."""
    lost: Table
    """It is out of reach: of the writer's, where the language's verbs say whose."""
    broken: Table
    """It is there, and of no use."""
    replaced: Table
    """There is a new one; the old one may be at hand."""
    locked_out: Table
    """The writer cannot get in, or has not the code that is asked for."""
    reset: Table
    """Asks for it, where the sentence is a request."""
    reset_orders: Table
    """Asks for it, and is a request in itself: "сбросьте"."""
    take_off: Table
    """The same from somebody who cannot get in; from anybody else it may be a wish to do without."""
    take_off_orders: Table
    """The same, and a request in itself."""
    asking: Table
    """Before what is asked for, turns a sentence into a request."""
    pleading: Table
    """Does so from behind too, in the same clause."""
    questions: Table
    """With these, a sentence asks about a reset, or thanks for one."""
    suppositions: Table
    """After these, in the same sentence, nothing has happened yet."""
    negations: Table
    """These deny what follows within a few words."""
    denials: Table
    """These deny what they follow closely."""
    idioms: Table
    """A negation in these denies nothing else: "no idea"."""
    but: Table
    """A clause ends here, and what was supposed before is no longer."""
    because: Table
    """A clause ends here."""
    mine: Table
    """Closely before a thing, these make it the writer's, whoever else is named."""
    other_people: Table
    """Near a loss or a request, these make it somebody else's."""
    taken_back: Table
    """Whatever stands before: it is over. These outweigh all that speaks for a request."""
    doubts: Table
    """These cast doubt: it is not our login, somebody else is behind it, it is bait, it may be over."""
    no_doubts: Table = _NONE
    """A doubt in these is none: "the password of the backup", "so that I find my way in again"."""
    stand_ins: Table = _NONE
    """What one says for a factor that one has named, or has no name for: "remove it", "the thing with the code"."""
    contact_changes: Table
    """Asks that a contact, the passphrase or the way of resetting be changed, or that something go to a new contact."""
    accounts: Table
    """What stands before the number of an account: "customer no"."""
    automatic_subjects: Table
    """The subject of a machine's answer begins so."""
    automatic_openings: Table
    """A machine's answer says so in its first sentences."""
    apart: int = 6
    """Words between what happens and the thing it happens to: "my phone, which is a Pixel, died"."""
    denies: int = 4
    """Words between a negation and the last word that it denies: "do not want you to reset"."""
