"""Reading the secret of an authenticator app that another system wrote down: bare, or as an otpauth line."""

import binascii
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from authenticators.totp import App, in_base32
from models.factors import Algorithm

_LEAST_BITS = 80  # what the first apps were given; nothing that still makes sense is shorter
_SECRET = re.compile(r"[A-Za-z2-7]{1,128}")
_DIGITS = range(6, 9, 2)
_PERIODS = range(15, 121)  # seconds; pyotp refuses longer ones


class BadTotp(Exception):
    """No app can be made of what was given. The text says what is wrong with it, and never holds the secret.

    Have the system that the line comes from export it again; where it cannot, its customer enrols a new app.
    """


def read(text: str) -> App:
    """The app of a bare secret in base 32, with the usual hash, digits and period, or of a whole otpauth line.

    Raises `BadTotp`.
    """
    return read_uri(text) if text.lstrip().lower().startswith("otpauth:") else App(_read_secret(text))


def read_uri(text: str) -> App:
    """The app of an `otpauth://totp/…` line; the secret in any case, with blanks, dashes, padding. Raises `BadTotp`."""
    parts = _split(text)
    if parts.scheme != "otpauth" or parts.netloc.lower() != "totp":
        raise BadTotp("is not an otpauth://totp/ line; codes that are counted (hotp) cannot be taken")
    given = _parameters(parts.query)
    return App(
        _read_secret(given["secret"]),
        _read_algorithm(given.get("algorithm", "SHA1")),
        _read_number("digits", given.get("digits", "6"), _DIGITS, "6 or 8"),
        _read_number("period", given.get("period", "30"), _PERIODS, "15 to 120 seconds"),
    )


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text.strip())
    except ValueError:
        raise BadTotp("is not an otpauth://totp/ line") from None


def _parameters(query: str) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        name = key.lower()
        if name in given:
            raise BadTotp("names a parameter twice")
        given[name] = value
    if not given.get("secret"):
        raise BadTotp("has no secret")
    return given


def _read_secret(text: str) -> str:
    plain = re.sub(r"[\s-]", "", text).rstrip("=")
    if not _SECRET.fullmatch(plain):
        raise BadTotp("has a secret that is not in base 32, or is longer than 128 characters")
    try:
        key = App(plain.upper()).key
    except binascii.Error:
        raise BadTotp("has a secret that was cut off: base 32 never has that many characters") from None
    if len(key) * 8 < _LEAST_BITS:
        raise BadTotp(f"has a secret of less than {_LEAST_BITS} bits")
    return in_base32(key)


def _read_algorithm(name: str) -> Algorithm:
    try:
        return Algorithm(name.lower().replace("-", ""))
    except ValueError:
        raise BadTotp("has an algorithm that is none of SHA1, SHA256 and SHA512") from None


def _read_number(name: str, text: str, allowed: range, said: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) not in allowed:
        raise BadTotp(f"has {name} that cannot be taken; it must be {said}")
    return int(text)
