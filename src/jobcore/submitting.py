"""Submitting: alone in batches with others, or many jobs in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from pydantic import TypeAdapter

from jobcore.abilities import QueueControl
from jobcore.batching import Batcher
from jobcore.calls import StoreCalls
from jobcore.config import JobcoreConfig
from jobcore.ending import BATCH
from jobcore.events import Event, EventKind, Events
from jobcore.instrumentation import Instrumentation
from jobcore.job import Inserted, Job, JobStatus, NewJob
from jobcore.request import JobRequest, SubmitOptions
from jobcore.store import JobStore
from jobcore.submission import new_jobs

R = TypeVar("R")


class Submitting:
    """Makes new jobs of requests and inserts them. *require* refuses what the store
    cannot do, and *scheduled* is set when a job is stored that is due later."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a submit has to do with
        self,
        store: JobStore,
        calls: StoreCalls,
        config: JobcoreConfig,
        require: Callable[[type[Any]], None],
        instrumentation: Instrumentation,
        events: Events,
        scheduled: asyncio.Event,
    ) -> None:
        self._store = store
        self._calls = calls
        self._config = config
        self._require = require
        self._instrumentation = instrumentation
        self._events = events
        self._scheduled = scheduled
        self._inserts: Batcher[NewJob, Inserted] = Batcher(self._insert, BATCH)

    async def submit(self, request: JobRequest[R], options: SubmitOptions) -> Job[R]:
        """Store the job of *request* with the next batch."""
        self._calls.check()
        (new,) = self.new_jobs([request], options)
        return _typed(new, await self.insert(new), request.result_type)

    async def submit_many(
        self, requests: Iterable[JobRequest[R]], options: SubmitOptions
    ) -> list[Job[R]]:
        """Store the jobs of *requests*, up to `BATCH` of them in one call."""
        types: list[TypeAdapter[R] | None] = []
        new = self.new_jobs(_noting(types, requests), options)
        inserted: list[Inserted] = []
        with self._instrumentation.submitting(new):
            for start in range(0, len(new), BATCH):
                insert = partial(self._store.insert, new[start : start + BATCH])
                inserted += self._noticed(await self._calls.call(insert))
        return [_typed(*each) for each in zip(new, inserted, types, strict=True)]

    async def insert(self, new: NewJob) -> Inserted:
        """Store *new* with the next batch."""
        with self._instrumentation.submitting([new]):
            return await self._inserts.add(new)

    def new_jobs(
        self, requests: Iterable[JobRequest[Any]], options: SubmitOptions
    ) -> list[NewJob]:
        """What is to be stored for *requests*, checked and with an id each."""
        new = self.checked(requests, options)
        return [each.named(self._store.new_id(each)) for each in new]

    def checked(
        self, requests: Iterable[JobRequest[Any]], options: SubmitOptions
    ) -> list[NewJob]:
        """What is to be stored for *requests*, without ids."""
        new = new_jobs(requests, options, self._config)
        if any(each.limit_key is not None for each in new):
            self._require(QueueControl)
        return new

    async def finish(self) -> None:
        """Wait until everything that was handed in is stored."""
        await self._inserts.finish()

    async def _insert(self, jobs: Sequence[NewJob]) -> Sequence[Inserted]:
        insert = partial(self._store.insert, jobs)
        return self._noticed(await self._calls.repeat(insert))

    def _noticed(self, inserted: Sequence[Inserted]) -> Sequence[Inserted]:
        if any(each.job.status is JobStatus.SCHEDULED for each in inserted):
            self._scheduled.set()
        if self._events.wants(EventKind.SUBMITTED):
            for each in inserted:
                if each.created:
                    self._events.tell(Event(EventKind.SUBMITTED, each.job))
        return inserted


def _noting(
    types: list[TypeAdapter[R] | None], requests: Iterable[JobRequest[R]]
) -> Iterator[JobRequest[R]]:
    """*requests*, of which nothing but their *types* is kept."""
    for each in requests:
        types.append(each.result_type)
        yield each


def _typed(
    new: NewJob, inserted: Inserted, result_type: TypeAdapter[R] | None
) -> Job[R]:
    job: Job[R] = inserted.job
    # A job of this id is ours, though an earlier try may have created it.
    return job.typed(result_type, duplicate=job.id != new.id)
