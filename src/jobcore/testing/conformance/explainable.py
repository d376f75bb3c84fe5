"""The rules of `Explainable`: who is before a job, and what a limit key is like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobcore import lifecycle
from jobcore.abilities import Explainable, QueueControl
from jobcore.job import Limit
from jobcore.rate import Pace
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import (
    a_job,
    a_token,
    applied,
    claimed,
    close,
    current,
    inserted,
    neighbours,
    pass_time,
)

HOUR = timedelta(hours=1)
MOST = 1000


class ExplainableConformance(Conformance):
    """The tests of `Explainable`; see `jobcore.testing`. The store has `QueueControl`,
    too."""

    @pytest.fixture
    def explainable(self, store: JobStore) -> Explainable:
        """The ability of the store under test."""
        ability = store.ability(Explainable)
        assert ability is not None, "the store has the ability Explainable"
        return ability

    @pytest.fixture
    def control(self, store: JobStore) -> QueueControl:
        """The ability which says what holds for a limit key."""
        ability = store.ability(QueueControl)
        assert ability is not None, "the store has the ability QueueControl"
        return ability

    async def test_clock_is_that_of_the_store(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        assert close(await explainable.clock(), datetime.now(UTC))
        pass_time(store, 50 * HOUR)
        assert close(await explainable.clock(), datetime.now(UTC) + 50 * HOUR)

    async def test_ahead_counts_by_priority_due_time_and_id(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        now = datetime.now(UTC)
        places = [
            (priority, now - hours * HOUR)
            for priority in (-5, 0, 5)
            for hours in (3, 3, 2)
        ]
        jobs = [a_job(priority=priority, due_at=due) for priority, due in places]
        stored = await inserted(store, *neighbours(store, *reversed(jobs)))
        line = sorted(stored, key=lambda job: (job.priority, job.due_at, job.id))
        counts = [await explainable.ahead(job.id, MOST) for job in line]
        assert counts == list(range(len(line)))

    async def test_ahead_counts_no_jobs_but_the_queued_of_the_queue(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        others = (
            a_job(queue="other"),
            a_job(queue="default2"),
            a_job(queue="defaul"),
            a_job(delay=HOUR),
            a_job(held_by="approval"),
        )
        await inserted(store, *neighbours(store, *(a_job() for _ in range(3))))
        (taken,) = await claimed(store)
        await inserted(store, *neighbours(store, *others))
        (last,) = await inserted(store, *neighbours(store, a_job(priority=9)))
        assert await explainable.ahead(last.id, MOST) == 2
        await applied(store, lifecycle.release(taken))
        assert await explainable.ahead(last.id, MOST) == 3

    async def test_ahead_follows_those_that_leave_and_return(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        jobs = [*(a_job() for _ in range(3)), a_job(priority=9)]
        first, second, last, idle = await inserted(store, *neighbours(store, *jobs))
        for priority in (5, 0, 5):
            moved = lifecycle.move(
                await current(store, first.id), {"priority": priority}
            )
            await applied(store, moved)
        assert await explainable.ahead(last.id, MOST) == 1
        assert await explainable.ahead(idle.id, MOST) == 3, "each counts once"
        await applied(store, lifecycle.cancel(second, a_token()))
        assert await explainable.ahead(last.id, MOST) == 0
        assert await explainable.ahead(first.id, MOST) == 1

    async def test_ahead_counts_up_to_what_is_asked(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        jobs = [a_job(priority=number % 3) for number in range(9)]
        new = neighbours(store, *jobs, a_job(priority=9))
        last = (await inserted(store, *new))[-1]
        counts = [await explainable.ahead(last.id, most) for most in (1, 4, 9, 10)]
        assert counts == [1, 4, 9, 9]

    async def test_ahead_is_of_queued_jobs_only(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        (later,) = await inserted(store, a_job(delay=HOUR))
        (held,) = await inserted(store, a_job(held_by="approval"))
        (running,) = await inserted(store, a_job())
        await claimed(store)
        for job in (later, held, running):
            assert await explainable.ahead(job.id, MOST) is None
        unknown = neighbours(store, a_job())[0].id
        assert await explainable.ahead(unknown, MOST) is None
        assert await explainable.ahead("nowhere", MOST) is None

    async def test_next_due_at_is_of_the_first_scheduled_job(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        assert await explainable.next_due_at() is None
        await inserted(store, a_job(), a_job(delay=HOUR, held_by="approval"))
        assert await explainable.next_due_at() is None
        later, sooner = await inserted(
            store, a_job(delay=9 * HOUR, priority=-5), a_job(delay=5 * HOUR)
        )
        assert await explainable.next_due_at() == sooner.due_at
        pass_time(store, 6 * HOUR)
        assert await explainable.next_due_at() == sooner.due_at, "until it is promoted"
        await store.promote(9)
        assert await explainable.next_due_at() == later.due_at

    async def test_limited_tells_who_runs(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        limit = Limit(concurrency=3)
        acme = [a_job(limit_key="acme", limit=limit) for _ in range(5)]
        near = [a_job(limit_key=key) for key in ("acm", "acme2", "Acme")]
        assert (await explainable.limited("acme", MOST)).running == ()
        await inserted(store, *acme, *near)
        claims = await claimed(store, 9)
        running = [each for each in claims if each.job.limit_key == "acme"]
        ids = tuple(sorted(each.job_id for each in running))
        assert len(ids) == 3
        assert (await explainable.limited("acme", MOST)).running == ids
        few = (await explainable.limited("acme", 2)).running
        assert len(few) == 2
        assert set(few) < set(ids)
        assert list(few) == sorted(few)
        await applied(store, lifecycle.complete(running[0], b"1"))
        assert (await explainable.limited("acme", MOST)).running == tuple(
            each for each in ids if each != running[0].job_id
        )

    async def test_limited_tells_the_figures_that_were_set(
        self, explainable: Explainable, control: QueueControl
    ) -> None:
        assert (await explainable.limited("acme", MOST)).limit is None
        for limit in (
            Limit(concurrency=3),
            Limit(rate=1, period=HOUR, burst=2),
            Limit(concurrency=1, rate=1, period=timedelta(milliseconds=20)),
        ):
            await control.limit("acme", limit)
            assert (await explainable.limited("acme", MOST)).limit == limit
            assert (await explainable.limited("acm", MOST)).limit is None
        await control.limit("acme", None)
        assert (await explainable.limited("acme", MOST)).limit is None

    async def test_limited_tells_the_pace(
        self, store: JobStore, explainable: Explainable
    ) -> None:
        limit = Limit(rate=3, period=HOUR, burst=2)
        jobs = [a_job(limit_key="acme", limit=limit) for _ in range(9)]
        assert (await explainable.limited("acme", MOST)).pace == Pace()
        stored = await inserted(store, *neighbours(store, *jobs))
        claims = await claimed(store, 99)
        assert len(claims) == 2
        pace = (await explainable.limited("acme", MOST)).pace
        assert not pace.may_start(limit, await explainable.clock())
        for job in stored[2:]:
            due_at = (await current(store, job.id)).due_at
            assert pace.has_reserved(limit, due_at), "each is one that was reserved"
            assert not pace.has_reserved(limit, due_at + timedelta(microseconds=1))
        pass_time(store, HOUR)
        assert pace.may_start(limit, await explainable.clock())
