"""Mail that a machine wrote: bounces, lists, out-of-office. It opens nothing and is never answered (RFC 3834).

X-Auto-Response-Suppress is not here on purpose: Exchange sets it on the mail of people too.
"""

import re
from typing import NamedTuple

from inbox.decoding import Headers


class _Sign(NamedTuple):
    header: re.Pattern[str]
    value: re.Pattern[str]
    meaning: str


def _sign(header: str, value: str, meaning: str) -> _Sign:
    return _Sign(re.compile(header), re.compile(value, re.IGNORECASE), meaning)


_MACHINES = r"mailer-daemon|postmaster|no[-_.]?reply|do[-_.]?not[-_.]?reply"

_SIGNS = (
    _sign("return-path", r"\s*<\s*>", "Return-Path is empty, as in a bounce"),
    _sign("content-type", r"\s*(multipart/report|message/delivery-status)\b", "it is a report on a delivery"),
    # "no" is what a person's mail may say: the presence of the header alone proves nothing.
    _sign("auto-submitted", r"\s*(?!no\s*(;|\(|$))", "Auto-Submitted says so"),
    _sign("precedence", r"\s*(bulk|list|junk|auto[-_]reply)\s*$", "Precedence is bulk, list, junk or auto_reply"),
    _sign("list-.+", "", "it came over a mailing list"),
    _sign("x-auto-?reply|x-auto-?respond|x-loop", "", "it carries an autoresponder's header"),
    _sign("from", rf".*?(?<![\w.+-])({_MACHINES})([+=-][^\s@]{{1,64}})?(@|\s|$)", "its sender is a machine's address"),
)


def sign_of_a_machine(headers: Headers) -> str | None:
    """Return what shows that a machine wrote the mail, None if nothing does. The words are ours, never the sender's."""
    for sign in _SIGNS:
        if any(sign.header.fullmatch(name) and sign.value.match(value) for name, value in headers):
            return sign.meaning
    return None
