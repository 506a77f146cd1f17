"""Crockford's base 32 (https://www.crockford.com/base32.html): signs that are easy to read out and to type."""

import re
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The letters I, L and O are read as the digits they look like.
_ALIKE = str.maketrans("ILO", "110")


def random_signs(count: int) -> str:
    """Random signs, 5 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def read_signs(typed: str) -> str:
    """What somebody typed, in capitals, without blanks and dashes; what is no sign of the alphabet stays."""
    typed = unicodedata.normalize("NFKC", typed)
    return re.sub(r"[\s\-‐-―]", "", typed).upper().translate(_ALIKE)  # noqa: RUF001 - dashes that phones type
