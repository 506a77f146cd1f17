"""What the tests of the pages ask for: the application over a real database, and a browser's worth of client."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from foundation import settings
from tests.installations import installation
from tests.web.browser import browser
from workflows.installation import Installation

__all__ = ["installation"]


@pytest.fixture(scope="session", autouse=True)
def doorbells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which this process rings: the broker takes it from the environment when it is imported."""
    temporary = tempfile.tempdir
    settings.load.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYTURN_DATA_DIR", str(tmp_path_factory.mktemp("broker")))
        from tasks.broker import app
    # Whoever comes after finds everything as it was.
    settings.load.cache_clear()
    tempfile.tempdir = temporary
    return Path(app.conf.broker_transport_options["data_folder_out"])


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    """A browser on the pages of the installation; it follows no redirect by itself."""
    with browser(installation) as made:
        yield made
