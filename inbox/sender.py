"""Who wrote a mail, by its own word: exactly one From header with exactly one address, or nobody.

Display names, comments, Reply-To and Sender never count. Encoded words are not decoded: the standard allows none inside
an address, and decoding a display name first is how an address in it comes to be believed. Where other programs may see
another From than Python's parser does, the answer is nobody.
"""

import re
from collections.abc import Iterable
from email.errors import (
    FirstHeaderLineIsContinuationDefect,
    MessageDefect,
    MisplacedEnvelopeHeaderDefect,
    MissingHeaderBodySeparatorDefect,
)
from enum import StrEnum

from foundation.addresses import normalise_address
from inbox.decoding import Headers


class SenderProblem(StrEnum):
    """Why a mail names nobody."""

    NO_FROM = "it has no From header"
    SEVERAL_FROM = "it has more than one From header"
    NOT_ONE_ADDRESS = "its From is not exactly one address"
    NOT_COMPARABLE = "its From address is not one that can be compared safely"
    BROKEN_HEADER = "its header is broken, so that other programs may read another From"


_MAILBOX = re.compile(
    r"""\s*+
    (?: (?: [^\s()<>\[\]:;@\\,"\x00-\x1f\x7f]++       # the words of a display name,
          | "(?: [^"\\\x00-\x08\x0e-\x1f] | \\. )*+"  # in quotes, where anything may stand,
          | \( [^()<>@"\\]*+ \) | \s++ )*+            # or in harmless brackets
        < \s*+ (?P<angle> [^\s<>]++ ) \s*+ >
      | (?P<bare> [^\s()<>",;:]++ ) )
    (?: \s++ | \( [^()<>@"\\]*+ \) )*+""",
    re.VERBOSE | re.ASCII,
)
# To some programs "From : x" is a From header; to the parser it is a mailbox's "From " line, and no defect.
_FROM_IN_DISGUISE = re.compile(rb"\AFrom[ \t]+:|[\r\n]From[ \t]", re.IGNORECASE)
_DEFECTS = (FirstHeaderLineIsContinuationDefect, MisplacedEnvelopeHeaderDefect, MissingHeaderBodySeparatorDefect)


def written_by(
    header: bytes, headers: Headers, defects: Iterable[MessageDefect]
) -> tuple[str, None] | tuple[None, SenderProblem]:
    """Return the sender in the spelling of `normalise_address`, or why there is none.

    `header` is the raw one; `headers` and `defects` are what the parser made of it.
    """
    if _FROM_IN_DISGUISE.search(header) or any(isinstance(defect, _DEFECTS) for defect in defects):
        return None, SenderProblem.BROKEN_HEADER
    values = [value for name, value in headers if name == "from"]
    if len(values) != 1:
        return None, SenderProblem.SEVERAL_FROM if values else SenderProblem.NO_FROM
    mailbox = _MAILBOX.fullmatch(values[0])
    if mailbox is None:
        return None, SenderProblem.NOT_ONE_ADDRESS
    address = mailbox["angle"] or mailbox["bare"]
    # RFC 6532 has addresses in UTF-8; one in any other charset would be our guess.
    sender = normalise_address(address) if address.encode("utf-8", "replace") in header else None
    return (sender, None) if sender else (None, SenderProblem.NOT_COMPARABLE)
