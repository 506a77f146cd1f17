"""How a person goes through the pages without a mouse, and how each page is looked at: two widths, axe-core, a picture.

Pictures are build output: `build/pages/NAME-WIDTH.png`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "pages"
PHONE, DESKTOP = 360, 1280
_HEIGHT = 900
_MOST_TABS = 80
_GRAVE = {"serious", "critical"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a browser who uses the keyboard only."""

    page: Page

    def opens(self, url: str) -> None:
        """Goes to an address."""
        self.page.goto(url)

    def reads(self, heading: str) -> None:
        """Waits for the page with this heading; fails with what stands on the page instead."""
        try:
            expect(self.page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))
        except AssertionError as error:
            error.add_note(self.page.locator("body").inner_text())
            raise

    def types(self, label: str, text: str) -> None:
        """Fills the field with this label, reached by Tab."""
        self._reaches(self.page.get_by_label(label, exact=True))
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)

    def chooses(self, label: str, option: str) -> None:
        """Chooses in a menu, by typing the beginning of what is wanted."""
        menu = self.page.get_by_label(label, exact=True)
        self._reaches(menu)
        self.page.keyboard.type(option)
        assert menu.locator("option:checked").inner_text().startswith(option)

    def presses(self, name: str) -> None:
        """Presses the button, or follows the link, with this name."""
        wanted = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name)).first
        self._reaches(wanted)
        self.page.keyboard.press("Enter")

    def opens_up(self, summary: str) -> None:
        """Opens a part of the page that is folded."""
        self._reaches(self.page.locator("summary", has_text=summary).first)
        self.page.keyboard.press("Enter")

    def _reaches(self, wanted: Locator) -> None:
        wanted.wait_for()
        element = wanted.element_handle()
        for _ in range(_MOST_TABS):
            if element.evaluate("(element) => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {wanted}")


def look_at(page: Page, name: str) -> None:
    """Takes the page's picture at both widths. It must fit the window, and axe-core find no grave fault."""
    for width in (PHONE, DESKTOP):
        take_picture(page, name, width)
        found = [each for each in Axe().run(page).response["violations"] if each["impact"] in _GRAVE]
        assert found == [], f"{name} at {width}: {[(each['id'], each['nodes'][0]['html']) for each in found]}"
    page.set_viewport_size({"width": PHONE, "height": _HEIGHT})


def take_picture(page: Page, name: str, width: int) -> None:
    """Takes the page's picture; it must fit the window. All that can be looked at where scripts are off."""
    page.set_viewport_size({"width": width, "height": _HEIGHT})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{name}: {wide} pixels wide in a window of {width}"
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)


def read_qr(page: Page, name: str) -> str:
    """What a phone's camera would read off the screen."""
    picture = PICTURES / f"{name}-qr.png"
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True)
    (code,) = zxingcpp.read_barcodes(Image.open(picture))
    return str(code.text)
