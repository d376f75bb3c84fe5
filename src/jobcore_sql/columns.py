"""How values lie in columns: what each type of the core becomes in a database.

Instants are whole microseconds since 1970 where a database has no type that keeps a
zone (SQLite), so that they compare and index as numbers. Lengths of time are whole
microseconds everywhere.

MySQL keeps each text as the bytes of its UTF-8. To its collations, texts are the same
that differ in case, in accents or in trailing spaces, and the one that tells them all
apart is not MariaDB's. Bytes are equal and sorted as they are, whatever a server, a
database or a connection of the host's is set to.

Each type gives plain functions straight to whoever runs a statement: they are called
for every value of every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import index
from typing import Any, Final, Generic, TypeAlias, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ARRAY,
    VARBINARY,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from jobcore import JobStatus, Limit

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

Code: TypeAlias = Callable[[Any], Any]
Implementation: TypeAlias = TypeEngine[Any] | type[TypeEngine[Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ZONED = DateTime(timezone=True)
_ARRAY = ARRAY(Text)

MYSQL: Final = ("mysql", "mariadb")
"""What SQLAlchemy calls the dialects of MySQL."""


class Coded(TypeDecorator[T]):
    """A type with a function that says what is stored for a value, and one that says
    which value is stored. Both leave None as it is."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    encode: Code
    decode: Code

    def bind_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> Code | None:
        return self.encode

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Code | None:
        return self.decode


LONGEST: Final = 2**32 - 1
"""Bytes of any number, which MySQL wants to know."""


def _bytes(length: int | None) -> TypeEngine[Any]:
    return LargeBinary(LONGEST) if length is None else VARBINARY(length)


def _of_utf8(decode: Code) -> Code:
    """*decode* for a text that comes as bytes."""
    return lambda stored: decode(None if stored is None else stored.decode())


class Utf8(TypeDecorator[str]):
    """A text as bytes, at most *length* of them if it has one. They are made of it by
    whoever runs a statement."""

    impl: Implementation = LargeBinary
    cache_ok: bool | None = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:  # noqa: ARG002 - SQLAlchemy passes it
        return _bytes(self.length)

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is to be done."""

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Code:
        return _decode_utf8


_decode_utf8: Code = _of_utf8(lambda text: text)


class Numbering(UserDefinedType[int]):
    """A number that MySQL gives to each row, and by which it finds it."""

    cache_ok: bool | None = True

    def get_col_spec(self, **options: object) -> str:  # noqa: ARG002 - SQLAlchemy passes them
        """What is written in its column's definition."""
        return "BIGINT AUTO_INCREMENT PRIMARY KEY"


