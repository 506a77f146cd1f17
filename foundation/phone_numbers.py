"""One spelling for every phone number, E.164; the import and the settings pages both call this."""

import phonenumbers


def normalise_number(typed: str, country: str | None = None) -> str | None:
    """The number in E.164, None if it is no valid one. Without a plus it is read as one of `country` (ISO 3166-1)."""
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
