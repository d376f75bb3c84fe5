"""The rules of `apply` for what operators change of a job: queue, priority, arguments,
and whether it may start at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.abilities import QueueControl, Verifiable
from jobcore.attempt import Outcome
from jobcore.job import Job, JobStatus, Limit
from jobcore.lifecycle import APPROVAL
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    a_claim,
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    current,
    found,
    inserted,
    neighbours,
    pass_time,
)
from jobcore.transition import Answer, Changes, Transition

HOUR = timedelta(hours=1)

_OPERATORS: tuple[Callable[[Job], Transition], ...] = (
    lambda job: lifecycle.move(job, {"queue": "two", "priority": 7}),
    lifecycle.approve,
    lambda job: lifecycle.cancel(job, a_token()),
    lambda job: lifecycle.retry(job, a_token(), b'{"name": "Bob"}'),
    lambda job: lifecycle.move(job, {"priority": -7}),
)


class MovingRules(Conformance):
    @pytest.mark.parametrize("delay", [timedelta(0), HOUR])
    async def test_apply_moves_a_waiting_job_to_another_queue(
        self, store: JobStore, delay: timedelta
    ) -> None:
        first, second = await inserted(
            store, *(a_job(queue="one", delay=delay) for _ in range(2))
        )
        assert await self._move(store, first, {"queue": "two"}) is Answer.APPLIED
        moved = await current(store, first.id)
        assert moved == first.changed({"queue": "two"}), "nothing else has changed"
        statistics = await store.statistics()
        assert statistics.count(first.status, "one") == 1
        assert statistics.count(first.status, "two") == 1
        pass_time(store, HOUR)
        await store.promote(9)
        (stayed,) = await claimed(store, 9, queues=("one",))
        (claim,) = await claimed(store, 9, queues=("two",))
        assert (stayed.job_id, claim.job_id) == (second.id, first.id)
        await self._is_sound(store)

    async def test_apply_gives_a_job_another_priority(self, store: JobStore) -> None:
        jobs = await inserted(store, *neighbours(store, *[a_job() for _ in range(3)]))
        await self._move(store, jobs[2], {"priority": -32768})
        await self._move(store, jobs[0], {"priority": 32767})
        order = [claim.job_id for claim in await claimed(store, 9)]
        assert order == [jobs[2].id, jobs[1].id, jobs[0].id]
        assert (await current(store, jobs[2].id)).priority == -32768
        await self._is_sound(store)

    async def test_apply_moves_a_job_that_was_tried_before(
        self, store: JobStore
    ) -> None:
        claim = await a_claim(store, queue="one", priority=5)
        await applied(store, lifecycle.release(claim))
        job = await current(store, claim.job_id)
        await self._move(store, job, {"queue": "two", "priority": -5})
        moved = await current(store, job.id)
        assert moved == job.changed({"queue": "two", "priority": -5})
        (again,) = await claimed(store, 9, queues=("two",))
        assert (again.job.queue, again.job.priority) == ("two", -5)
        assert again.job.attempt == 2
        done = lifecycle.complete(again, b"1")
        await applied(store, done)
        assert (await store.statistics()).count(JobStatus.COMPLETED, "two") == 1
        (listed,) = await found(store, Filter(queue="two"))
        assert (listed.id, listed.priority) == (job.id, -5)
        assert await found(store, Filter(queue="one")) == []
        await self._is_sound(store)

    async def test_apply_moves_a_held_job_which_stays_held(
        self, store: JobStore
    ) -> None:
        held_by = APPROVAL
        (job,) = await inserted(store, a_job(queue="one", held_by=held_by))
        await self._move(store, job, {"queue": "two", "priority": 7})
        moved = await current(store, job.id)
        assert moved == job.changed({"queue": "two", "priority": 7})
        assert (await store.statistics()).count(JobStatus.HELD, "two") == 1
        await self._is_sound(store)

    async def test_apply_moves_nothing_that_has_left(self, store: JobStore) -> None:
        (job,) = await inserted(store, a_job(queue="one"))
        await claimed(store, 9, queues=("one",))
        assert await self._move(store, job, {"queue": "two"}) is Answer.STATUS
        assert (await current(store, job.id)).queue == "one"

    @pytest.mark.parametrize("extra", [None, b'{"a": 1}'])
    async def test_apply_leaves_something_with_each_write_of_an_operator(
        self, store: JobStore, extra: bytes | None
    ) -> None:
        (job,) = await inserted(store, a_job(held_by=APPROVAL, extra=extra))
        for write in _OPERATORS:
            made, left = write(job), a_token().encode()
            changes: Changes = {**made.changes, "extra": left}
            await applied(store, replace(made, changes=changes))
            job = await current(store, job.id)
            assert job.extra == left
        (claim,) = await claimed(store, 9, queues=("two",))
        assert claim.job.extra == job.extra
        assert (claim.job.payload, claim.job.priority) == (b'{"name": "Bob"}', -7)
        await self._is_sound(store)

    async def test_apply_retries_with_other_arguments(self, store: JobStore) -> None:
        claim = await a_claim(store, payload=b'{"name": "Ada"}', labels={"a": "b"})
        await applied(store, lifecycle.fail(claim, b"{}", Outcome.FAILED, None))
        job = await current(store, claim.job_id)
        payload = b'{"name":"\xc3\x9f\\n\\t", "x": 1}\n'
        await applied(store, lifecycle.retry(job, a_token(), payload))
        again = await current(store, job.id)
        assert (again.payload, again.labels) == (payload, {"a": "b"})
        (second,) = await claimed(store, 9)
        assert second.job.payload == payload
        await self._is_sound(store)

    @pytest.mark.parametrize("delay", [timedelta(0), HOUR])
    async def test_insert_holds_a_job_that_is_held_from_the_beginning(
        self, store: JobStore, delay: timedelta
    ) -> None:
        (job,) = await inserted(store, a_job(held_by=APPROVAL, delay=delay))
        assert (job.status, job.held_by) == (JobStatus.HELD, APPROVAL)
        assert job.due_at == job.created_at + delay
        assert await current(store, job.id) == job
        assert (await store.statistics()).count(JobStatus.HELD) == 1
        pass_time(store, 2 * HOUR)
        assert (await store.promote(9)).promoted == 0
        assert await claimed(store, 9) == []
        await self._is_sound(store)

    async def test_insert_holds_some_of_a_batch(self, store: JobStore) -> None:
        limit = Limit(concurrency=2)
        jobs = await inserted(
            store,
            a_job(held_by=APPROVAL, unique_key="a", labels={"a": "b"}),
            a_job(unique_key="b"),
            a_job(held_by=APPROVAL, limit_key="key", limit=limit, extra=b"1"),
        )
        assert [job.status for job in jobs] == ["held", "queued", "held"]
        assert [await current(store, job.id) for job in jobs] == jobs
        (claim,) = await claimed(store, 9)
        assert claim.job_id == jobs[1].id

    async def test_apply_lets_go_what_was_held_for_approval(
        self, store: JobStore
    ) -> None:
        now, later = await inserted(
            store, a_job(held_by=APPROVAL), a_job(held_by=APPROVAL, delay=2 * HOUR)
        )
        for job in (now, later):
            await applied(store, lifecycle.approve(job))
            approved = await current(store, job.id)
            assert (approved.status, approved.held_by) == (JobStatus.SCHEDULED, None)
            assert approved.due_at == job.due_at
        assert (await store.promote(9)).promoted == 1
        (claim,) = await claimed(store, 9)
        assert claim.job_id == now.id
        pass_time(store, 2 * HOUR)
        assert (await store.promote(9)).promoted == 1
        await self._is_sound(store)

    async def test_apply_cancels_what_is_held_for_approval(
        self, store: JobStore
    ) -> None:
        (job,) = await inserted(store, a_job(held_by=APPROVAL, unique_key="a"))
        await applied(store, lifecycle.cancel(job, a_token()))
        assert (await current(store, job.id)).held_by is None
        await inserted(store, a_job(held_by=APPROVAL, unique_key="a"))
        await self._is_sound(store)

    async def test_lift_leaves_what_is_held_for_approval(self, store: JobStore) -> None:
        control = store.ability(QueueControl)
        if control is None:
            return
        limit = Limit(concurrency=1)
        await inserted(store, a_job(held_by=APPROVAL, limit_key="key", limit=limit))
        assert await control.lift(None, 9) == 0
        assert await control.lift([APPROVAL], 9) == 0
        assert (await store.claim(a_request())).claims == ()
        await control.pause(task="other")
        await inserted(store, a_job(task="other"))
        assert (await store.claim(a_request())).held == 1
        await control.resume(task="other")
        assert await control.lift(None, 9) == 1, "what a pause has held"
        assert (await store.statistics()).count(JobStatus.HELD) == 1

    async def _move(self, store: JobStore, job: Job, changes: Changes) -> Answer:
        """Move *job*, twice, as a repeat has no other effect."""
        write = lifecycle.move(job, changes)
        first, again = await store.apply([write, write])
        assert first is again
        return first

    async def _is_sound(self, store: JobStore) -> None:
        if (verifiable := store.ability(Verifiable)) is not None:
            assert (await verifiable.verify()).findings == {}
