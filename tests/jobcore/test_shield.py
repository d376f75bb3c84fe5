"""Acts come to their end though whoever asked for them is cancelled."""

from __future__ import annotations

import asyncio
import gc

import pytest

from jobcore import Shield

pytestmark = pytest.mark.anyio


class Act:
    """Ends with the number seven when it may."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.tasks: list[asyncio.Task[object] | None] = []

    async def __call__(self) -> int:
        self.tasks.append(asyncio.current_task())
        self.began.set()
        await self.may_end.wait()
        return 7


async def test_an_act_answers_or_raises() -> None:
    async def fail() -> None:
        raise LookupError

    shield, act = Shield("test"), Act()
    act.may_end.set()
    assert await shield.run(act) == 7
    assert await shield.start(act) == 7
    with pytest.raises(LookupError):
        await shield.run(fail)


async def test_an_act_goes_on_where_its_caller_is_cancelled() -> None:
    shield, act = Shield("test"), Act()
    caller = asyncio.create_task(shield.run(act))
    await act.began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    act.may_end.set()
    await shield.finish()
    assert act.tasks[0] is not None
    assert act.tasks[0].done()
    assert not act.tasks[0].cancelled()


async def test_an_act_within_another_runs_in_its_task() -> None:
    outer, inner, act = Shield("outer"), Shield("inner"), Act()
    act.may_end.set()

    async def both() -> int:
        return await inner.run(act) + await outer.run(act)

    assert await outer.run(both) == 14
    assert act.tasks[0] is act.tasks[1]
    await outer.finish()
    assert await inner.run(act) == 7
    assert act.tasks[2] is not asyncio.current_task()


async def test_a_task_that_an_act_begins_is_not_shielded() -> None:
    shield, act = Shield("test"), Act()
    inner: list[asyncio.Task[int]] = []

    async def begin() -> None:
        inner.append(asyncio.create_task(shield.run(act)))
        await act.began.wait()

    await shield.run(begin)
    assert act.tasks[0] is not inner[0]
    inner[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await inner[0]
    act.may_end.set()
    await shield.finish()


async def test_finishing_waits_for_acts_that_are_begun_meanwhile() -> None:
    shield, first, second = Shield("test"), Act(), Act()

    async def begin_another() -> None:
        await first()
        shield.start(second)

    shield.start(begin_another)
    await first.began.wait()
    finishing = asyncio.create_task(shield.finish())
    first.may_end.set()
    await second.began.wait()
    for _ in range(5):  # who does not wait needs some passes of the event loop to end
        await asyncio.sleep(0)
    assert not finishing.done()
    second.may_end.set()
    await finishing


async def test_finishing_waits_for_acts_within_those_of_another() -> None:
    outer, inner, act = Shield("outer"), Shield("inner"), Act()
    goes_on = asyncio.Event()

    async def act_and_go_on() -> None:
        await inner.run(act)
        await goes_on.wait()

    answer = outer.start(act_and_go_on)
    await act.began.wait()
    finishing = asyncio.create_task(inner.finish())
    await asyncio.sleep(0)
    assert not finishing.done()
    act.may_end.set()
    await finishing
    assert not answer.done()
    goes_on.set()
    await answer


async def test_an_error_that_nobody_asks_for_is_no_news() -> None:
    async def fail() -> None:
        raise LookupError

    loop, told = asyncio.get_running_loop(), list[object]()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        shield = Shield("test")
        shield.start(fail)
        await shield.finish()
        await asyncio.sleep(0)
        gc.collect()  # a future tells of its error when it is forgotten
    finally:
        loop.set_exception_handler(handler)
    assert not told


@pytest.mark.parametrize("has_begun", [True, False])
async def test_who_waits_is_cancelled_when_the_event_loop_cancels_the_act(
    *, has_begun: bool
) -> None:
    shield, act = Shield("test"), Act()
    before = asyncio.all_tasks()
    answer = shield.start(act)
    (task,) = asyncio.all_tasks() - before
    if has_begun:
        await act.began.wait()
    task.cancel()
    await asyncio.wait({answer}, timeout=5)
    assert answer.cancelled()
    await shield.finish()
