"""The one place for hiding what must not be read: masks for people, and the net below every log record.

Code logs ids, never values. The net is for what others log: a library, an exception's text.
"""

import re

_HIDDEN = "•••"
_EMAIL = re.compile(r"[^\s<>@\"',;:()\[\]{}=]+@[^\s<>@\"',;:()\[\]{}]+\.[^\s<>@\"',;:()\[\]{}]+")
_PHONE = re.compile(r"\+\d[\d .()-]{6,18}\d")
# A code is 8 digits in 4+4 or 10 in 5+5; ids and hashes hold digits too, but with letters or dashes next to them.
_CODE = re.compile(r"(?<![\w.-])(?:\d{4}[ -]?\d{4}|\d{5}[ -]?\d{5})(?![\w-])")
_LINK_TOKEN = re.compile(r"(/(?:confirm|stop)/R-[0-9A-Z]{4}-[0-9A-Z]{4}/)[\w-]+")


def redact(text: str) -> str:
    """`text` without e-mail addresses, phone numbers, codes and the tokens of links."""
    text = _LINK_TOKEN.sub(r"\1" + _HIDDEN, text)
    text = _EMAIL.sub(_HIDDEN, text)
    return _CODE.sub(_HIDDEN, _PHONE.sub(_HIDDEN, text))


def mask_email(address: str) -> str:
    """Enough for its owner to recognise: `d•••@w•••.example`."""
    local, _, domain = address.rpartition("@")
    name, _, suffix = domain.rpartition(".")
    return f"{local[:1]}{_HIDDEN}@{name[:1]}{_HIDDEN}.{suffix}"


def mask_phone(number: str) -> str:
    """The last two digits: `••• ••• ••42`."""
    return f"••• ••• ••{number[-2:]}"


def mask_postal(city: str, state: str) -> str:
    """The town: `••• in Millbrook, VT`."""
    return f"{_HIDDEN} in {city}, {state}"
