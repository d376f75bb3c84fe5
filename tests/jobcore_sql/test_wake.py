"""Waiting for work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from jobcore import ScheduleRecord
from jobcore.lifecycle import cancel
from jobcore.testing import a_claim, a_job, a_token, inserted, named, pass_time
from jobcore_sql import SQLJobStore, wake

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def queue_a_job(store: SQLJobStore) -> None:
    await inserted(store, a_job())


async def promote_a_job(store: SQLJobStore) -> None:
    await inserted(store, a_job(delay=HOUR))
    pass_time(store, HOUR)
    await store.promote(1)


async def cancel_a_job(store: SQLJobStore) -> None:
    claim = await a_claim(store)
    await store.apply([cancel(claim.job, a_token())])


async def fire_a_tick(store: SQLJobStore) -> None:
    schedule = ScheduleRecord(name=a_token(), revision="1", data=b"{}")
    await store.fire(schedule, None, [named(store, a_job())])


@pytest.mark.parametrize("act", [queue_a_job, promote_a_job, cancel_a_job, fire_a_tick])
async def test_wait_is_woken_by_its_own_process(
    store: SQLJobStore,
    act: Callable[[SQLJobStore], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wake, "PROBE", HOUR)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(store.wait(("default",), "worker", HOUR))
        # Another one looks once that one has looked, which sees what is there already.
        await store.wait(("nothing",), "another", timedelta(seconds=0.05))
        assert not waiting.done()
        while not waiting.done():
            await act(store)
            await store.statistics()


async def test_wait_sleeps_through_what_is_no_news(
    store: SQLJobStore, url: str
) -> None:
    async with SQLJobStore(url) as other:
        await store.pause(queue="paused")
        waiting = asyncio.create_task(store.wait(("default", "paused"), "w", HOUR))
        await inserted(other, a_job(queue="else"))
        await inserted(other, a_job(queue="paused"))
        for _ in range(5):
            await store.wait(("nothing",), "another", 3 * wake.PROBE)
        assert not waiting.done()
        await inserted(other, a_job())
        await asyncio.wait_for(waiting, timeout=10)


async def test_wait_does_not_spin_on_work_that_is_not_taken(
    store: SQLJobStore,
) -> None:
    await inserted(store, a_job())
    await asyncio.wait_for(store.wait(("default",), "worker", HOUR), timeout=10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            store.wait(("default",), "worker", HOUR), 10 * wake.PROBE.total_seconds()
        )


async def test_wait_hears_of_a_request_to_cancel_through_the_file(
    store: SQLJobStore, url: str
) -> None:
    async with SQLJobStore(url) as other:
        claim = await a_claim(store)
        waiting = asyncio.create_task(store.wait((), claim.job.worker or "", HOUR))
        await other.apply([cancel(claim.job, a_token())])
        await asyncio.wait_for(waiting, timeout=10)
