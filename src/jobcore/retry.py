"""Whether a failed job is tried again, and after how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random, SystemRandom
from typing import Any, Protocol, TypedDict, Unpack

from tenacity import (
    Future,
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential,
    wait_fixed,
    wait_incrementing,
)
from tenacity.retry import retry_base
from tenacity.wait import wait_base

from jobcore.job import Job

CAP = timedelta(hours=1)
"""The longest delay of the built-in strategies, unless they are told another."""

SYSTEM_RANDOM = SystemRandom()


class RetryStrategy(Protocol):
    """Decides about retries. The number of retries is not its business: a job that has
    none left fails whatever the strategy says."""

    def retry_after(self, job: Job, exception: BaseException) -> timedelta | None:
        """How long *job*, which had `job.failures` failures before this one, is to
        wait after *exception*; None to fail it at once. Must not raise."""
        ...


class RetryOptions(TypedDict, total=False):
    """What all built-in strategies can be told; see `Retry`."""

    on: retry_base
    jitter: float
    cap: timedelta
    random: Random


class Retry:
    """A strategy made of two objects of tenacity: *wait* gives the delay before the
    n-th retry, *on* says which exceptions are worth one.

    An exception that says itself how long to wait (`retry_after_of`) is believed. The
    delay is spread by a share of *jitter* to both sides, so that what failed together
    does not return together, and is finite and at most *cap* for any number: what
    would be longer is spread below it.
    """

    def __init__(
        self,
        wait: wait_base,
        *,
        on: retry_base | None = None,
        jitter: float = 0.2,
        cap: timedelta = CAP,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        if not 0 <= jitter <= 1:
            raise ValueError(jitter)
        if cap < timedelta(0):
            raise ValueError(cap)
        self._wait = wait
        self._on = on or retry_if_exception_type(BaseException)
        self._jitter = jitter
        self._cap = cap.total_seconds()
        self._random = random

    def retry_after(self, job: Job, exception: BaseException) -> timedelta | None:
        state = _state(job.failures + 1, exception)
        if not self._on(state):
            return None
        asked = retry_after_of(exception)
        if asked is not None:
            return timedelta(seconds=min(asked.total_seconds(), self._cap))
        try:
            seconds = float(self._wait(state))
        except OverflowError:
            seconds = self._cap
        if math.isnan(seconds):
            seconds = self._cap
        seconds = min(max(seconds, 0.0), self._cap / (1 + self._jitter))
        spread = self._random.uniform(1 - self._jitter, 1 + self._jitter)
        return timedelta(seconds=min(seconds * spread, self._cap))


def exponential(
    base: timedelta = timedelta(seconds=2),
    *,
    factor: float = 2,
    **options: Unpack[RetryOptions],
) -> Retry:
    """*base*, then *factor* times longer before each further retry."""
    cap = options.get("cap", CAP)
    wait = wait_exponential(base.total_seconds(), cap.total_seconds(), factor)
    return Retry(wait, **options)


def fixed(delay: timedelta, **options: Unpack[RetryOptions]) -> Retry:
    """The same delay before each retry."""
    return Retry(wait_fixed(delay), **options)


def linear(base: timedelta, step: timedelta, **options: Unpack[RetryOptions]) -> Retry:
    """*base*, then a *step* longer before each further retry."""
    return Retry(wait_incrementing(base, step), **options)


def polynomial(
    base: timedelta, *, exponent: float = 4, **options: Unpack[RetryOptions]
) -> Retry:
    """*base* times the number of the retry to the power of *exponent*."""
    seconds = base.total_seconds()
    return Retry(_Wait(lambda number: seconds * float(number) ** exponent), **options)


def decorrelated(base: timedelta, **options: Unpack[RetryOptions]) -> Retry:
    """Each delay is drawn between *base* and three times the one before.

    The algorithm is the decorrelated jitter of the AWS Architecture Blog, "Exponential
    Backoff And Jitter" (2015). The delays before are drawn anew at each call, as no
    state is kept; after some tens of them the distribution no longer changes.
    """
    cap: float = options.get("cap", CAP).total_seconds()
    random: Random = options.get("random", SYSTEM_RANDOM)
    first = base.total_seconds()

    def draw(number: int) -> float:
        seconds = first
        for _ in range(min(number, 64)):
            seconds = random.uniform(first, max(first, min(cap, seconds * 3)))
        return seconds

    options.setdefault("jitter", 0.0)
    return Retry(_Wait(draw), **options)


def never() -> Retry:
    """No exception is worth a retry."""
    return Retry(wait_fixed(0), on=retry_if_exception_type(()))


def retry_after_of(exception: BaseException) -> timedelta | None:
    """How long an exception asks to wait: its `retry_after` (seconds or timedelta), or
    the header Retry-After in seconds of its `response`, as HTTP clients have it."""
    try:
        asked: Any = getattr(exception, "retry_after", None)
        if asked is None:
            headers = getattr(getattr(exception, "response", None), "headers", None)
            asked = headers.get("Retry-After") if isinstance(headers, Mapping) else None
        is_length = isinstance(asked, timedelta)
        seconds = asked.total_seconds() if is_length else float(asked)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return timedelta(seconds=min(seconds, timedelta.max.total_seconds() // 2))


class _Wait(wait_base):
    def __init__(self, seconds: Callable[[int], float]) -> None:
        self._seconds = seconds

    def __call__(self, retry_state: RetryCallState) -> float:
        return self._seconds(retry_state.attempt_number)


def _state(number: int, exception: BaseException) -> RetryCallState:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = number
    outcome = Future(number)
    outcome.set_exception(exception)
    state.outcome = outcome
    return state
