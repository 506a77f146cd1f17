"""The catalogue of texts: translated where a translation says how, and English otherwise; a faulty one is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.catalogue import Text
from foundation import catalogue
from foundation.settings import BadSettings, Settings
from tests import translations

THREE_FORMS = "nplurals=3; plural=n == 1 ? 0 : n < 5 ? 1 : 2;"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where a translation can be put; whatever is set up from it ends with the test."""
    yield tmp_path / "texts.mo"
    catalogue.set_up(Settings())


def set_up(file: Path) -> None:
    catalogue.set_up(Settings(texts_file=file))


def refusal(file: Path) -> str:
    with pytest.raises(BadSettings) as refused:
        set_up(file)
    return str(refused.value)


def test_without_a_translation_all_is_english() -> None:
    assert catalogue.gettext("Goodbye.") == "Goodbye."
    assert [catalogue.ngettext("a day", "%(days)s days", days) for days in (1, 2)] == ["a day", "%(days)s days"]
    assert catalogue.pgettext("month", "May") == "May"


def test_what_a_translation_lacks_is_english(file: Path) -> None:
    set_up(translations.write(file, {Text("Goodbye."): ("Auf Wiederhören.",)}))

    assert catalogue.gettext("Goodbye.") == "Auf Wiederhören."
    assert catalogue.gettext("Again:") == "Again:"


def test_the_same_words_differ_by_their_context(file: Path) -> None:
    set_up(translations.write(file, {Text("May", context="month"): ("Mai",)}))

    assert catalogue.pgettext("month", "May") == "Mai"
    assert catalogue.pgettext("verb", "May") == "May"


def test_a_number_has_as_many_forms_as_the_language_and_may_be_left_out_of_one(file: Path) -> None:
    forms = ("den", "%(days)s dny", "%(days)s dní")
    set_up(translations.write(file, {Text("%(days)s day", "%(days)s days"): forms}, THREE_FORMS))

    assert tuple(catalogue.ngettext("%(days)s day", "%(days)s days", count) for count in (1, 3, 7)) == forms


def test_a_term_is_translated_when_it_is_asked_for(file: Path) -> None:
    months = catalogue.Terms("month", {5: "May", 6: "June"})
    set_up(translations.write(file, {Text("May", context="month"): ("Mai",)}))

    assert dict(months) == {5: "Mai", 6: "June"}
    assert (len(months), 7 in months) == (2, False)


def test_the_settings_without_a_translation_bring_english_back(file: Path) -> None:
    set_up(translations.write(file, {Text("Goodbye."): ("Adiós.",)}))
    catalogue.set_up(Settings())

    assert catalogue.gettext("Goodbye.") == "Goodbye."


def test_a_file_that_cannot_be_read_is_named_with_its_variable(file: Path) -> None:
    assert refusal(file) == f"KEYTURN_TEXTS_FILE: {file} cannot be read (No such file or directory)"
    file.mkdir()
    assert refusal(file) == f"KEYTURN_TEXTS_FILE: {file} cannot be read (Is a directory)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xde\x12",
        b"\xde\x12\x04\x95",
        b'msgid "Goodbye."\nmsgstr "Adios."\n',
        b"\xde\x12\x04\x95\x00\x00\x00\x00\xff\xff\xff\x7f\x1c\x00\x00\x00\x1c\x00\x00\x00" + bytes(8),
    ],
    ids=["empty", "two bytes", "cut off", "not compiled", "longer than it is"],
)
def test_what_is_no_compiled_catalogue_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert refusal(file) == f"KEYTURN_TEXTS_FILE: {file} is no compiled catalogue (.mo); msgfmt makes one"


@pytest.mark.parametrize("plurals", ["nplurals=2; plural=n +;", "2", "nplurals=2; plural=" + "(" * 5000 + "n"])
def test_a_catalogue_whose_plural_forms_cannot_be_read_is_refused(file: Path, plurals: str) -> None:
    translations.write(file, {Text("Goodbye."): ("Adiós.",)}, plurals)

    assert "is no compiled catalogue" in refusal(file)


@pytest.mark.parametrize(
    ("words", "translated", "fault"),
    [
        ("Hello %(name)s.", "Hallo.", "must have these placeholders: name"),
        ("Hello %(name)s.", "Hallo %(nmae)s.", "must have these placeholders: name"),
        ("Hello %(name)s.", "Hallo %(name).", "must have these placeholders: name"),
        ("%(b)s: call %(a)s.", "%(b)s", "must have these placeholders: a, b"),
        ("Goodbye.", "Tschüs, %(name)s.", "must have these placeholders: none"),
        ("Hello %(name)s.", "Hallo %(name)s, zu 100 %.", "has a % that begins no placeholder"),
        ("Hello %(name)s.", "Hallo %(name)s%%.", "has a % that begins no placeholder"),
        ("Goodbye.", "Auf\nWiederhören.", "must be one line of text"),
        ("Goodbye.", "Tschüs.\u2028", "must be one line of text"),
        ("Goodbye.", "", "must be one line of text"),
    ],
)
def test_a_translation_that_would_not_carry_what_is_sent_is_refused(
    file: Path, words: str, translated: str, fault: str
) -> None:
    translations.write(file, {Text(words): (translated,), Text("Again:", context="call"): ("Noch einmal:",)})

    assert refusal(file) == f'KEYTURN_TEXTS_FILE: {file}: "{words}" {fault}'


def test_every_fault_is_named_by_the_english_words_alone(file: Path) -> None:
    number = Text("%(days)s day", "%(days)s days", context="time")
    translations.write(file, {number: ("ein Tag", "%(tage)s Tage"), Text("Goodbye."): ("%",)})

    assert refusal(file).splitlines() == [
        f'KEYTURN_TEXTS_FILE: {file}: "Goodbye." has a % that begins no placeholder',
        f'KEYTURN_TEXTS_FILE: {file}: "%(days)s day" must have these placeholders: days',
    ]


def test_a_refused_translation_leaves_the_texts_as_they_were(file: Path) -> None:
    translations.write(file, {Text("Goodbye."): ("",), Text("Again:"): ("Noch einmal:",)})
    refusal(file)

    assert catalogue.gettext("Again:") == "Again:"
