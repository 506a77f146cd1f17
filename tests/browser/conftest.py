"""A demo of its own for the browser: all processes of `keyturn up`, a sandbox outbox, and a clock that can be moved."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from notifiers import outbox
from notifiers.outbox import OutboxItem
from policy.vocabulary import Channel
from tests.browser.looking import PHONE, Person
from tests.end_to_end.processes import KEYTURN, keyturn, running
from tests.servers.ports import free_port
from tests.servers.stack import StackName
from tests.servers.stack import stack as stack_of
from tests.servers.waiting import until

HEAD = (
    "ref,name,country,primary_email,primary_email_verified,two_factor_email,two_factor_email_verified,phone,"
    "phone_verified,postal_line1,postal_city,postal_state,postal_zip,postal_verified,preference,passphrase"
)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PATIENCE_MS = 15_000
_NEVER_MIND_THE_NETWORK = (
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)


def row(ref: str, country: str, preference: str, passphrase: str = "") -> str:
    """An account with every contact point that its country allows."""
    mails = f"{ref.lower()}@primary.example,2024-03-02,{ref.lower()}@factor.example,2024-03-02"
    phone = f"+1202555{1000 + sum(map(ord, ref)) % 9000},2024-03-02" if country == "US" else ","
    home = "48 Orchard Lane,Millbrook,VT,05450,2024-03-02" if country == "US" else ",,,,"
    return f"{ref},{ref.title()} Whitfield,{country},{mails},{phone},{home},{preference},{passphrase}"


@dataclass(slots=True)
class Demo:
    """A running demo; `ahead` is how far its clock was moved."""

    env: Mapping[str, str]
    pages: str
    key: str
    data_dir: Path
    ahead: timedelta = timedelta()

    @property
    def now(self) -> datetime:
        """The time as the demo has it."""
        return datetime.now(UTC) + self.ahead

    @property
    def next_step(self) -> datetime:
        """A time in the next time step, whose code counts already and was not used yet."""
        return self.now + timedelta(seconds=30)

    def move_clock(self, by: str, delta: timedelta) -> None:
        """Moves the demo's clock ahead."""
        keyturn(self.env, "clock", "advance", by)
        self.ahead += delta

    def settings_link(self, ref: str) -> str:
        """What the billing portal sends the browser to."""
        return str(self.call("POST", f"/v1/accounts/{ref}/portal-sessions")["url"])

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """The REST API's answer."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = urllib3.request(method, self.pages + path, json=body, headers=headers)
        assert answer.status in {200, 201}, answer.data
        told: dict[str, object] = answer.json()
        return told

    def verify(self, ref: str, **evidence: object) -> dict[str, object]:
        """What the billing system is told of a second factor."""
        return self.call("POST", f"/v1/accounts/{ref}/verify", evidence)

    def opens(self, ref: str) -> str:
        """The reference of a reset that support opens."""
        return str(keyturn(self.env, "reset", "open", ref)["reference"])

    def newest(self, channel: Channel, text: str, to: str = "") -> OutboxItem:
        """The newest message over this channel that holds this text, once it is there."""

        def found() -> list[OutboxItem]:
            items = outbox.read(self.data_dir / "outbox")
            mine = (each for each in items if each.channel is channel and to in each.to)
            return [each for each in mine if text in f"{each.subject}\n{each.body}{each.html}"]

        return max(until(found, f"a message by {channel} with {text!r}"), key=lambda item: item.sent_at)

    def newest_code(self, channel: Channel, text: str, *, sends: int = 1) -> str:
        """The code of the newest message over this channel that holds one and this text, once so many are there."""

        def found() -> list[str]:
            items = sorted(outbox.read(self.data_dir / "outbox"), key=lambda item: item.sent_at)
            mine = (each for each in items if each.channel is channel and text in f"{each.body}{each.html}")
            codes = [code for each in mine if (code := code_in(each))]
            return codes if len(codes) >= sends else []

        return until(found, f"a code by {channel} with {text!r}")[-1]


def code_in(item: OutboxItem) -> str | None:
    """The code that a message shows, or says, as its reader would type it; None where it holds none."""
    if item.channel is Channel.VOICE:
        said = [str(WORDS.index(word)) for word in re.findall(r"\w+", item.script[1]) if word in WORDS]
        return "".join(said[:8])
    # Between the letters of a link's token eight digits are no code.
    match = re.search(r"\b(\d{4} ?\d{4}|\d{5} ?\d{5})\b", item.html if item.channel is Channel.MAIL else item.body)
    return match[0] if match else None


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with no account yet; its pages are at localhost, where browsers allow security keys without TLS."""
    folder = tmp_path_factory.mktemp("browser")
    port = free_port()
    pages = f"http://localhost:{port}"
    env = {
        **stack_of(StackName.EMBEDDED, folder / "data").env,
        "KEYTURN_MODE": "demo",
        "KEYTURN_WEB_PORT": str(port),
        "KEYTURN_PUBLIC_URL": pages,
        "KEYTURN_RELAY_SECONDS": "0.5",
        "KEYTURN_SWEEP_SECONDS": "0.5",
        "KEYTURN_BRAND_NAME": "Meadow Hosting",
        "KEYTURN_BRAND_SUPPORT_EMAIL": "support@meadow-hosting.example",
    }
    keyturn(env, "migrate")
    key = str(keyturn(env, "api-key", "add", "billing")["key"])
    with running((*KEYTURN, "up"), env, folder / "up.log"):
        until(lambda: _is_served(pages), "the pages to be served")
        yield Demo(env, pages, key, folder / "data")


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """The machine's Chromium, without a window. Ended with the file: its event loop would stand in other tests' way."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*_NEVER_MIND_THE_NETWORK, *sandbox])
        yield browser
        browser.close()


@pytest.fixture
def context(chrome: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, on a phone."""
    yield from _context(chrome, javascript=True)


@pytest.fixture
def plain_context(chrome: Browser) -> Iterator[BrowserContext]:
    """The same with JavaScript off."""
    yield from _context(chrome, javascript=False)


@pytest.fixture
def person(context: BrowserContext) -> Person:
    """Somebody at that browser."""
    return Person(context.new_page())


@pytest.fixture
def plain_person(plain_context: BrowserContext) -> Person:
    """Somebody whose browser runs no scripts."""
    return Person(plain_context.new_page())


def imported(demo: Demo, *rows: str) -> None:
    """Imports these accounts."""
    file = demo.data_dir.parent / "accounts.csv"
    file.write_text("\n".join((HEAD, *rows)))
    keyturn(demo.env, "account", "import", str(file))


def virtual_key(page: Page) -> str:
    """Plugs a security key into this page's browser: DevTools' virtual authenticator."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return str(answer["authenticatorId"])


def _context(chrome: Browser, *, javascript: bool) -> Iterator[BrowserContext]:
    made = chrome.new_context(java_script_enabled=javascript, viewport={"width": PHONE, "height": 900})
    made.set_default_timeout(_PATIENCE_MS)
    yield made
    made.close()


def _is_served(pages: str) -> bool:
    try:
        return urllib3.request("GET", f"{pages}/health", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
