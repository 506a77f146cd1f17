"""What the writer of a mail says in it, without what they quote, forward and sign with.

Simple on purpose: where it is not clear whose words these are, they are left out, and a person looks at the mail.
"""

import re

_ATTRIBUTION = re.compile(r"^On\b[^\n]{5,200}(?:\n[^\n]{1,200})?\bwrote:[ \t]*$\n?", re.MULTILINE)
_QUOTE_FOLLOWS = re.compile(r"\s*>")
# Below such a line everything is the mail that was answered or forwarded, or the signature.
_FOREIGN_BELOW = re.compile(
    r"^[ \t]*(?:--[ \t]*"
    r"|-{2,}[ \t]*(?:original message|forwarded (?:message|by)\b[^\n]*)[ \t]*-*"
    r"|begin forwarded message:"
    r"|_{20,}"
    r"|\*?from:\*?[^\n]+\n[ \t]*\*?(?:sent|date|to):[^\n]*)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
# "Sent from my iPhone" must not make the phone a subject of the mail.
_ADVERTISEMENT = re.compile(r"^[ \t]*(?:sent from|get outlook for)\b[^\n]{0,60}$", re.MULTILINE | re.IGNORECASE)
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_ANSWER = re.compile(r"\s*(?:re|aw|sv|fw|fwd|wg)\s*(?:\[\d+\])?:", re.IGNORECASE)


def own_words(text: str) -> str:
    """Return the part of a mail's text that its writer wrote for this mail."""
    text = _ATTRIBUTION.sub(_keep_if_quote_follows, text)
    foreign = _FOREIGN_BELOW.search(text)
    text = text[: foreign.start()] if foreign else text
    return _ADVERTISEMENT.sub("", _QUOTED_LINE.sub("", text)).strip()


def own_subject(subject: str) -> str:
    """Return the subject, or nothing for an answer or a forwarded mail, whose subject somebody else chose."""
    return "" if _ANSWER.match(subject) else subject


def _keep_if_quote_follows(attribution: re.Match[str]) -> str:
    # An answer may stand below lines that are marked as quoted; unmarked, nobody can tell the two apart.
    return "\n" if _QUOTE_FOLLOWS.match(attribution.string, attribution.end()) else "\n--\n"
