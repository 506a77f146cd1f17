"""The Authentication-Results header (RFC 8601): what a mail server writes down of its checks of a mail.

`parse` gives the results in one such header, or None: what is not spelled as section 2.2 of the RFC has it counts for
nothing, wherever in the header the fault is. It believes nothing: who wrote the header is for the caller to know.
Its time grows with the length of the header and with nothing else.
"""

import re
from dataclasses import dataclass

MAX_LENGTH = 16_384
"""Characters. The results of a mail with ten signatures have 3,000."""
MAX_DEPTH = 8
"""Comments within comments."""

_VERSION = "1"  # of the header and of every method there is (RFC 8601, sections 2.2 and 2.4)


@dataclass(frozen=True, slots=True)
class Result:
    """One check: `dmarc`, `pass` and (`header.from`, `example.com`). All in lower case but the properties' values."""

    method: str
    outcome: str
    properties: tuple[tuple[str, str], ...]

    def only(self, name: str) -> str | None:
        """Return the value of the property `name`, None unless it stands there exactly once."""
        values = [value for each, value in self.properties if each == name]
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """The checks that the server of the name `authserv_id` made."""

    authserv_id: str
    results: tuple[Result, ...]


def parse(value: str) -> AuthenticationResults | None:
    """Return what the unfolded header `value` says, None if it is too long or not spelled right."""
    if len(value) > MAX_LENGTH:
        return None
    try:
        return _header(_Scanner(value))
    except _Malformed:
        return None


class _Malformed(Exception):
    """The header is not spelled right. It never leaves this file."""


_SPACE = re.compile(r"[ \t]")
_BLANK = re.compile(r"[ \t]*+")
_COMMENT_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_KEYWORD = re.compile(r"[a-z0-9][a-z0-9_-]*+", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"[0-9]++")
# The local part of an address may be quoted; "=" and "/" stand in addresses and in signatures, which many do not quote.
_VALUE = re.compile(
    r"""(?: " (?P<quoted> (?: [^"\\\x00-\x08\x0a-\x1f] | \\. )*+ ) " (?P<at> @[^\s();"\\<>\x00-\x1f]++ )?
          | (?P<plain> [^\s();"\\<>,\x00-\x1f]++ ) )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


class _Scanner:
    """Goes over a header's text from left to right, and never back."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._text)

    def sees(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def skips(self, mark: str) -> bool:
        """Say whether `mark` comes next, and go past it."""
        seen = self.sees(mark)
        self._at += len(mark) * seen
        return seen

    def expect(self, mark: str) -> None:
        if not self.skips(mark):
            raise _Malformed

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found

    def need(self, pattern: re.Pattern[str]) -> re.Match[str]:
        if found := self.take(pattern):
            return found
        raise _Malformed

    def blank(self) -> None:
        """Go past white space and comments."""
        self.take(_BLANK)
        while self.sees("("):
            self._comment()
            self.take(_BLANK)

    def _comment(self) -> None:
        depth = 0
        for mark in _COMMENT_MARK.finditer(self._text, self._at):
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if depth == 0:
                self._at = mark.end()
                return
            if depth > MAX_DEPTH:
                break
        raise _Malformed

    def part(self) -> None:
        """Go past what parts two words; a word that goes on instead is none that we know."""
        if not (self.ended or self.sees(";") or self.sees("(") or self.take(_SPACE)):
            raise _Malformed
        self.blank()


def _header(text: _Scanner) -> AuthenticationResults:
    text.blank()
    authserv_id = _value(text)
    version = text.take(_DIGITS)
    if version and version[0] != _VERSION:
        raise _Malformed
    text.blank()
    results = []
    while text.skips(";"):
        text.blank()
        if not text.ended:  # many end the last result with a semicolon too
            results.append(_result(text))
    if not text.ended or (None in results and len(results) > 1):
        raise _Malformed
    return AuthenticationResults(authserv_id, tuple(result for result in results if result))


def _result(text: _Scanner) -> Result | None:
    method = _keyword(text)
    if method == "none":  # no check was made, and so nothing may follow
        return None
    if text.skips("/"):
        method += _of_version(text)
    text.expect("=")
    text.blank()
    outcome = text.need(_KEYWORD)[0].lower()
    text.part()
    properties = []
    while not (text.ended or text.sees(";")):
        properties.append(_property(text))
    return Result(method, outcome, tuple(properties))


def _of_version(text: _Scanner) -> str:
    """Return what makes the name of a method of another version another name."""
    text.blank()
    version = text.need(_DIGITS)[0]
    text.blank()
    return "" if version == _VERSION else f"/{version}"


def _property(text: _Scanner) -> tuple[str, str]:
    name = _keyword(text)
    if name != "reason":
        text.expect(".")
        text.blank()
        name = f"{name}.{_keyword(text)}"
    text.expect("=")
    text.blank()
    return name, _value(text)


def _keyword(text: _Scanner) -> str:
    word = text.need(_KEYWORD)[0].lower()
    text.blank()
    return word


def _value(text: _Scanner) -> str:
    found = text.need(_VALUE)
    text.part()
    if found["quoted"] is None or found["at"]:
        return found[0]
    return _ESCAPED.sub(r"\1", found["quoted"])
