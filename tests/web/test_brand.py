"""The operator's brand: on every page, readable in whatever colour, and nobody else's name beside it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from foundation import clock
from tests.installations import PASSPHRASE, make_installation, sms_account, start_case
from tests.web.browser import browser, prove, text_of, title_of
from web import brand
from web.site import FOLDER
from workflows import closing
from workflows.installation import Installation

BRAND = {
    "brand_name": "Müller & Søn <Hosting>",
    "brand_support_email": "help@mueller.example",
    "brand_support_phone": "+1 202-555-0100",
    "brand_url": "https://www.mueller.example",
}


@pytest.fixture
def branded(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose operator has set everything."""
    installation = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path, **BRAND)
    yield installation
    installation.database.dispose()


def test_every_page_bears_the_operators_name_and_ways_to_reach_them(branded: Installation) -> None:
    case = start_case(branded, sms_account(branded, passphrase=PASSPHRASE), clock.now())
    stop = f"/stop/{case.reference}/{closing.stop_token(branded, case.id)}"
    with browser(branded) as client:
        pages = [client.get(path) for path in ("/", f"/confirm/{case.reference}/{case.token}", stop, "/nowhere")]
        pages += [client.post("/"), prove(client, case), client.get(f"/reset/{case.reference}/stop")]
        pages += [client.post(f"/reset/{case.reference}/passphrase"), client.post(stop)]
    for page in pages:
        assert all(value.removeprefix("https://") in text_of(page) for value in BRAND.values())
        assert title_of(page).endswith(" – Müller & Søn <Hosting>")
        assert '<html lang="en">' in page.text
        assert "keyturn" not in (page.text + str(page.headers)).lower()
    titles = [title_of(page) for page in pages]
    assert len(set(titles)) == len(titles) - 1  # to stop it asks the same by the link and in the session


def test_nothing_that_is_served_names_the_product() -> None:
    for file in (FOLDER / "static").rglob("*.*"):
        assert b"keyturn" not in file.read_bytes().lower(), file


def test_what_others_made_is_what_the_note_beside_it_says() -> None:
    vendor = FOLDER / "static" / "vendor"
    note = (vendor / "README.md").read_text()
    for file in vendor.glob("*.css"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in note, file


@pytest.mark.parametrize(
    ("colour", "text"),
    [
        ("#1d5c8a", "#ffffff"),
        ("#000000", "#ffffff"),
        ("#ffffff", "#000000"),
        ("#ffff00", "#000000"),
        ("#FF0000", "#000000"),
        # The greys on both sides of 4.5 to 1 against white.
        ("#767676", "#ffffff"),
        ("#777777", "#000000"),
    ],
)
def test_text_on_the_operators_colour_is_white_where_that_can_be_read_and_black_elsewhere(
    colour: str, text: str
) -> None:
    assert brand.stylesheet(colour) == f":root{{--brand:{colour};--on-brand:{text}}}\n"


def test_the_colour_of_the_settings_is_served(client: TestClient) -> None:
    answer = client.get("/brand.css")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "--brand:#1d5c8a" in answer.text
