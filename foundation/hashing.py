"""Slow hashes (argon2id) of what people keep and type: too little randomness for a fast one.

Parameters: 19 MiB, t=2, p=1 (OWASP Password Storage Cheat Sheet). argon2-cffi's own default costs 170 ms of CPU a
check, which would cap two cores at 12 checks a second.
"""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_slowly(secret: str) -> str:
    """The argon2id hash in its own text form, with a salt of its own."""
    return _HASHER.hash(secret)


def matches_hash(secret: str, hashed: str) -> bool:
    """Whether `hashed` was made of this secret."""
    try:
        return _HASHER.verify(hashed, secret)
    except (VerificationError, UnicodeEncodeError):
        return False
