"""Small acts on a store, for tests: make a job, insert it, claim it, let time pass."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from jobcore.attempt import ErrorDetail
from jobcore.claim import Claim, ClaimRequest
from jobcore.default_manager import DefaultJobManager
from jobcore.identity import new_token
from jobcore.job import Job, NewJob
from jobcore.query import Filter
from jobcore.retry import SYSTEM_RANDOM
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition

LEASE: Final = timedelta(hours=1)
"""So long that no test outlives it; `pass_time` ends it."""

ERROR: Final = ErrorDetail(type="ValueError", message="no").model_dump_json().encode()
"""An error as the manager would store it."""

EVERYTHING: Final = Filter()


def a_job(**fields: Any) -> NewJob:
    """A job with *fields* of your choice, of a task `greet` in the default queue."""
    return NewJob(**{"task": "greet", **fields})


def a_token() -> str:
    """A new claim token."""
    return new_token(SYSTEM_RANDOM)


def a_request(**fields: Any) -> ClaimRequest:
    """A request for one job of the default queue, with *fields* of your choice."""
    usual = {"worker": "worker", "queues": ("default",), "limit": 1, "lease": LEASE}
    return ClaimRequest(**{"token": a_token(), **usual, **fields})


def named(store: JobStore, job: NewJob) -> NewJob:
    """*job* with an id of the store's making, where it has none."""
    return job if job.id else replace(job, id=store.new_id(job))


def neighbours(store: JobStore, *jobs: NewJob, key: str = "acme") -> list[NewJob]:
    """*jobs* with ids that the store makes for jobs of one limit key, among which also
    a store that is partitioned keeps the order."""
    return [replace(job, id=store.new_id(replace(job, limit_key=key))) for job in jobs]


async def inserted(store: JobStore, *jobs: NewJob) -> list[Job]:
    """Insert *jobs* under ids of the store's making; all must be new."""
    answers = await store.insert([named(store, job) for job in jobs])
    assert all(answer.created for answer in answers), "insert creates new jobs"
    return [answer.job for answer in answers]


async def claimed(store: JobStore, limit: int = 1, **fields: Any) -> list[Claim]:
    """Claim up to *limit* jobs."""
    return list((await store.claim(a_request(limit=limit, **fields))).claims)


async def a_claim(store: JobStore, **fields: Any) -> Claim:
    """The claim of a new job, the only one that is queued."""
    (job,) = await inserted(store, a_job(**fields))
    (claim,) = await claimed(store, queues=(job.queue,))
    assert claim.job_id == job.id, "claim takes the only job that is queued"
    return claim


async def current(store: JobStore, job_id: str, *, attempts: bool = False) -> Job:
    """The job as it is now; it must be there."""
    (job,) = await store.get([job_id], attempts=attempts)
    assert job is not None, "get finds a job that was inserted"
    return job


async def answers_of(store: JobStore, *transitions: Transition) -> list[Answer]:
    """What `apply` answers in the end: what is locked by a write beside is tried
    again, as the manager does."""
    answers = await store.apply(transitions)
    for _ in range(100):
        locked = [n for n, each in enumerate(answers) if each is Answer.LOCKED]
        if not locked:
            break
        await asyncio.sleep(0.01)
        later = await store.apply([transitions[n] for n in locked])
        for n, answer in zip(locked, later, strict=True):
            answers[n] = answer
    return answers


async def applied(store: JobStore, *transitions: Transition) -> None:
    """Apply *transitions*; none may be refused."""
    answers = await answers_of(store, *transitions)
    expected = [Answer.APPLIED] * len(transitions)
    assert answers == expected, "apply makes a write whose expectations hold"


async def found(
    store: JobStore, wanted: Filter = EVERYTHING, page: int = 100
) -> list[Job]:
    """Every job that *wanted* matches, read page by page."""
    jobs: list[Job] = []
    cursor: str | None = None
    while True:
        answer = await store.find(wanted, cursor, page)
        assert len(answer.jobs) <= page, "find keeps to the limit of a page"
        jobs += answer.jobs
        cursor = answer.cursor
        if cursor is None:
            return jobs


def pass_time(place: JobStore | DefaultJobManager, length: timedelta) -> None:
    """Move the clock of a store, or of that of a manager, on, without waiting. What is
    due by then is seen to by upkeep; workers that run are not told."""
    store = place if isinstance(place, JobStore) else place.store
    store.offset += length


def close(one: datetime | None, other: datetime) -> bool:
    """Whether two instants agree but for the time that a test takes."""
    return one is not None and abs(one - other) < timedelta(minutes=1)
