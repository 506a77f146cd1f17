"""In which language each sentence of a mail is heard: the one that knows most of its words.

Spanish and Portuguese share their verbs but not their negations, so a sentence that tells of a loss must not be heard
in the other. What casts doubt on a mail is listened for in every language.
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
        self.any_language = [Sentence(number, words, phrases) for number, words in said for phrases in LANGUAGES]
        whole = [word for _, words in said for word in words]
        self.own = [sentence for sentence in self.any_language if sentence.phrases in _languages_of(sentence, whole)]


def _languages_of(sentence: Sentence, whole: Sequence[str]) -> list[Phrases]:
    """Name the language of a sentence; of those that know as many of its words, the one that suits the whole mail."""
    best = _know_most(sentence.words, LANGUAGES)
    return best if len(best) == 1 else _know_most(whole, best)


def _know_most(words: Sequence[str], languages: Sequence[Phrases]) -> list[Phrases]:
    known = {phrases: lexicon(phrases).known(words) for phrases in languages}
    return [phrases for phrases, count in known.items() if count == max(known.values())]
