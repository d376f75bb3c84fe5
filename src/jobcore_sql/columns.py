"""How values lie in columns: what each type of the core becomes in a database.

Instants are whole microseconds since 1970 where a database has no type that keeps a
zone (SQLite), so that they compare and index as numbers. Lengths of time are whole
microseconds everywhere.

Each type gives its pair of plain functions straight to SQLAlchemy: they are called for
every value of every row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from operator import index
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from jobcore import JobStatus, Limit

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

Implementation: TypeAlias = TypeEngine[Any] | type[TypeEngine[Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Coded(TypeDecorator[T]):
    """A type whose values are encoded and decoded by two functions; None is neither."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def encode(self, value: Any) -> Any:
        """What is stored for *value*."""
        raise NotImplementedError

    def decode(self, stored: Any) -> Any:
        """The value that is *stored*."""
        raise NotImplementedError

    def bind_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> Callable[[Any], Any]:
        encode = self.encode
        return lambda value: None if value is None else encode(value)

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
        coltype: object,  # noqa: ARG002 - likewise
    ) -> Callable[[Any], Any]:
        decode = self.decode
        return lambda stored: None if stored is None else decode(stored)


class Instant(Coded[datetime]):
    """A moment."""

    impl: Implementation = BigInteger
    cache_ok: bool | None = True

    def encode(self, value: datetime) -> int:
        return (value - _EPOCH) // _MICROSECOND

    def decode(self, stored: int) -> datetime:
        return _EPOCH + timedelta(0, 0, stored)


class Duration(Coded[timedelta]):
    """A length of time."""

    impl: Implementation = BigInteger
    cache_ok: bool | None = True

    def encode(self, value: timedelta) -> int:
        return value // _MICROSECOND

    def decode(self, stored: int) -> timedelta:
        return timedelta(0, 0, stored)


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


class Word(Coded[E], Generic[E]):
    """A member of an enumeration, as its value."""

    impl: Implementation = String
    cache_ok: bool | None = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__(16)
        self.kind = kind
        self._texts = {each: each.value for each in kind}
        self._members = {each.value: each for each in kind}

    def encode(self, value: E) -> str:
        return self._texts[value]

    def decode(self, stored: str) -> E:
        return self._members[stored]


class Scope(Coded[frozenset[JobStatus]]):
    """A set of statuses, as their values with commas between."""

    impl: Implementation = String(80)
    cache_ok: bool | None = True

    def encode(self, value: frozenset[JobStatus]) -> str:
        return _scope_text(value)

    def decode(self, stored: str) -> frozenset[JobStatus]:
        return _scope(stored)


class Json(Coded[Any]):
    """A small value as JSON text: labels, names of queues, lists of ids."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def encode(self, value: Any) -> str:
        return to_json(value).decode()

    def decode(self, stored: str) -> Any:
        return from_json(stored)


class Figures(Coded[Limit]):
    """The figures of a limit: concurrency, rate, period, burst."""

    impl: Implementation = Text
    cache_ok: bool | None = True

    def encode(self, value: Limit) -> str:
        period = value.period // _MICROSECOND
        figures = [value.concurrency, value.rate, period, value.burst]
        return to_json(figures).decode()

    def decode(self, stored: str) -> Limit:
        return _limit(stored)


@lru_cache(maxsize=128)
def _scope_text(scope: frozenset[JobStatus]) -> str:
    return ",".join(sorted(scope))


@lru_cache(maxsize=128)
def _scope(text: str) -> frozenset[JobStatus]:
    return frozenset(JobStatus(each) for each in text.split(",") if each)


@lru_cache(maxsize=1024)
def _limit(text: str) -> Limit:
    concurrency, rate, period, burst = from_json(text)
    return Limit(
        concurrency=concurrency,
        rate=rate,
        period=timedelta(0, 0, period),
        burst=burst,
    )
