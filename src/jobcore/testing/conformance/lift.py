"""The rules of `lift`: who returns to the queue when places are free."""

from __future__ import annotations

import asyncio

from jobcore import lifecycle
from jobcore.abilities import QueueControl
from jobcore.job import JobStatus, Limit
from jobcore.store import JobStore
from jobcore.testing.conformance.concurrency import limited
from jobcore.testing.conformance.control import ControlConformance, held, with_status
from jobcore.testing.work import a_job, applied, claimed, current, inserted


class LiftRules(ControlConformance):
    async def test_lift_finds_nothing_where_nothing_is_held(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, limited())
        assert await control.lift(None, 9) == 0
        assert await control.lift(["limit:acme", "task:greet"], 9) == 0
        assert await control.lift([], 9) == 0

    async def test_lift_leaves_what_a_full_key_holds(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(limited(concurrency=2) for _ in range(5)))
        await claimed(store, 9)
        assert await control.lift(None, 9) == 0
        assert await control.lift(["limit:acme"], 9) == 0

    async def test_lift_fills_the_free_places_in_the_order_of_claims(
        self, store: JobStore, control: QueueControl
    ) -> None:
        jobs = await inserted(
            store, *(limited(concurrency=3, priority=-(n % 4)) for n in range(12))
        )
        claims = await claimed(store, 20)
        await applied(store, *(lifecycle.complete(claim, b"1") for claim in claims[:2]))
        waiting = [job.id for job in await held(store)]
        assert await control.lift(["limit:acme"], 9) == 2
        assert [job.id for job in await held(store)] == waiting[2:]
        lifted = await with_status(store, JobStatus.QUEUED)
        assert [job.id for job in lifted] == waiting[:2]
        assert {job.held_by for job in lifted} == {None}
        assert len(jobs) == 12

    async def test_lift_makes_what_it_lifts_claimable(
        self, store: JobStore, control: QueueControl
    ) -> None:
        _, second = await inserted(store, limited(), limited())
        (claim,) = await claimed(store, 9)
        await applied(store, lifecycle.complete(claim, b"1"))
        assert await claimed(store, 9) == []
        await control.lift(["limit:acme"], 1)
        assert [claim.job_id for claim in await claimed(store, 9)] == [second.id]

    async def test_lift_keeps_to_its_limit_and_to_its_holders(
        self, store: JobStore, control: QueueControl
    ) -> None:
        keys = ("acme", "other")
        await inserted(store, *(limited(key, 3) for key in keys for _ in range(8)))
        claims = await claimed(store, 20)
        assert len(claims) == 6
        await applied(store, *(lifecycle.complete(each, b"1") for each in claims))
        assert await control.lift(["limit:other"], 2) == 2
        queued = await with_status(store, JobStatus.QUEUED)
        assert [job.limit_key for job in queued] == ["other"] * 2
        assert await control.lift(None, 2) == 2
        assert len(await held(store)) == 6

    async def test_lift_lets_newcomers_go_first_without_starting_too_many(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, limited(), limited())
        (claim,) = await claimed(store, 9)
        await applied(store, lifecycle.complete(claim, b"1"))
        (newcomer,) = await inserted(store, limited())
        assert [claim.job_id for claim in await claimed(store, 9)] == [newcomer.id]
        assert await control.lift(None, 9) == 0

    async def test_lift_asks_its_holder_alone(
        self, store: JobStore, control: QueueControl
    ) -> None:
        jobs = await inserted(store, *(limited(concurrency=5) for _ in range(2)))
        await control.pause(task="greet")
        await claimed(store, 9)
        await control.pause(queue="default")
        await control.limit("acme", Limit(concurrency=0))
        await control.resume(task="greet")
        assert await control.lift(["task:greet"], 9) == 2
        assert await with_status(store, JobStatus.QUEUED) == jobs, (
            "priority, due time and id are what they were"
        )

    async def test_lift_goes_by_the_figures_that_stand_now(
        self, store: JobStore, control: QueueControl
    ) -> None:
        jobs = await inserted(store, *(limited() for _ in range(6)))
        await claimed(store, 9)
        await control.limit("acme", Limit(concurrency=3))
        assert await control.lift(["limit:acme"], 9) == 2
        assert (await current(store, jobs[1].id)).status is JobStatus.QUEUED
        await control.limit("acme", Limit())
        assert await control.lift(["limit:acme"], 9) == 3

    async def test_lift_queues_a_job_once_under_concurrent_calls(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await control.pause(task="greet")
        await inserted(store, *(a_job() for _ in range(20)))
        await claimed(store, 9)
        await control.resume(task="greet")
        lifted = await asyncio.gather(*(control.lift(None, 9) for _ in range(4)))
        lifted += [await control.lift(None, 20)]
        assert sum(lifted) == 20
        assert len({claim.job_id for claim in await claimed(store, 40)}) == 20
