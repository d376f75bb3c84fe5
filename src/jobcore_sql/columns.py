"""How values lie in columns: what each type of the core becomes in a database.

Instants are whole microseconds since 1970 where a database has no type that keeps a
zone (SQLite), so that they compare and index as numbers. Lengths of time are whole
microseconds everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from jobcore.job import JobStatus, Limit

E = TypeVar("E", bound=StrEnum)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(
        self,
        value: int | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Duration(TypeDecorator[timedelta]):
    """A length of time."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self,
        value: timedelta | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> int | None:
        return None if value is None else value // _MICROSECOND

    def process_result_value(
        self,
        value: int | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


class Word(TypeDecorator[E], Generic[E]):
    """A member of an enumeration, as its value."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__(16)
        self.kind = kind
        self._members = {each.value: each for each in kind}

    def process_bind_param(
        self,
        value: E | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> str | None:
        return None if value is None else value.value

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> E | None:
        return None if value is None else self._members[value]


class Scope(TypeDecorator[frozenset[JobStatus]]):
    """A set of statuses, as their values with commas between."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(
        self,
        value: frozenset[JobStatus] | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> str | None:
        return None if value is None else _scope_text(value)

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> frozenset[JobStatus] | None:
        return None if value is None else _scope(value)


class Json(TypeDecorator[Any]):
    """A small value as JSON text: labels, names of queues, lists of ids."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> str | None:
        return None if value is None else _json_text(value)

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> Any:
        return None if value is None else from_json(value)


class Figures(TypeDecorator[Limit]):
    """The figures of a limit: concurrency, rate, period, burst."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: Limit | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> str | None:
        if value is None:
            return None
        period = value.period // _MICROSECOND
        return _json_text([value.concurrency, value.rate, period, value.burst])

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> Limit | None:
        return None if value is None else _limit(value)


def _json_text(value: Any) -> str:
    if isinstance(value, Mapping) and not value:
        return "{}"
    return to_json(value).decode()


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
        period=timedelta(microseconds=period),
        burst=burst,
    )
