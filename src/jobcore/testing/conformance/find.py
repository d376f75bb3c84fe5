"""The rules of `find`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.job import Job, JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.conformance.insert import FULL
from jobcore.testing.work import (
    a_job,
    a_token,
    applied,
    claimed,
    current,
    found,
    inserted,
    pass_time,
)

HOUR = timedelta(hours=1)


async def a_crowd(store: JobStore) -> None:
    """Jobs of two queues, two tasks and five statuses, of three ages."""
    jobs = await inserted(
        store,
        *(
            a_job(
                queue=("mail", "Mail")[n % 2],
                task=("send", "Send")[n // 2 % 2],
                labels={"tenant": ("acme", "ACME")[n % 2], "number": str(n % 3)},
                delay=(None, 2 * HOUR, 9 * HOUR)[n // 4 % 3],
            )
            for n in range(24)
        ),
    )
    called_off = [job for job in jobs if job.status is JobStatus.SCHEDULED][:2]
    await applied(store, *(lifecycle.cancel(job, a_token()) for job in called_off))
    pass_time(store, HOUR)
    claims = await claimed(store, 7, queues=("mail", "Mail"))
    await applied(store, *(lifecycle.complete(each, b"1") for each in claims[:4]))
    pass_time(store, HOUR)
    await store.promote(2)


FILTERS: dict[str, tuple[Filter, Callable[[Job], bool]]] = {
    "everything": (Filter(), lambda _: True),
    "a status": (
        Filter(statuses=frozenset({JobStatus.IN_PROGRESS})),
        lambda job: job.status is JobStatus.IN_PROGRESS,
    ),
    "statuses": (
        Filter(statuses=frozenset({JobStatus.QUEUED, JobStatus.CANCELED})),
        lambda job: job.status in {JobStatus.QUEUED, JobStatus.CANCELED},
    ),
    "a queue": (Filter(queue="Mail"), lambda job: job.queue == "Mail"),
    "a task": (Filter(task="send"), lambda job: job.task == "send"),
    "a label": (
        Filter(labels={"tenant": "acme"}),
        lambda job: job.labels["tenant"] == "acme",
    ),
    "labels": (
        Filter(labels={"tenant": "ACME", "number": "1"}),
        lambda job: job.labels == {"tenant": "ACME", "number": "1"},
    ),
    "an absent label": (
        Filter(labels={"tenant": "acme", "absent": ""}),
        lambda _: False,
    ),
    "due": (Filter(due=True), lambda job: job.due_at < job.created_at + 3 * HOUR),
    "due for long": (
        Filter(due_for=2 * HOUR),
        lambda job: job.due_at < job.created_at + HOUR,
    ),
    "due for too long": (Filter(due_for=9 * HOUR), lambda _: False),
    "due and scheduled": (
        Filter(due=True, statuses=frozenset({JobStatus.SCHEDULED})),
        lambda job: (
            job.status is JobStatus.SCHEDULED and job.due_at < job.created_at + 3 * HOUR
        ),
    ),
    "ended long ago": (
        Filter(finished_for=timedelta(minutes=90)),
        lambda job: job.status is JobStatus.CANCELED,
    ),
    "ended": (
        Filter(finished_for=timedelta(0)),
        lambda job: job.status in {JobStatus.CANCELED, JobStatus.COMPLETED},
    ),
    "ended in no time": (Filter(finished_for=9 * HOUR), lambda _: False),
    "all at once": (
        Filter(
            statuses=frozenset({JobStatus.QUEUED, JobStatus.COMPLETED}),
            queue="mail",
            task="send",
            labels={"tenant": "acme"},
            due=True,
        ),
        lambda job: (
            job.status in {JobStatus.QUEUED, JobStatus.COMPLETED}
            and (job.queue, job.task) == ("mail", "send")
            and job.due_at < job.created_at + 3 * HOUR
        ),
    ),
    "nothing": (Filter(queue="absent"), lambda _: False),
    "no status": (Filter(statuses=frozenset()), lambda _: False),
    "no id": (Filter(ids=()), lambda _: False),
}
"""Filters, and which jobs of a crowd each of them means."""


class FindRules(Conformance):
    @pytest.mark.parametrize("name", FILTERS)
    async def test_find_answers_a_filter(self, store: JobStore, name: str) -> None:
        await a_crowd(store)
        everything = await found(store)
        assert len(everything) == 24
        wanted, means = FILTERS[name]
        expected = [job for job in everything if means(job)]
        assert await found(store, wanted) == expected, name

    async def test_find_answers_a_filter_by_ids(self, store: JobStore) -> None:
        jobs = await inserted(store, *(a_job() for _ in range(5)))
        wanted = Filter(ids=(jobs[1].id, "no such id", jobs[3].id))
        assert await found(store, wanted) == [jobs[3], jobs[1]]

    async def test_find_returns_whole_jobs_by_descending_id(
        self, store: JobStore
    ) -> None:
        await inserted(store, FULL, *(a_job(priority=n % 3) for n in range(9)))
        jobs = await found(store)
        ids = [job.id for job in jobs]
        assert ids == sorted(ids, reverse=True)
        assert jobs == [await current(store, job.id) for job in jobs]

    @pytest.mark.parametrize("size", [1, 2, 7, 20, 21])
    async def test_find_shows_each_job_once_over_all_pages(
        self, store: JobStore, size: int
    ) -> None:
        jobs = await inserted(store, *(a_job() for _ in range(20)))
        assert await found(store, page=size) == jobs[::-1]

    async def test_find_pages_through_the_jobs_that_match(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, *(a_job(queue=f"q{n % 5}") for n in range(40)))
        expected = [job for job in jobs[::-1] if job.queue == "q3"]
        assert await found(store, Filter(queue="q3"), page=3) == expected

    async def test_find_shows_unchanged_jobs_once_while_others_change(
        self, store: JobStore
    ) -> None:
        jobs = await inserted(store, *(a_job(queue=f"q{n % 2}") for n in range(30)))
        seen: list[Job] = []
        cursor: str | None = None
        while True:
            page = await store.find(Filter(), cursor, 4)
            seen += page.jobs
            cursor = page.cursor
            if cursor is None:
                break
            await inserted(store, a_job(queue="late"))
            await store.delete(Filter(queue="q1"), 1)
            await claimed(store, queues=("q1",))
        unchanged = [job for job in jobs[::-1] if job.queue == "q0"]
        assert [job for job in seen if job.queue == "q0"] == unchanged
        assert len({job.id for job in seen}) == len(seen), "nothing is shown twice"

    async def test_find_of_nothing_is_an_empty_page(self, store: JobStore) -> None:
        assert await found(store) == []
