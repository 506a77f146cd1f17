"""What a customer types for a new contact point, as it is stored: an address, a number in E.164, a postal address."""

import re

from foundation.addresses import normalise_address
from foundation.phone_numbers import normalise_number
from policy.permits import PostalAddress

_LONGEST_LINE = 200
_STATE = re.compile(r"[A-Z]{2}")
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")


class BadContact(Exception):
    """What was typed is no such contact point. The text says what to type, and `field` is the input it is about."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def read_email(typed: str) -> str:
    """The address. Raises `BadContact`."""
    address = normalise_address(typed.strip())
    if address is None:
        raise BadContact("address", "Type an e-mail address, such as name@example.com.")
    return address


def read_phone(typed: str, country: str) -> str:
    """The number in E.164; one that begins without a plus is of `country`. Raises `BadContact`."""
    number = normalise_number(typed, country)
    if number is None:
        raise BadContact("number", "Type a phone number, such as +1 202 555 0142.")
    return number


def read_postal(address: PostalAddress) -> PostalAddress:
    """The address without needless blanks. Raises `BadContact`."""
    state, code = address.state.strip().upper(), address.zip.strip()
    if not _STATE.fullmatch(state):
        raise BadContact("state", "Type the state as two letters, such as VT.")
    if not _ZIP.fullmatch(code):
        raise BadContact("zip", "Type the ZIP code as 5 digits, such as 05450.")
    return PostalAddress(
        _line("name", address.name, "Type the name that stands at the door."),
        _line("line1", address.line1, "Type street and number."),
        _line("line2", address.line2, None),
        _line("city", address.city, "Type the city."),
        state,
        code,
        address.country,
    )


def _line(field: str, typed: str, if_blank: str | None) -> str:
    text = " ".join(typed.split())
    if if_blank and not text:
        raise BadContact(field, if_blank)
    if len(text) > _LONGEST_LINE or not (text.isprintable()):
        raise BadContact(field, "This has signs that cannot be printed, or is too long.")
    return text
