"""How codes, dates, numbers and addresses are written and spoken; the filters of all templates."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

from foundation.catalogue import Terms, gettext

_WIDTH = 72
_DAYS = Terms(
    "day in a date",
    {
        1: "Monday",
        2: "Tuesday",
        3: "Wednesday",
        4: "Thursday",
        5: "Friday",
        6: "Saturday",
        7: "Sunday",
    },
)
_MONTHS = Terms(
    "month in a date",
    {
        1: "January",
        2: "February",
        3: "March",
        4: "April",
        5: "May",
        6: "June",
        7: "July",
        8: "August",
        9: "September",
        10: "October",
        11: "November",
        12: "December",
    },
)
_SHORT_MONTHS = Terms(
    "month in a text message",
    {
        1: "Jan",
        2: "Feb",
        3: "Mar",
        4: "Apr",
        5: "May",
        6: "Jun",
        7: "Jul",
        8: "Aug",
        9: "Sep",
        10: "Oct",
        11: "Nov",
        12: "Dec",
    },
)
_DIGITS = Terms(
    "spoken digit",
    {
        "0": "zero",
        "1": "one",
        "2": "two",
        "3": "three",
        "4": "four",
        "5": "five",
        "6": "six",
        "7": "seven",
        "8": "eight",
        "9": "nine",
    },
)
# Crockford's base 32 has no I, L, O and U.
_LETTERS = Terms(
    "spelling alphabet",
    {
        "A": "Alfa",
        "B": "Bravo",
        "C": "Charlie",
        "D": "Delta",
        "E": "Echo",
        "F": "Foxtrot",
        "G": "Golf",
        "H": "Hotel",
        "J": "Juliett",
        "K": "Kilo",
        "M": "Mike",
        "N": "November",
        "P": "Papa",
        "Q": "Quebec",
        "R": "Romeo",
        "S": "Sierra",
        "T": "Tango",
        "V": "Victor",
        "W": "Whiskey",
        "X": "X-ray",
        "Y": "Yankee",
        "Z": "Zulu",
    },
)
_MARKS = Terms(
    "spoken sign of a web address",
    {
        ".": "dot",
        "/": "slash",
        "-": "dash",
        ":": "colon",
    },
)

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
    return gettext("%(weekday)s %(day)s %(month)s %(year)s, %(time)s UTC") % {
        "weekday": _DAYS[at.isoweekday()],
        "day": at.day,
        "month": _MONTHS[at.month],
        "year": at.year,
        "time": f"{at:%H:%M}",
    }


def short_time(moment: datetime) -> str:
    """`24 Nov 18:05 UTC`, for a text message."""
    at = moment.astimezone(UTC)
    return gettext("%(day)s %(month)s %(time)s UTC") % {
        "day": at.day,
        "month": _SHORT_MONTHS[at.month],
        "time": f"{at:%H:%M}",
    }


def minutes_between(now: datetime, until: datetime) -> int:
    """The whole minutes that are left, to the nearest; at least one."""
    return max(1, round((until - now).total_seconds() / 60))


def spoken_code(code: str) -> str:
    """A code for the ear, digit by digit with a longer pause between its halves."""
    return ". ".join(_spoken_digits(half) for half in groups(code).split())


def spoken_phone(number: str) -> str:
    """A phone number for the ear: `plus one. two, zero, two. …`."""
    return ". ".join(_spoken_part(part) for part in re.findall(r"\+?\d+", number))


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
    return ", ".join(_DIGITS[digit] for digit in digits)


def _spoken_part(part: str) -> str:
    digits = _spoken_digits(part.lstrip("+"))
    return gettext("plus %(digits)s") % {"digits": digits} if part[0] == "+" else digits


def _spoken_sign(sign: str) -> str:
    if sign in _DIGITS:
        return _DIGITS[sign]
    return gettext("%(letter)s as in %(word)s") % {"letter": sign, "word": _LETTERS[sign]}


def _without_marks(sign: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
