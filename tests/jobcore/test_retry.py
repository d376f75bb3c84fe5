"""Whether a failed job is tried again, and after how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import (
    RetryCallState,
    retry_if_exception_message,
    retry_if_exception_type,
    retry_if_not_exception_type,
    wait_chain,
    wait_fixed,
)
from tenacity.wait import wait_base

from jobcore import (
    Job,
    NewJob,
    Retry,
    decorrelated,
    exponential,
    fixed,
    linear,
    never,
    polynomial,
)
from jobcore.retry import CAP, retry_after_of

SECOND = timedelta(seconds=1)
BASE = 2 * SECOND
BUILT_IN: dict[str, Callable[..., Retry]] = {
    "exponential": lambda **options: exponential(BASE, **options),
    "fixed": lambda **options: fixed(BASE, **options),
    "linear": lambda **options: linear(BASE, SECOND, **options),
    "polynomial": lambda **options: polynomial(BASE, **options),
    "decorrelated": lambda **options: decorrelated(BASE, **options),
}
SPREAD = ["exponential", "fixed", "linear", "polynomial", "decorrelated"]


def failed(times: int) -> Job:
    """A job that failed so many times, before it does once more."""
    new = NewJob(task="greet", id="7")
    job = Job.stored(new, datetime(2030, 1, 1, tzinfo=UTC))
    return job.model_copy(update={"failures": times})


def delay(strategy: Retry, number: int, error: Exception | None = None) -> timedelta:
    waited = strategy.retry_after(failed(number - 1), error or ValueError())
    assert waited is not None
    return waited


def delays(strategy: Retry, numbers: int = 5) -> list[float]:
    return [delay(strategy, n + 1) / SECOND for n in range(numbers)]


def test_the_delays_grow_as_their_names_say() -> None:
    assert delays(exponential(jitter=0)) == [2, 4, 8, 16, 32]
    assert delays(exponential(SECOND, factor=3, jitter=0)) == [1, 3, 9, 27, 81]
    assert delays(fixed(BASE, jitter=0)) == [2, 2, 2, 2, 2]
    assert delays(linear(BASE, SECOND, jitter=0)) == [2, 3, 4, 5, 6]
    assert delays(polynomial(BASE, jitter=0)) == [2, 32, 162, 512, 1250]
    assert delays(polynomial(BASE, exponent=2, jitter=0)) == [2, 8, 18, 32, 50]


@given(
    st.sampled_from(sorted(BUILT_IN)),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_every_delay_is_finite_and_within_the_cap(
    name: str, number: int, jitter: float, cap: timedelta
) -> None:
    strategy = BUILT_IN[name](jitter=jitter, cap=cap)
    assert timedelta(0) <= delay(strategy, number) <= cap


EXTREMES = [0.0, 1e-9, 1.0, 1e308, float("inf")]


@given(
    st.timedeltas(),
    st.timedeltas(),
    st.sampled_from(EXTREMES),
    st.sampled_from([1, 2, 63, 64, 1024, 10**6]),
)
def test_figures_without_sense_do_no_harm(
    base: timedelta, step: timedelta, power: float, number: int
) -> None:
    for strategy in (
        exponential(base, factor=power),
        linear(base, step),
        polynomial(base, exponent=power),
        decorrelated(base),
    ):
        assert timedelta(0) <= delay(strategy, number) <= CAP


def test_a_huge_whole_exponent_is_quick() -> None:
    assert delay(polynomial(SECOND, exponent=10**9), 10**6) <= CAP


class _Odd(wait_base):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, retry_state: RetryCallState) -> float:
        return self.seconds * retry_state.attempt_number


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -5.0])
def test_a_foreign_wait_that_is_not_finite_is_capped(seconds: float) -> None:
    waited = delay(Retry(_Odd(seconds), cap=SECOND, jitter=0), 1)
    assert waited == (timedelta(0) if seconds < 0 else SECOND)


@pytest.mark.parametrize("jitter", [-0.1, 1.1, 2, float("nan")])
def test_jitter_is_a_share(jitter: float) -> None:
    with pytest.raises(ValueError, match=str(jitter)):
        fixed(SECOND, jitter=jitter)


def test_a_cap_is_not_negative() -> None:
    with pytest.raises(ValueError, match="day"):
        fixed(SECOND, cap=-SECOND)


@given(st.floats(0, 1), st.integers(0, 2**32))
def test_jitter_stays_within_its_bounds(jitter: float, seed: int) -> None:
    strategy = fixed(10 * SECOND, jitter=jitter, random=Random(seed))
    waited = delay(strategy, 1) / SECOND
    assert 10 * (1 - jitter) - 1e-6 <= waited <= 10 * (1 + jitter) + 1e-6


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("number", [1, 4, 50, 10**6])
def test_jobs_that_failed_together_do_not_return_together(
    name: str, number: int
) -> None:
    strategy = BUILT_IN[name](random=Random(7))
    waits = [delay(strategy, number) for _ in range(1000)]
    width = sorted(waits)[500] / 100
    buckets = Counter(each // width for each in waits)
    assert max(buckets.values()) < 100
    assert max(Counter(waits).values()) <= 2


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_seed_brings_the_same_delays_again(name: str) -> None:
    once, again, other = (
        delays(BUILT_IN[name](random=Random(seed))) for seed in (7, 7, 8)
    )
    assert once == again != other


@given(st.integers(1, 200))
def test_decorrelated_delays_are_at_least_the_base(number: int) -> None:
    assert BASE <= delay(decorrelated(BASE), number) <= CAP


def test_the_objects_of_tenacity_decide_per_exception() -> None:
    def wanted(on: Any, error: Exception) -> bool:
        return fixed(SECOND, on=on).retry_after(failed(0), error) is not None

    only = retry_if_exception_type(OSError)
    assert wanted(only, ConnectionError())
    assert not wanted(only, ValueError())
    other = retry_if_not_exception_type(OSError)
    assert wanted(other, ValueError())
    assert not wanted(other, OSError())
    both = only & retry_if_exception_message(match="busy")
    assert wanted(both, OSError("busy"))
    assert not wanted(both, OSError("gone"))
    assert wanted(only | other, ValueError())
    assert wanted(None, BaseException())  # type: ignore[arg-type]  # any will do


def test_a_chain_of_waits_goes_by_the_number_of_the_retry() -> None:
    chain = wait_chain(*map(wait_fixed, (1, 5, 9)))
    assert delays(Retry(chain, jitter=0), 4) == [1, 5, 9, 9]


def test_never_retries_nothing() -> None:
    assert never().retry_after(failed(0), ValueError()) is None
    assert never().retry_after(failed(0), BaseException()) is None


def asking(retry_after: object) -> Exception:
    error = ConnectionError()
    error.retry_after = retry_after  # type: ignore[attr-defined]
    return error


def answered(headers: object) -> Exception:
    error = ConnectionError()
    error.response = SimpleNamespace(headers=headers)  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    "error",
    [
        asking(7),
        asking(7.0),
        asking("7"),
        asking(timedelta(seconds=7)),
        answered({"Retry-After": "7"}),
        answered(httpx.Headers({"retry-after": "7"})),
    ],
)
def test_an_exception_may_say_how_long_to_wait(error: Exception) -> None:
    assert retry_after_of(error) == 7 * SECOND
    assert delay(exponential(), 1, error) == 7 * SECOND


def test_what_an_exception_asks_for_is_capped() -> None:
    assert delay(fixed(SECOND, cap=5 * SECOND), 1, asking(7)) == 5 * SECOND
    assert delay(fixed(SECOND), 1, asking(1e300)) == CAP
    assert delay(fixed(SECOND), 1, asking(timedelta.max)) == CAP


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        asking(None),
        asking(-1),
        asking("soon"),
        asking(float("nan")),
        asking(float("inf")),
        asking([7]),
        asking(10**400),
        answered(None),
        answered({}),
        answered({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        answered([("Retry-After", "7")]),
    ],
)
def test_an_exception_that_asks_for_nothing_usable_waits_as_usual(
    error: Exception,
) -> None:
    assert retry_after_of(error) is None
    assert delay(fixed(SECOND, jitter=0), 1, error) == SECOND


def test_an_exception_that_is_not_worth_a_retry_is_not_asked() -> None:
    assert never().retry_after(failed(0), asking(7)) is None


def test_an_exception_whose_wish_cannot_be_read_has_none() -> None:
    class OddError(Exception):
        @property
        def retry_after(self) -> float:
            raise KeyError

    assert retry_after_of(OddError()) is None
