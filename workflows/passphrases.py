"""The reset passphrase: normalised, hashed slowly, never shown."""

import unicodedata

from foundation.hashing import hash_slowly, matches_hash


def hash_passphrase(passphrase: str) -> str:
    """Its argon2id hash."""
    return hash_slowly(normalised(passphrase))


def passphrase_matches(passphrase: str, passphrase_hash: str) -> bool:
    """Whether this is the passphrase that was hashed."""
    return matches_hash(normalised(passphrase), passphrase_hash)


def normalised(passphrase: str) -> str:
    """The passphrase as it is compared: NFKC, no blanks at its ends."""
    # What a person types again may differ in form (NFKC) and in blanks at the ends, and means the same.
    return unicodedata.normalize("NFKC", passphrase).strip()
