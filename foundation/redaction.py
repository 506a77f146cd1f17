"""The one place for hiding what must not be read: masks for people, and the net below every log record.

Code logs ids, never values. The net is for what others log: a library, an exception's text.
"""

import re

_HIDDEN = "•••"
# What is percent-encoded stands in URLs, and so in the errors of HTTP clients. An address may hold quotes and braces:
# better to hide one sign too many. It begins where a word does and a name in its domain has an end, because otherwise
# one long word would take quadratic time.
_NO_WORD = r"\s<>@\",;:()\[\]"
_EMAIL = re.compile(rf"(?<![^{_NO_WORD}])[^{_NO_WORD}]+(?:@|%40)[^{_NO_WORD}'{{}}]{{1,253}}\.[^{_NO_WORD}'{{}}]+")
_PHONE = re.compile(r"(?:\+|%2B)[1-9][\d .()-]{5,18}\d", re.IGNORECASE)
# A code is 8 digits in 4+4 or 10 in 5+5, the halves apart as typed or as a form sends them. Ids, hashes and fractions
# hold digits too, but with letters, dashes or a point next to them.
_BETWEEN = r"(?:[ +-]|%20)?"
_CODE = re.compile(rf"(?<!\w)(?<!\w-)(?<!\d\.)(?:\d{{4}}{_BETWEEN}\d{{4}}|\d{{5}}{_BETWEEN}\d{{5}})(?!\w|-\w)")
_LINK_TOKEN = re.compile(r"(/(?:confirm|stop)/[^/\s]+/|/reset/[^/\s]+/enrol/|/(?:support|settings)/enter/)[\w=-]+")


def redact(text: str) -> str:
    """`text` without e-mail addresses, phone numbers, codes and the tokens of links."""
    text = _LINK_TOKEN.sub(r"\1" + _HIDDEN, text)
    text = _EMAIL.sub(_HIDDEN, text)
    return _CODE.sub(_HIDDEN, _PHONE.sub(_HIDDEN, text))


def codes_in(text: str) -> tuple[str, ...]:
    """What in `text` looks like a code, in order."""
    return tuple(found[0] for found in _CODE.finditer(text))


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
