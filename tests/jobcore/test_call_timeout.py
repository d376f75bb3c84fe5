"""Calls that take too long are ended, by one timer for all of them."""

from __future__ import annotations

import asyncio
import weakref
from datetime import timedelta

import pytest

from jobcore import CallTimeout

pytestmark = pytest.mark.anyio

LONG = timedelta(hours=1)
SHORT = timedelta(milliseconds=20)


async def forever() -> None:
    await asyncio.Event().wait()


async def within(limit: CallTimeout, wait: asyncio.Event | None = None) -> int:
    with limit():
        await (wait.wait() if wait else asyncio.sleep(0))
    return 7


async def test_what_ends_in_time_answers() -> None:
    timeout = CallTimeout(LONG)
    assert await within(timeout) == 7
    timeout.close()


async def test_what_takes_too_long_ends() -> None:
    timeout = CallTimeout(SHORT)
    with pytest.raises(TimeoutError):
        await within(timeout, asyncio.Event())


async def test_each_has_the_whole_time() -> None:
    """Also what begins long after the timer was set for another."""
    timeout, loop = CallTimeout(SHORT), asyncio.get_running_loop()
    await within(timeout)
    await asyncio.sleep(SHORT.total_seconds() / 2)
    began_at = loop.time()
    with pytest.raises(TimeoutError):
        await within(timeout, asyncio.Event())
    assert loop.time() - began_at >= SHORT.total_seconds()


async def test_all_that_are_late_end() -> None:
    timeout = CallTimeout(SHORT)
    calls = [within(timeout, asyncio.Event()) for _ in range(3)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in ends] == [TimeoutError] * 3


async def test_a_later_one_goes_on_when_an_earlier_one_ends() -> None:
    timeout, may_end = CallTimeout(5 * SHORT), asyncio.Event()
    first = asyncio.create_task(within(timeout, asyncio.Event()))
    await asyncio.sleep(SHORT.total_seconds())
    second = asyncio.create_task(within(timeout, may_end))
    with pytest.raises(TimeoutError):
        await first
    assert not second.done()
    may_end.set()
    assert await second == 7


async def test_errors_pass() -> None:
    timeout = CallTimeout(LONG)
    with pytest.raises(LookupError), timeout():
        raise LookupError
    timeout.close()


async def test_a_cancelled_caller_is_cancelled() -> None:
    timeout = CallTimeout(LONG)
    caller = asyncio.create_task(within(timeout, asyncio.Event()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    timeout.close()


async def test_a_caller_that_is_cancelled_when_it_is_late_is_cancelled() -> None:
    timeout, began = CallTimeout(SHORT), asyncio.Event()

    async def call() -> None:
        with timeout():
            try:
                await forever()
            except asyncio.CancelledError:
                began.set()
                await forever()

    caller = asyncio.create_task(call())
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_who_was_late_may_go_on() -> None:
    """Nothing is left of the cancellation that ended the call."""
    timeout = CallTimeout(SHORT)
    with pytest.raises(TimeoutError):
        await within(timeout, asyncio.Event())
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    assert await within(timeout) == 7
    timeout.close()


async def test_a_timeout_within_another_is_the_one_that_is_late() -> None:
    outer, inner = CallTimeout(LONG), CallTimeout(SHORT)
    with outer(), pytest.raises(TimeoutError):
        await within(inner, asyncio.Event())
    outer.close()


async def test_it_leaves_no_timer() -> None:
    timeout = CallTimeout(LONG)
    await within(timeout)
    timeout.close()
    forgotten = weakref.ref(timeout)
    del timeout
    assert forgotten() is None


async def test_what_runs_when_it_is_closed_has_its_end() -> None:
    timeout = CallTimeout(SHORT)
    call = asyncio.create_task(within(timeout, asyncio.Event()))
    await asyncio.sleep(0)
    timeout.close()
    with pytest.raises(TimeoutError):
        await call


async def test_it_may_be_used_after_it_was_closed() -> None:
    timeout = CallTimeout(SHORT)
    await within(timeout)
    timeout.close()
    with pytest.raises(TimeoutError):
        await within(timeout, asyncio.Event())


def test_a_call_is_made_in_a_task() -> None:
    with pytest.raises(RuntimeError), CallTimeout(LONG)():
        pass
