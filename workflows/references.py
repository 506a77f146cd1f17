"""Public references of cases: `R-XXXX-XXXX` in Crockford's base 32, 40 random bits, easy to read out and to type."""

import re
import secrets
import unicodedata

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Crockford: the letters I, L and O are read as the digits they look like.
_ALIKE = str.maketrans("ILO", "110")
_SHAPE = re.compile(rf"R([{_ALPHABET}]{{4}})([{_ALPHABET}]{{4}})")


def new_reference() -> str:
    """A fresh reference. The database refuses a repetition."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"R-{letters[:4]}-{letters[4:]}"


def read_reference(typed: str) -> str | None:
    """The reference that somebody typed, in any case and with any dashes or blanks; None where it is none."""
    typed = unicodedata.normalize("NFKC", typed)
    letters = re.sub(r"[\s\-‐-―]", "", typed).upper().translate(_ALIKE)  # noqa: RUF001 - dashes that phones type
    found = _SHAPE.fullmatch(letters)
    return f"R-{found[1]}-{found[2]}" if found else None
