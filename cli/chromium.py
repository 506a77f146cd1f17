"""Pages made into a PDF or a picture by the machine's Chromium, which gets neither network nor a profile of anybody."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.output import Refusal

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60
_ALONE = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no name leads anywhere
)
# US letter at 96 pixels an inch, drawn with two dots a pixel.
_PICTURE = ("--window-size=816,1056", "--force-device-scale-factor=2", "--hide-scrollbars")


class NoChromium(Refusal):
    """There is no Chromium on PATH. Install one."""

    def __init__(self) -> None:
        apt = "apt-get install chromium" if os.geteuid() == 0 else "sudo apt-get install chromium"
        super().__init__(f"No Chromium was found, which draws PDF and PNG. Install it ({apt}), or write a .html file.")


def find() -> str:
    """Where Chromium is. Raises `NoChromium`."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise NoChromium


def pdf(page: str) -> bytes:
    """The page as it is printed. Raises `Refusal`."""
    return _made(page, "page.pdf", lambda file: (f"--print-to-pdf={file}", "--no-pdf-header-footer"))


def png(page: str) -> bytes:
    """The first sheet of US letter size as a picture, 192 dots an inch. Raises `Refusal`."""
    return _made(page, "page.png", lambda file: (f"--screenshot={file}", *_PICTURE))


def _made(page: str, name: str, options: Callable[[Path], Sequence[str]]) -> bytes:
    chromium = find()
    # Chromium refuses to run as root with its sandbox; the page is our own and loads nothing.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory(prefix="keyturn-") as folder:
        source, made = Path(folder, "page.html"), Path(folder, name)
        source.write_text(page, encoding="utf-8")
        _run((chromium, *_ALONE, *sandbox, f"--user-data-dir={folder}/profile", *options(made), source.as_uri()))
        if not made.exists():
            raise Refusal(f"{chromium} drew nothing. Try another Chromium, or write a .html file.")
        return made.read_bytes()


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise Refusal(f"{command[0]} did not end within {_SECONDS} seconds.") from None
