"""The reset passphrase: normalised, hashed with argon2id, never shown.

Parameters: 19 MiB, t=2, p=1 (OWASP Password Storage Cheat Sheet). argon2-cffi's own default costs 170 ms of CPU a
check, which would cap two cores at 12 checks a second.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_passphrase(passphrase: str) -> str:
    """The argon2id hash in its own text form."""
    return _HASHER.hash(normalised(passphrase))


def passphrase_matches(passphrase: str, passphrase_hash: str) -> bool:
    """Whether this is the passphrase that was hashed."""
    try:
        return _HASHER.verify(passphrase_hash, normalised(passphrase))
    except (VerificationError, UnicodeEncodeError):
        return False


def normalised(passphrase: str) -> str:
    """The passphrase as it is compared: NFKC, no blanks at its ends."""
    # What a person types again may differ in form (NFKC) and in blanks at the ends, and means the same.
    return unicodedata.normalize("NFKC", passphrase).strip()
