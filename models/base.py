"""What all tables share: names of constraints, UTC times, enums as text with a CHECK, and time-ordered ids."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import DateTime, Dialect, Enum, MetaData, Row, Uuid
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine
from uuid_utils.compat import uuid7

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns the reader names; the statement beside it says which there are."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. A time without a zone is refused: it would mean another moment on another machine."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = DateTime(timezone=True)
    cache_ok: bool | None = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def enum_column(words: type[StrEnum], name: str | None = None) -> Enum:
    """A text column that takes only these words, held by a CHECK with this name, or the enum's."""
    return Enum(
        words,
        name=name or words.__name__.lower(),
        native_enum=False,
        length=32,
        create_constraint=True,
        values_callable=lambda enum: [member.value for member in enum],
    )


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: UtcDateTime(), UUID: Uuid()}  # noqa: RUF012 - SQLAlchemy's own spelling


def new_id() -> UUID:
    """A fresh row id (UUID version 7, RFC 9562 §5.7): made before the insert, ordered by time, no count to guess."""
    return uuid7()


def one_of(column: str, words: Iterable[StrEnum]) -> str:
    """The SQL condition that `column` holds one of these words."""
    return f"{column} IN ({', '.join(repr(str(word)) for word in sorted(words))})"
