"""In which language each sentence of a mail is heard: the one that knows most of its words.

Spanish and Portuguese share their verbs but not their negations, so a sentence that tells of a loss must not be heard
in the other. What takes a request back, and what else must be looked at, is listened for in every language.
"""

from collections.abc import Sequence

from inbox.finding import lexicon
from inbox.languages.chinese import CHINESE
from inbox.languages.english import ENGLISH
from inbox.languages.french import FRENCH
from inbox.languages.german import GERMAN
from inbox.languages.japanese import JAPANESE
from inbox.languages.portuguese import PORTUGUESE
from inbox.languages.russian import RUSSIAN
from inbox.languages.spanish import SPANISH
from inbox.phrases import Phrases
from inbox.sentences import Sentence, sentences

LANGUAGES: tuple[Phrases, ...] = (ENGLISH, SPANISH, FRENCH, GERMAN, PORTUGUESE, RUSSIAN, CHINESE, JAPANESE)


class Heard:
    """The sentences of a mail: `own` in the language they are written in, `any_language` in each of ours."""

    def __init__(self, subject: str, text: str) -> None:
        said = [(0, words) for words in sentences(subject)] + list(enumerate(sentences(text), start=1))
        whole = frozenset(word for _, words in said for word in words)
        self.own: list[Sentence] = []
        self.any_language: list[Sentence] = []
        for number, words in said:
            heard = {phrases: Sentence(number, words, phrases) for phrases in LANGUAGES}
            self.any_language += heard.values()
            self.own += [heard[phrases] for phrases in _languages_of(frozenset(words), whole)]


def _languages_of(words: frozenset[str], whole: frozenset[str]) -> Sequence[Phrases]:
    """Name the language of a sentence; of those that know as many of its words, the one that suits the whole mail."""
    best = _know_most(words, LANGUAGES)
    return best if len(best) == 1 else _know_most(whole, best)


def _know_most(words: frozenset[str], languages: Sequence[Phrases]) -> Sequence[Phrases]:
    known = {phrases: lexicon(phrases).known(words) for phrases in languages}
    most = max(known.values())
    return [phrases for phrases, count in known.items() if count == most]
