"""From bytes to clean text: charsets from a list, and nothing in the result that a page or a database chokes on.

Python's own look-up of a charset by name is not for names that strangers choose: `punycode` takes quadratic time,
`undefined` and a NUL raise, `utf-7` and `unicode_escape` bring lone surrogates and hidden controls.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

Headers: TypeAlias = Sequence[tuple[str, str]]
"""Names in lower case with their unfolded values, in the mail's order; no encoded word is decoded."""

_FALLBACK = "cp1252"
CHARSETS = {
    # Mails that claim Latin-1 or ASCII mean Windows-1252, as browsers have it too.
    **dict.fromkeys(("us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252"), _FALLBACK),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (*range(2, 12), *range(13, 17))},
    **{f"windows-{n}": f"cp{n}" for n in (1250, 1251, *range(1253, 1259))},
    **{name: name for name in ("koi8-r", "koi8-u", "gbk", "gb18030", "big5", "euc-jp", "iso-2022-jp", "euc-kr")},
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
}
"""What mails call a charset, in lower case, and what Python calls it."""
_FOLD = re.compile(r"\r?\n(?=[ \t])")
# Besides controls: what turns the direction of writing, so that a page shows other words than were sent.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def decoded(content: bytes, charset: str | None) -> str:
    """Return `content` as text; if `charset` is unknown or wrong, as UTF-8 if it is that, else as Windows-1252."""
    known = CHARSETS.get((charset or "").strip().lower(), "utf-8")
    for name in (known, "utf-8"):
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    return content.decode(_FALLBACK, "replace")


def unfolded(value: str) -> str:
    """Return a header's value on one line. `value` is the parser's: ASCII, with other bytes as surrogate escapes."""
    return decoded(_FOLD.sub("", value).encode("ascii", "surrogateescape"), None)


def clean(text: str) -> str:
    """Return `text` with line feeds as its only line ends, and without what is not text."""
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
