"""The one place for secrets at rest: sealed under rotating keys, bound to the row they belong to.

A sealed text carries its purpose and its row's id, so a ciphertext copied to another row or column is refused
(`WrongPlace`). Keys rotate: put a new one in front; the older ones still open what they sealed.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from foundation.settings import Settings

_LEAST_OF_DIGEST = 10  # bytes
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")


class BadKey(Exception):
    """An encryption key is not 32 bytes in URL-safe base 64. Make one with `keyturn new-key`."""


class CannotOpen(Exception):
    """No key of the keyring opens this. Put the key that sealed it back at the end of `KEYTURN_KEYS`."""


class WrongPlace(Exception):
    """A sealed text stands in a row or column it was not sealed for. Somebody moved it: treat the row as forged."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Seals and opens secrets, and makes keyed digests; the newest key first."""

    _fernet: MultiFernet
    _mac_keys: tuple[bytes, ...] = field(repr=False)

    def seal(self, secret: bytes, *, purpose: str, row: UUID) -> str:
        """The sealed secret as ASCII text, bound to `purpose` and `row`."""
        return self._fernet.encrypt(_place(purpose, row) + secret).decode()

    def open(self, sealed: str, *, purpose: str, row: UUID) -> bytes:
        """The secret. Raises `CannotOpen`, or `WrongPlace` where purpose or row are not those it was sealed for."""
        try:
            plain = self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            raise CannotOpen from None
        place = _place(purpose, row)
        if not plain.startswith(place):
            raise WrongPlace
        return plain[len(place) :]

    def digest(self, *parts: bytes, purpose: str) -> bytes:
        """A keyed digest (HMAC-SHA-256, 32 bytes) of `parts` under the newest key."""
        return _mac(self._mac_keys[0], purpose, parts)

    def digest_matches(self, digest: bytes, *parts: bytes, purpose: str) -> bool:
        """Whether any key of the ring made `digest` of `parts`; compared in constant time."""
        return any(hmac.compare_digest(digest, _mac(key, purpose, parts)) for key in self._mac_keys)

    def begins_digest(self, beginning: bytes, *parts: bytes, purpose: str) -> bool:
        """The same for the first 10 bytes or more of a digest, where there is no room for all of it."""
        made = (_mac(key, purpose, parts)[: len(beginning)] for key in self._mac_keys)
        return len(beginning) >= _LEAST_OF_DIGEST and any(hmac.compare_digest(beginning, each) for each in made)


def _place(purpose: str, row: UUID) -> bytes:
    return purpose.encode() + b"\0" + row.bytes


def _mac(key: bytes, purpose: str, parts: Sequence[bytes]) -> bytes:
    # Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.
    framed = (len(part).to_bytes(4, "big") + part for part in (purpose.encode(), *parts))
    return hmac.digest(key, b"".join(framed), "sha256")


def new_key() -> str:
    """A fresh key for `KEYTURN_KEYS`."""
    return Fernet.generate_key().decode()


def from_keys(keys: Sequence[str]) -> Keyring:
    """A keyring of these keys, newest first. Raises `BadKey`."""
    # The library would take the first of two keys with no comma between them, and say nothing.
    if not keys or not all(_KEY.fullmatch(key) for key in keys):
        raise BadKey("KEYTURN_KEYS: a key is not one that `keyturn new-key` makes")
    return Keyring(MultiFernet([Fernet(key) for key in keys]), tuple(_mac_key(key) for key in keys))


def _mac_key(key: str) -> bytes:
    # Not the Fernet key itself: one key, one use.
    return hmac.digest(base64.urlsafe_b64decode(key), b"keyturn keyed digest", hashlib.sha256)


def load(settings: Settings) -> Keyring:
    """The keyring of these settings; makes the data folder's key file where there is neither. Raises `BadKey`."""
    if settings.keys:
        return from_keys([key.get_secret_value() for key in settings.keys])
    return _from_file(settings.data_dir / "keys")


def _from_file(file: Path) -> Keyring:
    try:
        if not file.exists():
            _make_key_file(file)
        return from_keys(file.read_text().split())
    except OSError as error:
        raise BadKey(f"{file}: cannot be read or made ({error.__class__.__name__})") from None
    except (BadKey, UnicodeDecodeError):
        raise BadKey(f"{file}: holds a key that is not one that `keyturn new-key` makes") from None


def _make_key_file(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, prefix="keys.") as fresh:  # made with mode 0600
        fresh.write(new_key() + "\n")
        fresh.flush()
        os.fsync(fresh.fileno())
        # Linking fails where another process was first, so that two at once end with one key.
        with contextlib.suppress(FileExistsError):
            os.link(fresh.name, file)
