"""Instants and lengths of time, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def shown_length(length: timedelta) -> str:
    """In its two largest units, as in `2 h 5 min`; below ten seconds by hundredths."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 10:  # noqa: PLR2004 - said above
        return f"{seconds:.2f} s"
    left, parts = round(seconds), list[str]()
    for unit, size in _UNITS:
        number, left = divmod(left, size)
        if number or parts:
            parts.append(f"{number} {unit}")
    return " ".join(each for each in parts[:2] if not each.startswith("0 "))


def shown_instant(instant: datetime | None) -> str:
    """In UTC, to the second; nothing for None."""
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def shown_age(instant: datetime | None) -> str:
    """How long ago an instant was by this machine's clock, or how far ahead it lies."""
    if instant is None:
        return ""
    age = datetime.now(UTC) - instant
    ahead = age < timedelta(0)
    return f"in {shown_length(-age)}" if ahead else shown_length(age)
