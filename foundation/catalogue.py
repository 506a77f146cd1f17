"""The language of what Keyturn sends: English as it stands in the program, or a translation that an operator has made.

The words around it are gettext's: a text is looked up by its English, and one that the translation lacks is English.
`keyturn docs catalogue` lists all texts, docs/translating.md says how a translation is made from that.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, TypeVar

from foundation.settings import PREFIX, BadSettings, Settings

K = TypeVar("K")

_VARIABLE: Final = f"{PREFIX}TEXTS_FILE"
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_CONTEXT_ENDS: Final = "\x04"  # as GNU gettext writes it: context, this, text

_texts = NullTranslations()


def set_up(settings: Settings) -> None:
    """Reads the translation that the settings name, for all texts of this process. Raises `BadSettings`."""
    global _texts  # noqa: PLW0603 - the one language of a process
    _texts = _read(settings.texts_file) if settings.texts_file else NullTranslations()


def gettext(words: str) -> str:
    """The text, translated."""
    return _texts.gettext(words)


def ngettext(one: str, many: str, number: int) -> str:
    """The text for this number of things, translated."""
    # What is no number is refused here: the standard library warns in one version and raises in another.
    return _texts.ngettext(one, many, int(number))


def pgettext(context: str, words: str) -> str:
    """The text as it is used in this context, translated."""
    return _texts.pgettext(context, words)


class Terms(Mapping[K, str]):
    """A table of words that belong together, each translated when it is asked for. Its context tells them apart."""

    def __init__(self, context: str, words: Mapping[K, str]) -> None:
        self._context = context
        self._words = words

    def __getitem__(self, key: K) -> str:
        return pgettext(self._context, self._words[key])

    def __iter__(self) -> Iterator[K]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


class _Translation(GNUTranslations):
    """A compiled catalogue (.mo) that can be looked through."""

    _catalog: Mapping[str | tuple[str, int], str]  # where the standard library keeps the texts

    def faults(self) -> Iterator[str]:
        """What would keep a message from being written, or leave out what it is sent for, one line a text."""
        for key, translated in self._catalog.items():
            if key and (fault := _fault(key, translated)):
                words = key if isinstance(key, str) else key[0]
                yield f'"{words.rpartition(_CONTEXT_ENDS)[2]:.60}" {fault}'


def _read(file: Path) -> NullTranslations:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadSettings(f"{_VARIABLE}: {file} cannot be read ({error.strerror})") from None
    try:
        texts = _Translation(BytesIO(content))
    except (LookupError, OSError, ValueError, struct.error):  # a wrong first number is an OSError too
        raise BadSettings(f"{_VARIABLE}: {file} is no compiled catalogue (.mo); msgfmt makes one") from None
    if faults := list(texts.faults()):
        raise BadSettings("\n".join(f"{_VARIABLE}: {file}: {fault}" for fault in faults))
    return texts


def _fault(key: str | tuple[str, int], translated: str) -> str | None:
    wanted = _placeholders(key if isinstance(key, str) else key[0])
    held = _placeholders(translated)
    # A form for one thing may say "a minute" and leave the number out.
    if not held <= wanted or (isinstance(key, str) and held != wanted):
        return f"must have these placeholders: {', '.join(sorted(wanted)) or 'none'}"
    if "%" in _PLACEHOLDER.sub("", translated):
        return "has a % that begins no placeholder"
    return None if translated.splitlines() == [translated] else "must be one line of text"


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))
