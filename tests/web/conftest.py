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


_FOLDER = tempfile.TemporaryDirectory(prefix="keyturn-test-broker-")


def _broker_of_this_process() -> Path:
    """Imports the broker with a folder of its own, which it takes from the environment; answers with where bells are.

    When this file is read, because tests beside it import the broker as soon as they are collected. Otherwise all
    processes of a run would ring into one folder.
    """
    temporary = tempfile.tempdir
    settings.load.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYTURN_DATA_DIR", _FOLDER.name)
        from tasks.broker import app
    # Whoever comes after finds everything as it was.
    settings.load.cache_clear()
    tempfile.tempdir = temporary
    return Path(app.conf.broker_transport_options["data_folder_out"])


_DOORBELLS = _broker_of_this_process()


@pytest.fixture
def doorbells() -> Path:
    """The folder into which this process rings."""
    return _DOORBELLS


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    """A browser on the pages of the installation; it follows no redirect by itself."""
    with browser(installation) as made:
        yield made
