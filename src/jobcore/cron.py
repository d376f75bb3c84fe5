"""Expressions of cron: what is one, and when it ticks. The library that knows the
calendar is lenient where a slip of the pen should be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from jobcore.errors import InvalidJobError

_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: Final = {
    "minute": 60,
    "hour": 24,
    "day of month": 31,
    "month": 12,
    "day of week": 7,
}
"""The five fields, and how many values each has."""
_LONGEST: Final = 255
_VALUE: Final = r"(?:\d{1,2}|[A-Z]{3})"
_TERM: Final = re.compile(
    rf"(?:\*|(?P<low>{_VALUE})(?:-(?P<high>{_VALUE}))?)(?:/(?P<step>\d{{1,2}}))?",
    re.ASCII,
)
_SPECIAL: Final = {
    "day of month": re.compile(r"L|LW"),
    "day of week": re.compile(rf"{_VALUE}#[1-5]|[0-7]L", re.ASCII),
}
_CHANGE: Final = timedelta(hours=3)
"""How far clocks are changed at most. The library takes an hour that comes twice for
its first time, and so is asked from before that."""
_SOME_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def check(expression: object) -> str:
    """The five fields of *expression*. InvalidJobError tells which of them is wrong, or
    that there is no such day."""
    if not isinstance(expression, str) or len(expression) > _LONGEST:
        raise InvalidJobError("cron", f"must be text of up to {_LONGEST} characters")
    five = _NAMED.get(expression.strip().lower(), expression)
    fields = five.upper().split()
    if not five.isascii() or len(fields) != len(_FIELDS):
        shown = ascii(expression)
        problem = f"must have five fields, or be one of {', '.join(_NAMED)}: {shown}"
        raise InvalidJobError("cron", problem)
    for place, (text, (name, values)) in enumerate(
        zip(fields, _FIELDS.items(), strict=True)
    ):
        if not _is_field(place, text, name, values):
            problem = f"cannot have {text!r} as field {place + 1}, {name}"
            raise InvalidJobError("cron", problem)
    try:
        next(CronSim(" ".join(fields), _SOME_DAY))
    except (CronSimError, StopIteration):
        raise InvalidJobError("cron", f"never comes: {expression!r}") from None
    return " ".join(fields)


@lru_cache(maxsize=256)
def zone_of(name: object) -> ZoneInfo:
    """The time zone of this IANA name."""
    try:
        if isinstance(name, str) and name and name.isprintable():
            return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        pass
    raise InvalidJobError("zone", f"must be the IANA name of one, not {name!a}")


def ticks(expression: str, zone: str, after: datetime) -> Iterator[datetime]:
    """When *expression* ticks in the time of *zone*: each instant once, rising from
    *after*, in UTC."""
    last, margin = after, timedelta(0) if zone == "UTC" else _CHANGE
    for local in CronSim(check(expression), (after - margin).astimezone(zone_of(zone))):
        tick = local.astimezone(UTC)
        if tick > last:
            last = tick
            yield tick


def _is_step(found: re.Match[str], values: int) -> bool:
    """Whether a range is long enough for its step. One of a single value is taken by
    the library for one that has no end."""
    is_single = found["high"] is not None and found["low"] == found["high"]
    return int(found["step"]) <= values and not is_single


def _is_field(place: int, text: str, name: str, values: int) -> bool:
    special = _SPECIAL.get(name)
    for term in text.split(","):
        found = _TERM.fullmatch(term)
        if found is None and not (special and special.fullmatch(term)):
            return False
        if found and found["step"] and not _is_step(found, values):
            return False
    fields = ["*"] * len(_FIELDS)
    fields[place] = text
    try:
        CronSim(" ".join(fields), _SOME_DAY)
    except CronSimError:
        return False
    return True
