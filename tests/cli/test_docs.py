"""What the documentation shows of the program is what the program is."""

from pathlib import Path

from pydantic import SecretStr

from cli import catalogue, docs
from foundation.settings import PREFIX, Settings
from tests.cli.commands import ROOT, Commands


def test_the_page_about_settings_is_what_the_command_prints(tmp_path: Path) -> None:
    printed = Commands(tmp_path)("docs", "configuration")
    assert printed.status == 0
    again = "settings were changed: ./run docs configuration > docs/configuration.md"
    assert (ROOT / "docs" / "configuration.md").read_text() == printed.out, again


def test_the_catalogue_of_texts_is_what_the_command_prints(tmp_path: Path) -> None:
    printed = Commands(tmp_path)("docs", "catalogue")
    assert printed.status == 0
    again = "texts were changed: ./run docs catalogue > notifiers/locale/keyturn.pot"
    assert (ROOT / "notifiers" / "locale" / "keyturn.pot").read_text(encoding="utf-8") == printed.out, again


def test_the_catalogue_is_sorted_by_file_and_has_no_text_twice() -> None:
    texts = catalogue.texts()
    first_files = [files[0] for files in texts.values()]
    assert first_files == sorted(first_files)
    assert len({(text.context, text.words) for text in texts}) == len(texts)


def test_every_setting_has_a_line_that_says_what_it_is(tmp_path: Path) -> None:
    listed = Commands(tmp_path)("docs", "configuration", "--json").data
    assert [each["variable"] for each in listed] == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for each in listed:
        assert each["description"].endswith("."), each["variable"]
        assert "|" not in each["description"] + each["default"], each["variable"]


def test_a_secret_shows_no_default_even_if_it_has_one() -> None:
    assert docs._default(SecretStr("hunter2")) == ""
    assert docs._default(8420) == "8420"
