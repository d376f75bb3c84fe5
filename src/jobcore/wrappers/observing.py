"""What is told of a call to a store, and the telling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar

T = TypeVar("T")

_logger = logging.getLogger("jobcore.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCall:
    """One call to a store that has ended.

    *verb* is the name of the method, of the contract or of an ability. *jobs* counts
    what it was given, or where it is given a limit, what it brought or changed; calls
    that are about no jobs have 0. *error* is what it raised, which may also be that it
    was cancelled.
    """

    verb: str
    took: timedelta
    jobs: int = 0
    error: BaseException | None = None


Observer: TypeAlias = Callable[[StoreCall], None]
"""Told of each call when it has ended, in the event loop, so that it should not take
long. What it raises changes nothing."""


class Watch:
    """Tells an observer of calls."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._failed = False

    async def __call__(
        self,
        verb: str,
        call: Awaitable[T],
        jobs: int | Callable[[T], int] = 0,
    ) -> T:
        """What *call* answers or raises. *jobs* says of how many jobs it is, or counts
        them in the answer."""
        clock = asyncio.get_running_loop().time
        began_at = clock()
        count = jobs if isinstance(jobs, int) else 0
        try:
            answer = await call
        except BaseException as error:
            self._tell(verb, clock() - began_at, count, error)
            raise
        if not isinstance(jobs, int):
            count = jobs(answer)
        self._tell(verb, clock() - began_at, count, None)
        return answer

    def _tell(
        self, verb: str, seconds: float, jobs: int, error: BaseException | None
    ) -> None:
        took = timedelta(seconds=seconds)
        try:
            self._observe(StoreCall(verb=verb, took=took, jobs=jobs, error=error))
        except Exception:
            if not self._failed:
                _logger.exception("the observer of the store fails; logged once")
            self._failed = True
