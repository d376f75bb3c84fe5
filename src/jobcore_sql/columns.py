"""How values lie in columns: what each type of the core becomes in a database.

Instants are whole microseconds since 1970 where a database has no type that keeps a
zone (SQLite), so that they compare and index as numbers. Lengths of time are whole
microseconds everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import index
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    String,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from jobcore import JobStatus, Limit
from jobcore_sql.coded import Code, Coded, Implementation
from jobcore_sql.utf8 import Worded

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ZONED = DateTime(timezone=True)


def _knows_zones(dialect: Dialect) -> bool:
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
