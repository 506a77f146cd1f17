"""The template of a translation (.pot), made from the program itself: every text that is sent to customers.

Templates are read by Jinja's own extractor, Python by its syntax tree. No line numbers and no date stand in it, so that
it changes only when a text does. https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2.ext import babel_extract

from foundation.catalogue import Terms

_ROOT: Final = Path(__file__).parents[1]
_PROGRAM: Final = ("notifiers/**/*.py", "notifiers/templates/**/*.j2", "web/**/*.py")

_HEAD: Final = r"""# The texts that Keyturn sends to customers. How to translate them: docs/translating.md
msgid ""
msgstr ""
"Project-Id-Version: keyturn\n"
"Language: \n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=n != 1;\n"
"""


@dataclass(frozen=True, slots=True)
class Text:
    """One text: its English, its English for several things, and what tells it from others with the same words."""

    words: str
    many: str | None = None
    context: str | None = None


def template() -> str:
    """The whole template."""
    return f"{_HEAD}\n" + "\n\n".join(_entry(text, files) for text, files in texts().items())


def texts() -> dict[Text, list[str]]:
    """Each text with the files that hold it, in the order of the files' names."""
    found: dict[Text, list[str]] = {}
    for file in sorted(file for pattern in _PROGRAM for file in _ROOT.glob(pattern)):
        name = file.relative_to(_ROOT).as_posix()
        for text in _texts_in(file):
            files = found.setdefault(text, [])
            if name not in files:
                files.append(name)
    return found


def _texts_in(file: Path) -> Iterator[Text]:
    return _in_program(file) if file.suffix == ".py" else _in_template(file)


def _in_template(file: Path) -> Iterator[Text]:
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
    with file.open("rb") as source:
        # A trans block becomes a call of one of these too.
        for _, function, found, _ in babel_extract(source, list(_FUNCTIONS), [], options):
            words = (found,) if isinstance(found, str) else found or ()
            yield _FUNCTIONS[function](*(each for each in words if each is not None))


def _in_program(file: Path) -> Iterator[Text]:
    calls = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        function = call.func.id if isinstance(call.func, ast.Name) else ""
        if function in _FUNCTIONS:
            yield _FUNCTIONS[function](*_literals(call.args))
        elif function == Terms.__name__:
            yield from _in_table(*call.args)


def _in_table(context: ast.expr, table: ast.expr) -> Iterator[Text]:
    assert isinstance(table, ast.Dict)  # noqa: S101 - a table that is made elsewhere could not be read here
    for words in _literals(table.values):
        yield Text(words, context="".join(_literals([context])))


def _literals(nodes: Iterable[ast.expr]) -> Iterator[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _with_context(context: str, words: str) -> Text:
    return Text(words, context=context)


_FUNCTIONS: Final[dict[str, Callable[..., Text]]] = {
    "_": Text,
    "gettext": Text,
    "ngettext": Text,
    "pgettext": _with_context,
}


def _entry(text: Text, files: list[str]) -> str:
    lines = [f"#: {file}" for file in files]
    if "%(" in text.words:
        lines.append("#, python-format")  # so that msgfmt --check looks at the placeholders
    if text.context:
        lines.append(f"msgctxt {_quoted(text.context)}")
    lines.append(f"msgid {_quoted(text.words)}")
    if text.many is None:
        return "\n".join([*lines, 'msgstr ""'])
    return "\n".join([*lines, f"msgid_plural {_quoted(text.many)}", 'msgstr[0] ""', 'msgstr[1] ""'])


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)
