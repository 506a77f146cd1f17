"""`keyturn demo --auto`: one reset from a customer's mail to `completed`, as a person would do it."""

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import TypeVar

import click

from cli.examples import EXAMPLES
from cli.output import Refusal
from inbox.maildir import Maildir
from models.cases import CaseState
from notifiers import outbox
from notifiers.outbox import OutboxItem
from policy.vocabulary import Channel
from workflows import installation, views

_PASSPHRASE = "violet harbour lamp"
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_CODE = re.compile(r"\d{4} ?\d{4}")
_REFERENCE = re.compile(r"R-[0-9A-Z]{4}-[0-9A-Z]{4}")
T = TypeVar("T")


def play() -> None:
    """Plays the reset. Raises `Refusal` with the reason where a step fails."""
    settings = installation.load().settings
    browser = _Browser(settings.public_url)
    _wait_for(browser.is_served, "the web process to answer")
    Maildir(settings.maildir_path).deliver((EXAMPLES / "lost-phone.eml").read_bytes())
    _say("a customer's mail has arrived: examples/lost-phone.eml")
    message = _wait_for(_message_with_code, "the message with the code")
    reference, code = _read(message)
    _show(reference, "the code is on its way")
    browser.post("/", {"reference": reference, "code": code})
    _expect(reference, CaseState.CONTACT_VERIFIED, "the code was typed on the page")
    browser.post(f"/reset/{reference}/passphrase", {"passphrase": _PASSPHRASE})
    _expect(reference, CaseState.COMPLETED, "the passphrase was given")
    _wait_for(_notices_are_out, "the notices to the other contact points")
    _say("the other contact points were told. Done.")


class _Browser:
    """As much of a browser as the pages need: forms, redirects, cookies."""

    def __init__(self, address: str) -> None:
        self._address = address
        # No proxy: the pages are on this machine.
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        ).open

    def is_served(self) -> bool:
        try:
            with self._open(f"{self._address}/health", timeout=5):
                return True
        except OSError:
            return False

    def post(self, path: str, fields: dict[str, str]) -> None:
        body = urllib.parse.urlencode(fields).encode()
        try:
            with self._open(self._address + path, data=body, timeout=30):
                pass
        except urllib.error.HTTPError as error:
            raise Refusal(f"the page refused: HTTP {error.code}") from None
        except OSError as error:
            raise Refusal(f"the page did not answer ({type(error).__name__})") from None


def _message_with_code() -> OutboxItem | None:
    items = outbox.read(installation.load().settings.outbox_path)
    return next((item for item in items if item.channel is Channel.SMS and _CODE.match(item.body)), None)


def _read(message: OutboxItem) -> tuple[str, str]:
    """Reference and code, out of the text of the message."""
    code, reference = _CODE.match(message.body), _REFERENCE.search(message.body)
    if not code or not reference:
        raise Refusal("the message holds no code or no reference")
    return reference[0], code[0]


def _notices_are_out() -> bool:
    items = outbox.read(installation.load().settings.outbox_path)
    return any(item.channel is Channel.EMAIL and "has been reset" in item.subject for item in items)


def _expect(reference: str, state: CaseState, what: str) -> None:
    found = views.case_view(installation.load(), reference).state
    if found is not state:
        raise Refusal(f"{what}, but {reference} is {found} and not {state}")
    _show(reference, what)


def _show(reference: str, what: str) -> None:
    view = views.case_view(installation.load(), reference)
    _say(f"{view.reference} is {view.state}, by {view.channel} to {view.destination}: {what}")


def _say(line: str) -> None:
    click.echo(line)


def _wait_for(look: Callable[[], T | None], what: str) -> T:
    """What `look` finds, asked again until it finds something. Raises `Refusal` when patience ends."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(_LOOK_SECONDS)
    raise Refusal(f"waited {_PATIENCE_SECONDS:.0f} s in vain for {what}")
