"""Instants and lengths of time as scripts reckon with them: in microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(length: timedelta) -> int:
    """How long that is."""
    return length // _MICROSECOND


def since_epoch(instant: datetime) -> int:
    """How long that is after the beginning of 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(text: bytes) -> datetime:
    """What a script answered."""
    return _EPOCH + timedelta(microseconds=int(text))
