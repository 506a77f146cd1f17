"""How codes, dates, numbers and addresses are written and spoken; the filters of all templates."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

_WIDTH = 72
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Crockford's base 32 has no I, L, O and U.
_LETTERS = {
    word[0].upper(): word
    for word in (
        *("Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "Juliett", "Kilo", "Mike"),
        *("November", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Victor", "Whiskey", "X-ray", "Yankee", "Zulu"),
    )
}
_MARKS = {".": "dot", "/": "slash", "-": "dash", ":": "colon"}

# The default alphabet of GSM 03.38 (3GPP TS 23.038 §6.2.1), and the characters that its extension table adds.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})


def one_line(text: str) -> str:
    """`text` with every run of blanks, line breaks and control characters made one blank: nothing can end a header."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def wrapped(text: str) -> str:
    """Plain text with its long lines broken at blanks after 72 signs at most; a web address stays whole."""
    return "\n".join(part for line in text.splitlines() for part in _broken(line))


def groups(code: str) -> str:
    """A code in two halves, as it is read: `4821 7306`."""
    half = len(code) // 2
    return f"{code[:half]} {code[half:]}"


def long_time(moment: datetime) -> str:
    """`Tuesday 24 November 2026, 18:05 UTC`, whatever the locale."""
    at = moment.astimezone(UTC)
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def short_time(moment: datetime) -> str:
    """`24 Nov 18:05 UTC`, for a text message."""
    at = moment.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1][:3]} {at:%H:%M} UTC"


def minutes_between(now: datetime, until: datetime) -> int:
    """The whole minutes that are left, to the nearest; at least one."""
    return max(1, round((until - now).total_seconds() / 60))


def spoken_code(code: str) -> str:
    """A code for the ear, digit by digit with a longer pause between its halves."""
    return ". ".join(_spoken_digits(half) for half in groups(code).split())


def spoken_phone(number: str) -> str:
    """A phone number for the ear: `plus one. two, zero, two. …`."""
    parts = re.findall(r"\+?\d+", number)
    return ". ".join(("plus " if part[0] == "+" else "") + _spoken_digits(part.lstrip("+")) for part in parts)


def spoken_reference(reference: str) -> str:
    """A case's reference for the ear: `R as in Romeo, seven, K as in Kilo, …`."""
    return ", ".join(_spoken_sign(sign) for sign in reference if sign != "-")


def spoken_address(address: str) -> str:
    """A web address for the ear: `reset dot example dot com`."""
    return " ".join(_MARKS.get(part, part) for part in re.split(r"([./:-])", address) if part)


def gsm(text: str) -> str:
    """`text` in the alphabet of which 160 signs fit a text message; unchanged where that would lose a character."""
    plain = "".join(sign if sign in _GSM else _without_marks(sign) for sign in text.translate(_PLAIN))
    return plain if _GSM.issuperset(plain) else text


def _broken(line: str) -> Iterator[str]:
    # textwrap does the same in ten times the time, which would be half of what a mail costs.
    while len(line) > _WIDTH and (blank := line.rfind(" ", 1, _WIDTH + 1)) > 0:
        yield line[:blank]
        line = line[blank + 1 :]
    yield line


def _spoken_digits(digits: str) -> str:
    return ", ".join(_DIGITS[int(digit)] for digit in digits)


def _spoken_sign(sign: str) -> str:
    return _DIGITS[int(sign)] if sign.isdigit() else f"{sign} as in {_LETTERS[sign]}"


def _without_marks(sign: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
