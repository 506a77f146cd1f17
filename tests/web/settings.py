"""A customer's browser at the settings pages, as the tests make it."""

import re
from html import unescape

import pyotp
from httpx2 import Response
from starlette.testclient import TestClient

from foundation import clock
from tests.installations import TOTP_SECRET
from workflows import portal
from workflows.installation import Installation


def link(installation: Installation, ref: str = "DANA") -> str:
    """The path of a link that the billing system has made."""
    url = portal.make_link(installation, ref, clock.now()).url
    return url.removeprefix(installation.settings.public_url)


def enter(installation: Installation, client: TestClient, ref: str = "DANA") -> None:
    """Goes to the settings, as the customer of this account."""
    answer = client.post(link(installation, ref))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")


def show_app(client: TestClient, next_page: str = "/settings") -> Response:
    """Shows the imported app's code."""
    code = pyotp.TOTP(TOTP_SECRET).at(clock.now())
    return client.post("/settings/confirm", data={"next": next_page, "code": code})


def hidden(response: Response, name: str) -> str:
    """The value of a hidden field."""
    (value,) = re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)">', response.text)
    return unescape(value)


def followed(client: TestClient, answer: Response) -> Response:
    """The page to which an answer leads."""
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])
