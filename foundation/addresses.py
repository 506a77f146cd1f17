"""One spelling for every e-mail address, so that two are the same address exactly if their spellings are equal.

The mail reader and the account import both call this: an account is found by plain equality of what comes out.
"""

import re

import idna

LONGEST_ADDRESS = 254
"""Characters. RFC 5321 allows a path of 256 octets, of which the angle brackets take two."""

_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE | re.ASCII)
_LONGEST_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1


def normalise_address(text: str) -> str | None:
    """Return `text` as `local@domain` in lower case with the domain in its ASCII (IDNA 2008) form, or None.

    None means: not one plain address, or one that cannot be compared safely. Quoted local parts, local parts beyond
    ASCII, address literals, domains of one label and blanks around the address are among them.

    Nothing is mapped that merely looks alike: `bank` with a Kelvin sign or in full-width letters gives None, never
    the domain `bank`. The case of the local part is dropped, as every provider that our customers use does; where two
    mailboxes differ in nothing else, both accounts get one spelling, and a mail from it belongs to neither.
    """
    if len(text) > LONGEST_ADDRESS:
        return None
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL_PART or not _LOCAL_PART.fullmatch(local):
        return None
    ascii_domain = normalise_domain(domain)
    if ascii_domain is None or len(local) + 1 + len(ascii_domain) > LONGEST_ADDRESS:
        return None
    return f"{local.lower()}@{ascii_domain}"


def normalise_domain(domain: str) -> str | None:
    """Return `domain` in lower case in its ASCII (IDNA 2008) form, None if no address may have it."""
    try:
        encoded = idna.encode(_lower(domain), strict=True).decode("ascii")
    except UnicodeError:  # idna's errors are all of this kind
        return None
    return encoded if "." in encoded.rstrip(".") and not encoded.endswith(".") else None


def _lower(domain: str) -> str:
    """Lower the letters that are the capital of their small letter; the Kelvin sign, say, is not the capital of k."""
    return "".join(low if (low := letter.lower()).upper() == letter else letter for letter in domain)