class Worded(Coded[T]):
    """What is stored as a text."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in MYSQL:
            return _bytes(getattr(self.impl, "length", None))
        return super().load_dialect_impl(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Code | None:  # noqa: ARG002 - SQLAlchemy passes it
        return _of_utf8(self.decode) if dialect.name in MYSQL else self.decode


def _knows_zones(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


class Array(TypeDecorator[Sequence[T]]):
    """A list of values of another type, as a parameter, where a database has arrays."""

    impl: Implementation = ARRAY
    cache_ok: bool | None = True

    def __init__(self, item: TypeEngine[T]) -> None:
        super().__init__(item)
        self.item = item

    def bind_processor(self, dialect: Dialect) -> Code | None:
        encode: Code | None = self.item.dialect_impl(dialect).bind_processor(dialect)
        return encode and (lambda values: list(map(encode, values)))


def _has_arrays(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def _instant(stored: int | None) -> datetime | None:
    return None if stored is None else _EPOCH + timedelta(0, 0, stored)


class Instant(Coded[datetime]):
    """A moment. Those of a batch repeat from row to row, and are decoded once."""

    impl: Implementation = BigInteger
    cache_ok: bool | None = True

    encode: Code = staticmethod(_microseconds)
    decode: Code = staticmethod(_instant)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _ZONED if _knows_zones(dialect) else super().load_dialect_impl(dialect)

    def bind_processor(self, dialect: Dialect) -> Code | None:
        return None if _knows_zones(dialect) else self.encode

    def result_processor(self, dialect: Dialect, coltype: object) -> Code | None:  # noqa: ARG002 - SQLAlchemy passes it
        return None if _knows_zones(dialect) else self.decode


def _length(value: timedelta | None) -> int | None:
    return None if value is None else value // _MICROSECOND


def _duration(stored: int | None) -> timedelta | None:
    return None if stored is None else timedelta(0, 0, stored)


class Duration(Coded[timedelta]):
    """A length of time."""

    impl: Implementation = BigInteger
    cache_ok: bool | None = True

    encode: Code = staticmethod(_length)
    decode: Code = staticmethod(_duration)


class Whole(TypeDecorator[int]):
    """A number that is always there. SQLite would give back whatever was put in."""

    impl: Implementation = Integer
    cache_ok: bool | None = True

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Callable[[Any], int]:
        return index


class Word(Worded[E], Generic[E]):
    """A member of an enumeration, as its value."""

    impl: Implementation = String
    cache_ok: bool | None = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__(16)
        self.kind = kind
        texts: dict[E | None, str | None] = {each: each.value for each in kind}
        members: dict[str | None, E | None] = {each.value: each for each in kind}
        self.encode: Code = (texts | {None: None}).__getitem__
        self.decode: Code = (members | {None: None}).__getitem__


@lru_cache(maxsize=128)
def _scope_text(scope: frozenset[JobStatus] | None) -> str | None:
    return None if scope is None else ",".join(sorted(scope))


@lru_cache(maxsize=128)
def _scope(text: str | None) -> frozenset[JobStatus] | None:
    if text is None:
        return None
    return frozenset(JobStatus(each) for each in text.split(",") if each)


class Scope(Worded[frozenset[JobStatus]]):
    """A set of statuses, as their values with commas between."""

    impl: Implementation = String(80)
    cache_ok: bool | None = True

    encode: Code = staticmethod(_scope_text)
    decode: Code = staticmethod(_scope)


def _json_text(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()


def _json(text: str | None) -> Any:
    if text == "{}":
        return {}
    return None if text is None else from_json(text)


class Json(Worded[Any]):
    """A small value as JSON text: labels, names of queues, lists of ids."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    encode: Code = staticmethod(_json_text)
    decode: Code = staticmethod(_json)


def _listed(values: Sequence[Any]) -> Sequence[Any]:
    return list(values) or [None]  # an empty list is none that MySQL can read


class Texts(Coded[Sequence[str]]):
    """A list of texts, as a parameter of a statement."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    encode: Code = staticmethod(_json_text)
    decode: Code = staticmethod(_json)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _ARRAY if _has_arrays(dialect) else super().load_dialect_impl(dialect)

    def bind_processor(self, dialect: Dialect) -> Code | None:
        if dialect.name in MYSQL:
            return _listed
        return None if _has_arrays(dialect) else self.encode


@lru_cache(maxsize=1024)
def _figures(limit: Limit | None) -> str | None:
    if limit is None:
        return None
    period = limit.period // _MICROSECOND
    figures = [limit.concurrency, limit.rate, period, limit.burst]
    return to_json(figures).decode()


@lru_cache(maxsize=1024)
def _limit(text: str | None) -> Limit | None:
    if text is None:
        return None
    concurrency, rate, period, burst = from_json(text)
    return Limit(
        concurrency=concurrency,
        rate=rate,
        period=timedelta(0, 0, period),
        burst=burst,
    )


class Figures(Worded[Limit]):
    """The figures of a limit: concurrency, rate, period, burst."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    encode: Code = staticmethod(_figures)
    decode: Code = staticmethod(_limit)
