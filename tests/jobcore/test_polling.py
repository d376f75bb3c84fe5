"""Polling: one look per interval for all workers of a manager, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from typing import TypeVar

from jobcore import (
    ClaimRequest,
    ClaimResult,
    DefaultJobManager,
    InMemoryJobStore,
    Tasks,
    Worker,
)
from jobcore.polling import Polling
from jobcore.testing.simulation import SimulatedLoop
from jobcore.testing.work import a_claim, a_job, a_request, inserted

T = TypeVar("T")

QUEUES = ("default",)
SECOND = timedelta(seconds=1)

tasks = Tasks()


@tasks.task()
async def work() -> None: ...


class DeafStore(InMemoryJobStore):
    """Brings no hint, and counts claims."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ClaimRequest] = []

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        self.asked.append(request)
        return await super().claim(request)

    async def wait(
        self,
        queues: Sequence[str],  # noqa: ARG002 - none is told of
        worker: str,  # noqa: ARG002 - likewise
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await asyncio.sleep(timeout.total_seconds())


def run(main: Awaitable[T]) -> T:
    loop = SimulatedLoop(Random(1))
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


async def claims_in_a_minute(*queues: str) -> int:
    """How often a manager asks whose workers have each one of *queues*."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(DeafStore())
        jobs = await stack.enter_async_context(DefaultJobManager(store))
        for each in queues:
            worker = Worker(jobs, tasks, queues=[each], upkeep=False)
            await stack.enter_async_context(worker)
        await asyncio.sleep(60)
        return len(store.asked)


def test_many_idle_workers_ask_hardly_more_often_than_one() -> None:
    alone = run(claims_in_a_minute("default"))
    assert 50 <= alone <= 75
    assert run(claims_in_a_minute(*["default"] * 20)) <= 20 + 75


def test_workers_of_other_queues_are_not_spared() -> None:
    assert run(claims_in_a_minute("mail", "default")) >= 2 * 50


def test_a_job_that_no_hint_tells_of_starts_within_an_interval() -> None:
    async def longest() -> float:
        loop, waits = asyncio.get_running_loop(), []
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(DeafStore())
            jobs = await stack.enter_async_context(DefaultJobManager(store))
            for _ in range(20):
                await stack.enter_async_context(Worker(jobs, tasks, upkeep=False))
            for _ in range(50):
                began_at = loop.time()
                await jobs.result(await jobs.submit(work.job()))
                waits.append(loop.time() - began_at)
        return max(waits)

    assert run(longest()) < 1.3


async def length_of_a_wait(result: ClaimResult) -> float:
    """How long a wait of a second is, if *result* comes after half of it."""
    loop = asyncio.get_running_loop()
    async with DeafStore() as store:
        polling = Polling(store)
        began_at = loop.time()
        waiting = asyncio.create_task(polling.wait("worker", QUEUES, SECOND))
        await asyncio.sleep(0.5)
        polling.learn(a_request(queues=QUEUES), result, loop.time())
        assert not await waiting
        return round(loop.time() - began_at, 1)


async def a_full_claim() -> ClaimResult:
    async with InMemoryJobStore() as store:
        return ClaimResult((await a_claim(store),))


def test_a_wait_is_longer_where_another_worker_has_looked_in_vain() -> None:
    assert run(length_of_a_wait(ClaimResult())) == 1.5


def test_a_wait_is_not_longer_where_there_may_be_more() -> None:
    assert run(length_of_a_wait(ClaimResult(bounded=True))) == 1.0
    assert run(length_of_a_wait(run(a_full_claim()))) == 1.0


def test_a_hint_ends_a_wait_that_became_longer() -> None:
    async def is_hinted() -> bool:
        async with InMemoryJobStore() as store:
            polling = Polling(store)
            await polling.wait("worker", QUEUES, SECOND)
            waiting = asyncio.create_task(polling.wait("worker", QUEUES, SECOND))
            await asyncio.sleep(0.5)
            found = ClaimResult()
            now = asyncio.get_running_loop().time()
            polling.learn(a_request(queues=QUEUES), found, now)
            await asyncio.sleep(0.7)
            assert not waiting.done()
            await inserted(store, a_job())
            return await waiting

    assert run(is_hinted())
