"""The letter on paper: one page, nothing but the addresses in the envelope's windows, and the preview that shows it."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cli import chromium as program
from notifiers import texts
from notifiers.contract import Brand, OutgoingMessage
from policy.vocabulary import Channel, MessageKind
from tests.cli import pictures
from tests.cli.commands import Commands
from tests.cli.pictures import Picture
from tests.notifiers.samples import BRAND, HOME, message

KINDS = sorted(texts.WRITTEN[Channel.MAIL])
WIDTH, HEIGHT = 8.5, 11  # inches

LONGEST = Brand(
    "Wwwwwww Mmmmmmm Hosting, Domains & Mails",  # 40 signs, of which many are wide
    "secondfactorsupportteam@longnameofahostingcompanywithoutanyhyphens.example",
    "+1 (202) 555-0100 ext. 12345",
    "https://www.longnameofahostingcompanywithoutanyhyphens.example",
    "#1d5c8a",
)
PLACES = {
    "usual": (BRAND, "reset.hosting.example"),
    "longest": (LONGEST, "reset.longnameofahostingcompanywithoutanyhyphens.example"),
}
SIZES = [pytest.param(kind, size, id=f"{kind}-{size}") for kind in KINDS for size in PLACES]


def test_the_longest_name_is_as_long_as_lob_prints() -> None:
    assert len(LONGEST.name) == 40


def letter(kind: MessageKind, size: str) -> OutgoingMessage:
    brand, typed_at = PLACES[size]
    return message(kind, Channel.MAIL, brand=brand, typed_at=typed_at)


@cache
def printed(kind: MessageKind, size: str) -> Picture:
    """What Lob gets, drawn."""
    return pictures.read(program.png(texts.letter(letter(kind, size), None)))


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.fixture
def keyturn(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data", {"KEYTURN_BRAND_NAME": "Example & Söhne", "KEYTURN_MODE": "live"})


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(("kind", "size"), SIZES)
def test_every_letter_has_one_page_for_lob_and_in_the_outbox(kind: MessageKind, size: str) -> None:
    long_home = replace(HOME, name="x" * 40, line1="x" * 64, line2="x" * 64, city="x" * 40)
    for address in (None, long_home):
        assert pages(program.pdf(texts.letter(letter(kind, size), address))) == 1


@pytest.mark.usefixtures("chromium")
def test_a_letter_that_is_too_long_would_be_noticed() -> None:
    page = texts.letter(letter(MessageKind.RESET_CODE, "usual"), None)

    assert pages(program.pdf(page.replace("</ol>", "<li>one more</li>" * 20 + "</ol>"))) == 2


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(("kind", "size"), SIZES)
def test_no_window_of_the_envelope_shows_ink_of_ours_however_the_letter_shifts(kind: MessageKind, size: str) -> None:
    # By Lob's measures the lower window ends 3.125 in below the envelope's upper edge, and 4.625 in right of its left.
    assert printed(kind, size).is_white(0, 0, 4.7 / WIDTH, 3.15 / HEIGHT)


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(("kind", "size"), SIZES)
def test_nothing_is_cut_off_at_the_edges_of_the_paper(kind: MessageKind, size: str) -> None:
    page, edge = printed(kind, size), 0.4
    assert page.is_white(0, 0, edge / WIDTH, 1)
    assert page.is_white(1 - edge / WIDTH, 0, 1, 1)
    assert page.is_white(0, 0, 1, edge / HEIGHT)
    assert page.is_white(0, 1 - edge / HEIGHT, 1, 1)
    assert not page.is_white(1 / WIDTH, 3.2 / HEIGHT, 0.9, 0.5)


@pytest.mark.parametrize(("kind", "size"), SIZES)
def test_the_longest_letter_is_short_enough_for_lob(kind: MessageKind, size: str) -> None:
    assert len(texts.letter(letter(kind, size), None)) < 10_000


@pytest.mark.usefixtures("chromium")
def test_a_picture_shows_ink_where_it_is() -> None:
    page = (
        '<body style="margin:0"><div style="position:absolute;left:4in;top:5in;width:1in;height:1in;background:#123">'
    )
    picture = pictures.read(program.png(page))

    assert (picture.width, len(picture.rows)) == (1632, 2112)
    assert not picture.is_white(3.9 / WIDTH, 4.9 / HEIGHT, 4.1 / WIDTH, 5.1 / HEIGHT)
    assert picture.is_white(0, 0, 3.99 / WIDTH, 1)
    assert picture.is_white(5.01 / WIDTH, 0, 1, 1)
    assert picture.is_white(0, 0, 1, 4.99 / HEIGHT)
    assert picture.is_white(0, 6.01 / HEIGHT, 1, 1)


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("kind", [MessageKind.RESET_CODE, MessageKind.NOTICE_HOLD_STARTED])
def test_a_preview_is_one_page(keyturn: Commands, tmp_path: Path, kind: MessageKind) -> None:
    file = tmp_path / "sample.pdf"

    assert keyturn("letter", "preview", "--out", file, "--kind", kind).out == f"{file}: written.\n"
    assert pages(file.read_bytes()) == 1


@pytest.mark.usefixtures("chromium")
def test_a_picture_has_the_addresses_and_the_windows_outlined(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "sample.png"
    answer = keyturn("letter", "preview", "--out", file, "--json", KEYTURN_LOB_FROM_LINE1="210 King Street").data

    picture = pictures.read(file.read_bytes())
    assert answer == {"file": str(file), "kind": "reset_code"}
    assert not picture.is_white(0.7 / WIDTH, 0.87 / HEIGHT, 2 / WIDTH, 1.4 / HEIGHT)
    assert not picture.is_white(0.7 / WIDTH, 1.97 / HEIGHT, 2 / WIDTH, 2.8 / HEIGHT)
    assert not picture.is_white(0.1 / WIDTH, 2.2 / HEIGHT, 0.2 / WIDTH, 2.3 / HEIGHT)


def test_html_is_what_lob_gets_under_the_operators_brand(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    keyturn("letter", "preview", "--out", file, PATH="")

    page = file.read_text(encoding="utf-8")
    assert "Example &amp; Söhne" in page
    assert "48217 30659" in page
    for address in ("Maria Lopez", "window", "return address"):
        assert address not in page


def test_without_a_chromium_a_preview_says_how_to_get_one_or_do_without(keyturn: Commands, tmp_path: Path) -> None:
    refused = keyturn("letter", "preview", "--out", tmp_path / "sample.pdf", PATH="").one_line

    assert refused.startswith("No Chromium was found")
    assert "apt-get install chromium" in refused
    assert ".html" in refused


def test_a_chromium_that_draws_nothing_is_named(keyturn: Commands, tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    refused = keyturn("letter", "preview", "--out", tmp_path / "sample.pdf", PATH=f"{tmp_path}:/bin").one_line

    assert refused.startswith(f"{broken} drew nothing.")


def test_a_file_that_cannot_be_written_and_another_suffix_are_refused(keyturn: Commands, tmp_path: Path) -> None:
    refused = keyturn("letter", "preview", "--out", tmp_path / "missing" / "sample.html").one_line
    usage = keyturn("letter", "preview", "--out", tmp_path / "sample.doc")

    assert "cannot be written" in refused
    assert (usage.status, ".pdf, .png, .html" in usage.err) == (2, True)
