"""A migrated database, as the product and as a bare driver sees it."""

from collections.abc import Iterator

import pytest

from migrations import migrate
from models.database import Database
from tests.models.bare import Bare
from tests.models.bare import bare as bare_connection


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """The product's way to a database that has no table yet."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def database(empty: Database) -> Database:
    """The product's way to a database with all migrations."""
    migrate(empty)
    return empty


@pytest.fixture
def bare(database: Database, database_url: str) -> Iterator[Bare]:
    """A bare connection to a database with all migrations."""
    del database
    with bare_connection(database_url) as connection:
        yield connection
