"""What the tests of the pages ask for: the application over a real database, and a browser's worth of client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tasks.broker import app
from tests.installations import installation
from tests.web.browser import browser
from workflows.installation import Installation

__all__ = ["installation"]


@pytest.fixture
def doorbells() -> Path:
    """The folder into which this process rings, and no other."""
    folder = Path(app.conf.broker_transport_options["data_folder_out"])
    assert folder.is_absolute()
    return folder


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    """A browser on the pages of the installation; it follows no redirect by itself."""
    with browser(installation) as made:
        yield made
