"""What moves jobs, in the places where Redis keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobcore import Changes, Expectation, JobStatus, Transition
from jobcore.lifecycle import cancel, complete, move
from jobcore.testing import (
    a_claim,
    a_job,
    a_token,
    applied,
    current,
    found,
    inserted,
)
from tests.jobcore_redis import servers

pytestmark = pytest.mark.anyio


async def test_a_job_that_moves_while_it_runs_is_counted_where_it_is() -> None:
    async with servers.empty_store("6.2") as store:
        claim = await a_claim(store, queue="one", limit_key="acme")
        write = Transition(
            job_id=claim.job_id,
            expect=Expectation(token=claim.token),
            status=JobStatus.IN_PROGRESS,
            changes=Changes(queue="two", priority=7),
        )
        await applied(store, write, write)
        job = await current(store, claim.job_id)
        assert (job.queue, job.priority, job.worker) == ("two", 7, "worker")
        statistics = await store.statistics()
        assert statistics.count(JobStatus.IN_PROGRESS, "one") == 0
        assert statistics.count(JobStatus.IN_PROGRESS, "two") == 1
        assert (await store.verify()).findings == {}
        await applied(store, complete(claim, b"1"))
        assert (await store.verify()).findings == {}


async def test_a_job_that_moves_twice_in_one_call_is_where_it_went_last() -> None:
    async with servers.empty_store("6.2") as store:
        payload = b'{"text": "\n\t"}\n\n\t'
        (job,) = await inserted(store, a_job(payload=payload, labels={"a": "b"}))
        changes: list[Changes] = [{"queue": "two"}, {"priority": 7}, {"queue": "three"}]
        await applied(store, *(move(job, each) for each in changes))
        moved = job.changed({"queue": "three", "priority": 7})
        assert await current(store, job.id) == moved
        assert await found(store) == [moved]
        assert (await store.statistics()).queues.keys() == {"three"}
        assert (await store.verify()).findings == {}


async def test_a_job_that_is_held_from_the_beginning_has_its_unique_key() -> None:
    async with servers.empty_store("cluster") as store:
        near = a_job(unique_key="k", held_by="approval")
        far = replace(near, limit_key="acme")
        for first, second in ((near, far), (far, near)):
            (job,) = await inserted(store, replace(first, id=store.new_id(first)))
            other = replace(second, id=store.new_id(second))
            (answer,) = await store.insert([other])
            assert (answer.created, answer.job) == (False, job)
            await applied(store, cancel(job, a_token()))
        assert (await store.verify()).findings == {}
