"""HTML mail as plain text: a linear pass over the markup that builds no tree and fetches nothing.

A parser is not worth its risk for this: Python's own takes more than 20 s on 100,000 `<!--`, and a tree of nested
tags is as deep as somebody else chooses. Only words are wanted; where a tag is broken, a few stray letters stay.
"""

import html
import re

# No "<" inside a tag, and no second thoughts (*+): so no search runs over the same text twice.
_MARKUP = re.compile(r"<!--|<[/!?]?(?P<name>[a-z][a-z0-9]*+)[^<>]*+>|<[!?][^<>]*+>", re.IGNORECASE)
_UNSEEN_UNTIL = {
    "!--": re.compile("-->"),
    "head": re.compile(r"</head\b[^<>]*>|(?=<body\b)", re.IGNORECASE),
    "script": re.compile(r"</script\b[^<>]*>", re.IGNORECASE),
    "style": re.compile(r"</style\b[^<>]*>", re.IGNORECASE),
    "title": re.compile(r"</title\b[^<>]*>", re.IGNORECASE),
}
_HIDDEN = re.compile(r"""\sstyle\s*=\s*(?:"[^"<>]*|'[^'<>]*)display\s*:\s*none""", re.IGNORECASE)
_WITHOUT_END = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
_BLOCK = re.compile("address|article|blockquote|br|d[dlt]|div|h[1-6r]|li|ol|p|pre|section|table|tr|ul")
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_BLANK_LINES = re.compile(r"\n\s*\n")


def text_of_html(source: str) -> str:
    """Return the words of `source`, a line a block; in a blockquote lines begin with `>`, as in plain mail.

    What a style attribute hides is left out, as the reader of the mail does not see it.
    """
    pieces: list[str] = []
    position = quoted = 0
    while found := _MARKUP.search(source, position):
        pieces.append(source[position : found.start()].replace("\n", " "))
        position = found.end()
        closes = found[0].startswith("</")
        name = "!--" if found[0] == "<!--" else (found["name"] or "").lower()
        if name in _UNSEEN_UNTIL and not closes:
            end = _UNSEEN_UNTIL[name].search(source, position)
            position = end.end() if end else len(source)
        elif name and not closes and _HIDDEN.search(found[0]) and not _WITHOUT_END.fullmatch(name):
            position = _end_of_element(name, source, position)
            continue
        if name == "blockquote":
            quoted = max(0, quoted - 1) if closes else quoted + 1
        if _BLOCK.fullmatch(name):
            pieces.append("\n> " if quoted else "\n")
    pieces.append(source[position:])
    return _tidy(html.unescape("".join(pieces)))


def _end_of_element(name: str, source: str, position: int) -> int:
    depth = 1
    for found in _MARKUP.finditer(source, position):
        if (found["name"] or "").lower() == name:
            depth += -1 if found[0].startswith("</") else 1
        if depth == 0:
            return found.end()
    return len(source)


def _tidy(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
