"""Translations as operators bring them: compiled catalogues (.mo), made here from texts and what each becomes."""

import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from cli.catalogue import Text

TWO_FORMS = "nplurals=2; plural=n != 1;"

_PLACEHOLDER = re.compile(r"(%\(\w+\)s)")


def bracketed(words: str) -> str:
    """`words` as a translation that is known by its brackets: each part between placeholders stands in a pair."""
    return "".join(
        part if _PLACEHOLDER.fullmatch(part) or not re.search(r"\w", part) else f"⟦{part}⟧"
        for part in _PLACEHOLDER.split(words)
    )


def each(texts: Mapping[Text, object], translate: Callable[[str], str]) -> dict[Text, tuple[str, ...]]:
    """All of the texts translated alike, in as many forms as the English has."""
    return {text: tuple(translate(words) for words in (text.words, text.many) if words is not None) for text in texts}


def write(file: Path, translations: Mapping[Text, tuple[str, ...]], plurals: str = TWO_FORMS) -> Path:
    """Writes a compiled catalogue, as https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html has it."""
    head = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {plurals}\n"
    pairs = [("", head), *((_key(text), "\0".join(forms)) for text, forms in translations.items())]
    columns = [[each.encode() for each in column] for column in zip(*sorted(pairs), strict=True)]
    count, table = len(pairs), 28  # bytes of the numbers at the beginning
    words_at = table + 2 * 8 * count
    lengths, words = b"", b""
    for entry in (entry for column in columns for entry in column):
        lengths += struct.pack("<II", len(entry), words_at + len(words))
        words += entry + b"\0"
    numbers = struct.pack("<7I", 0x950412DE, 0, count, table, table + 8 * count, 0, 0)
    file.write_bytes(numbers + lengths + words)
    return file


def _key(text: Text) -> str:
    context = f"{text.context}\x04" if text.context else ""
    return context + "\0".join(words for words in (text.words, text.many) if words is not None)
