"""What may enter a store: one answer for all stores, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from jobcore.errors import InvalidJobError
from jobcore.job import JobStatus, Limit

MAX_NAME = 64
MAX_KEY = 255
MAX_LABELS = 32
MAX_RETRIES = 1000
MAX_PAGE = 1000
MAX_BATCH = 10_000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=36_500)

_PRINTABLE = 10**40
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


def check_name(field: str, value: object) -> str:
    """A name of a task, queue, worker or label: ASCII letters, digits, `_` and `-`."""
    if type(value) is not str or len(value) > MAX_NAME or not _NAME.fullmatch(value):
        problem = f"must be 1 to {MAX_NAME} of A-Z a-z 0-9 _ -, not {_shown(value)}"
        raise InvalidJobError(field, problem)
    return value


def check_key(field: str, value: object) -> str:
    """A unique key, limit key or label value: printable text without outer space."""
    if (
        type(value) is not str
        or not value
        or not value.isprintable()
        or value != value.strip()
        or len(value.encode(errors="surrogatepass")) > MAX_KEY
    ):
        problem = f"must be 1 to {MAX_KEY} bytes of printable text, not {_shown(value)}"
        raise InvalidJobError(field, problem)
    return value


def check_id(field: str, value: object) -> str:
    """What might be an id that a store made, or a cursor of its pages."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise InvalidJobError(field, f"must be printable ASCII, not {_shown(value)}")
    return value


def check_integer(field: str, value: object, lowest: int, highest: int) -> int:
    """A whole number in a range; True is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidJobError(field, f"must be a whole number, not {_shown(value)}")
    if not lowest <= value <= highest:
        raise InvalidJobError(
            field, f"must be from {lowest} to {highest}, not {_shown(value)}"
        )
    return int(value)


def check_priority(field: str, value: object) -> int:
    """A signed number of 16 bits."""
    return check_integer(field, value, -(2**15), 2**15 - 1)


def check_length(field: str, value: object) -> timedelta:
    """A length of time that is not zero, of at most a hundred years."""
    length = check_delay(field, value)
    if not length:
        raise InvalidJobError(field, "must not be zero")
    return length


def check_delay(field: str, value: object) -> timedelta:
    """A length of time, zero or more, of at most a hundred years."""
    if not isinstance(value, timedelta):
        raise InvalidJobError(field, f"must be a timedelta, not {_shown(value)}")
    if not timedelta(0) <= value <= LONGEST:
        raise InvalidJobError(field, f"must be from 0 to {LONGEST.days} days: {value}")
    return value


def check_instant(field: str, value: object) -> datetime:
    """An aware datetime between 1970 and 2200, in UTC."""
    if not isinstance(value, datetime):
        raise InvalidJobError(field, f"must be a datetime, not {_shown(value)}")
    if value.utcoffset() is None:
        raise InvalidJobError(field, f"must know its time zone, not {value!r}")
    if not EARLIEST.year < value.year < LATEST.year:
        raise InvalidJobError(field, f"must be from 1971 to 2199, not {value}")
    return value.astimezone(UTC)


def check_labels(field: str, value: object) -> dict[str, str]:
    """At most 32 names with values."""
    if not isinstance(value, Mapping) or len(value) > MAX_LABELS:
        problem = f"must be at most {MAX_LABELS} names with values"
        raise InvalidJobError(field, problem)
    return {
        check_name("label", name): check_key(f"label {name}", text)
        for name, text in value.items()
    }


def check_scope(field: str, value: object) -> frozenset[JobStatus]:
    """Statuses in which a unique key is kept: some, the first ones among them."""
    if not isinstance(value, frozenset | set) or not value:
        raise InvalidJobError(field, "must be a set of statuses")
    if not all(isinstance(each, JobStatus) for each in value):
        raise InvalidJobError(field, "must hold nothing but JobStatus")
    if not {JobStatus.SCHEDULED, JobStatus.QUEUED} <= value:
        raise InvalidJobError(field, "must have scheduled and queued in it")
    return frozenset(value)


def check_limit(field: str, value: object) -> Limit:
    """Figures that a claim can work with."""
    if not isinstance(value, Limit):
        raise InvalidJobError(field, f"must be a Limit, not {_shown(value)}")
    if value.concurrency is not None:
        check_integer(f"{field} concurrency", value.concurrency, 1, 1_000_000)
    if value.rate is not None:
        check_integer(f"{field} rate", value.rate, 1, 1_000_000)
    check_length(f"{field} period", value.period)
    check_integer(f"{field} burst", value.burst, 1, 1_000_000)
    if value.rate is not None and value.period / LONGEST * value.burst > value.rate:
        raise InvalidJobError(field, f"must fill its burst in {LONGEST.days} days")
    return value


def _shown(value: object) -> str:
    kind = type(value)
    if isinstance(value, int) and abs(value) > _PRINTABLE:
        return "a huge number"
    if kind in {str, bytes, int, float, bool, type(None)}:
        return ascii(value)[:80]
    return f"a {kind.__qualname__}"
