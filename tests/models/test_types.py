"""Columns that refer to other tables have their type from the start, whichever module a process imports first."""

import subprocess
import sys

import pytest

import models

UNTYPED = """
from {module} import Base
from sqlalchemy.types import NullType
print([str(column) for table in Base.metadata.tables.values() for column in table.c if type(column.type) is NullType])
"""


@pytest.mark.parametrize("name", models.__all__)
def test_every_column_has_a_type_as_soon_as_one_table_is_known(name: str) -> None:
    program = UNTYPED.format(module=f"models.{name}")
    done = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
