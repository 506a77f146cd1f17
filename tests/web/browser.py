"""A client for the pages, and how a test reads what they say."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

from httpx2 import Response
from starlette.testclient import TestClient

from tests.installations import Started
from workflows.installation import Installation


@contextmanager
def browser(installation: Installation, peer: str = "127.0.0.1") -> Iterator[TestClient]:
    """A client without cookies that reaches the pages at the public address, from the address `peer`."""
    from web.app import create_app

    client = TestClient(
        create_app(installation),
        base_url=installation.settings.public_url,
        follow_redirects=False,
        raise_server_exceptions=False,
        client=(peer, 50000),
    )
    with client:
        yield client


def text_of(response: Response) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"(?s)<head>.*</head>", "", response.text)
    body = re.sub(r"</?(?:a|b|span|strong|time)\b[^>]*>", "", body)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def heading_of(response: Response) -> str:
    """The page's one heading of the first rank."""
    (heading,) = re.findall(r"<h1>(.*?)</h1>", response.text)
    return unescape(heading)


def title_of(response: Response) -> str:
    """What the browser's tab says."""
    (title,) = re.findall(r"<title>(.*?)</title>", response.text)
    return unescape(title)


def field_of(response: Response, name: str) -> str:
    """The tag of one input."""
    (tag,) = re.findall(rf'<input id="{name}" name="{name}"[^>]*>', response.text)
    return str(tag)


def type_code(client: TestClient, reference: str, code: str) -> Response:
    """Sends the form with reference and code."""
    return client.post("/", data={"reference": reference, "code": code})


def prove(client: TestClient, case: Started) -> Response:
    """Gives the right code, and goes where that leads."""
    response = type_code(client, case.reference, case.code)
    assert response.status_code == 303
    return client.get(response.headers["location"])
