"""A mail's text as people may see it: addresses, numbers, codes and whatever may be a passphrase are hidden.

Customers put their passphrase into mails although nobody asks for it. A line that names one is hidden, with the
line after it; `is_passphrase` finds one that stands alone. What is written in another way stays: nobody can know it.
"""

import re
from collections.abc import Callable

from foundation.redaction import redact

_HIDDEN = "•••"
_PASSPHRASE = (
    r"pass[ -]?(?:phrase|code)|secret word|frase[- ](?:secreta|de paso|de recuperaci[oó]n)"
    r"|phrase (?:secr[eè]te|de passe)|(?:кодов|секретн)\w+ (?:фраз|слов)\w+|口令|密语|密語|パスフレーズ|合言葉"
)
_PASSWORD = r"password|contrase[nñ]a|mot de passe|passwort|kennwort|senha|парол\w*|密码|密碼|パスワード"
# A password is mostly spoken of because it is forgotten: only where a value follows is there something to hide.
_VALUE = r"[^\n]{0,12}?(?:[:=\uff1a]|\b(?:is|was|ist|lautet|est|es|era|é)\b|это|是|は)"
_LABEL = re.compile(rf"{_PASSPHRASE}|(?:{_PASSWORD}){_VALUE}", re.IGNORECASE)
_ASKED_AT_EACH_END = 8
"""Lines that are tried as a passphrase: each costs some 20 ms where the account has one."""
_LONGEST_ASKED = 200  # characters
_SEPARATORS = re.compile(r"[:=\uff1a\u2013\u2014]")


def shown(text: str, is_passphrase: Callable[[str], bool]) -> str:
    """The text without what must not be read. `is_passphrase` is asked about some of its lines."""
    lines = text.split("\n")
    hidden = _labelled(lines) | _alone(lines, is_passphrase)
    kept = (_HIDDEN if number in hidden else line for number, line in enumerate(lines))
    return redact("\n".join(kept))


def _labelled(lines: list[str]) -> set[int]:
    """The lines that name a passphrase, each with the next one that is not blank: the passphrase may stand there."""
    named = [number for number, line in enumerate(lines) if _LABEL.search(line)]
    return {*named, *(below for number in named if (below := _next_written(lines, number)) is not None)}


def _next_written(lines: list[str], number: int) -> int | None:
    return next((below for below in range(number + 1, len(lines)) if lines[below].strip()), None)


def _alone(lines: list[str], is_passphrase: Callable[[str], bool]) -> set[int]:
    written = [number for number, line in enumerate(lines) if line.strip() and len(line) <= _LONGEST_ASKED]
    # People write it first, or last above their name.
    asked = {*written[:_ASKED_AT_EACH_END], *written[-_ASKED_AT_EACH_END:]}
    return {number for number in asked if _is_one(lines[number], is_passphrase)}


def _is_one(line: str, is_passphrase: Callable[[str], bool]) -> bool:
    whole = line.strip().strip("\"'«»„“”.")
    value = _SEPARATORS.split(line, maxsplit=1)[-1].strip().strip("\"'«»„“”.")
    return any(is_passphrase(each) for each in {whole, value, line.strip()})
