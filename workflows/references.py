"""Public references of cases: `R-XXXX-XXXX` in Crockford's base 32, 40 random bits, easy to read out and to type."""

import re

from foundation.crockford import ALPHABET, random_signs, read_signs

_SHAPE = re.compile(rf"R([{ALPHABET}]{{4}})([{ALPHABET}]{{4}})")


def new_reference() -> str:
    """A fresh reference. The database refuses a repetition."""
    return f"R-{random_signs(4)}-{random_signs(4)}"


def read_reference(typed: str) -> str | None:
    """The reference that somebody typed, in any case and with any dashes or blanks; None where it is none."""
    found = _SHAPE.fullmatch(read_signs(typed))
    return f"R-{found[1]}-{found[2]}" if found else None
