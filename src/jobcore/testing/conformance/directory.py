"""The rules of `WorkerDirectory`: who lives, and whose turn a duty is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobcore.abilities import WorkerDirectory, WorkerRecord
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import close, pass_time

HOUR = timedelta(hours=1)

WORKER = WorkerRecord(
    id="host-1-abc",
    queues=("mail", "Mail"),
    tasks=("greet", "send"),
    concurrency=7,
    version="1.2.3",
)


class WorkerDirectoryConformance(Conformance):
    """The tests of `WorkerDirectory`; see `jobcore.testing`."""

    @pytest.fixture
    def directory(self, store: JobStore) -> WorkerDirectory:
        """The ability of the store under test."""
        ability = store.ability(WorkerDirectory)
        assert ability is not None, "the store has the ability WorkerDirectory"
        return ability

    async def test_workers_are_none_at_first(self, directory: WorkerDirectory) -> None:
        assert await directory.workers() == []

    async def test_seen_enters_a_worker_with_all_it_tells(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        pass_time(store, 50 * HOUR)
        await directory.seen(WORKER, HOUR)
        (worker,) = await directory.workers()
        assert replace(worker, seen_at=None) == WORKER
        assert close(worker.seen_at, datetime.now(UTC) + 50 * HOUR), (
            "the store sets seen_at by its clock"
        )

    async def test_seen_refreshes_a_worker(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        await directory.seen(WORKER, HOUR)
        (before,) = await directory.workers()
        pass_time(store, HOUR / 2)
        await directory.seen(replace(WORKER, queues=("new",), version="2"), HOUR)
        pass_time(store, HOUR - timedelta(minutes=5))
        (worker,) = await directory.workers()
        assert (worker.queues, worker.version) == (("new",), "2")
        assert before.seen_at is not None
        assert close(worker.seen_at, before.seen_at + HOUR / 2)

    async def test_workers_leave_out_who_was_not_seen_in_time(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        await directory.seen(replace(WORKER, id="short"), HOUR)
        await directory.seen(replace(WORKER, id="long"), 3 * HOUR)
        pass_time(store, HOUR)
        assert [worker.id for worker in await directory.workers()] == ["long"]
        await directory.seen(replace(WORKER, id="short"), HOUR)
        assert len(await directory.workers()) == 2, "who comes back is there again"

    async def test_workers_come_by_id(self, directory: WorkerDirectory) -> None:
        for name in ("b", "a-2", "c", "a-1"):
            await directory.seen(replace(WORKER, id=name), HOUR)
        names = [worker.id for worker in await directory.workers()]
        assert names == ["a-1", "a-2", "b", "c"]

    async def test_gone_strikes_out_a_worker(self, directory: WorkerDirectory) -> None:
        await directory.seen(WORKER, HOUR)
        await directory.seen(replace(WORKER, id="other"), HOUR)
        for _ in range(2):
            await directory.gone(WORKER.id)
        await directory.gone("never seen")
        assert [worker.id for worker in await directory.workers()] == ["other"]

    async def test_turn_is_given_once_per_interval(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        assert await directory.turn("prune", HOUR)
        assert not await directory.turn("prune", HOUR)
        pass_time(store, HOUR - timedelta(minutes=5))
        assert not await directory.turn("prune", HOUR)
        pass_time(store, timedelta(minutes=5))
        assert await directory.turn("prune", HOUR)
        assert not await directory.turn("prune", HOUR)

    async def test_turn_is_given_again_after_the_clock_was_set_back(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        pass_time(store, 50 * HOUR)
        assert await directory.turn("prune", HOUR)
        pass_time(store, -50 * HOUR)
        assert await directory.turn("prune", HOUR), "no turn lies beyond an interval"
        assert not await directory.turn("prune", HOUR)

    async def test_turn_is_given_once_after_a_long_silence(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        await directory.turn("prune", HOUR)
        pass_time(store, 50 * HOUR)
        assert await directory.turn("prune", HOUR)
        assert not await directory.turn("prune", HOUR), "missed turns are not saved"

    async def test_turn_of_one_duty_leaves_the_others(
        self, directory: WorkerDirectory
    ) -> None:
        assert await directory.turn("prune", HOUR)
        assert await directory.turn("promote", HOUR)

    async def test_turn_is_given_to_one_of_concurrent_callers(
        self, store: JobStore, directory: WorkerDirectory
    ) -> None:
        for _ in range(3):
            turns = (directory.turn("prune", HOUR) for _ in range(6))
            assert (await asyncio.gather(*turns)).count(True) == 1
            pass_time(store, HOUR)
