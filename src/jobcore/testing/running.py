"""Running what is due: a worker in a test, until there is nothing left for it to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final

from jobcore.abilities import QueueControl
from jobcore.attempt import Outcome
from jobcore.default_manager import DefaultJobManager
from jobcore.errors import JobFailedError, JobNotFoundError, UnknownTaskError
from jobcore.events import Event, EventKind
from jobcore.job import Job, JobStatus
from jobcore.query import Filter
from jobcore.tasks import Tasks
from jobcore.testing.around import SurroundedTasks
from jobcore.testing.work import found, pass_time
from jobcore.worker import Worker
from jobcore.worker.declaring import declare

_GLANCE: Final = 0.05
"""Seconds after which the store is looked at though no event has come."""

_ENDS: Final = frozenset(
    {
        EventKind.SUCCEEDED,
        EventKind.RETRYING,
        EventKind.FAILED,
        EventKind.RELEASED,
        EventKind.CANCELED,
        EventKind.EXPIRED,
    }
)
_ACTIVE: Final = Filter(statuses=frozenset({JobStatus.QUEUED, JobStatus.IN_PROGRESS}))
_SCHEDULED: Final = Filter(statuses=frozenset({JobStatus.SCHEDULED}))
_NOW: Final = timedelta(0)


async def run_until_idle(  # noqa: PLR0913 - all but two are options by name
    jobs: DefaultJobManager,
    tasks: Tasks,
    *,
    queues: Sequence[str] | None = None,
    retries: bool = False,
    raise_errors: bool = True,
    timeout: timedelta = timedelta(seconds=10),  # noqa: ASYNC109 - part of the promise: TimeoutError
) -> list[Job[Any]]:
    """Let a worker run all jobs that are due, and those that they submit, until none is
    left; return those that ran as they are now, in the order in which they ended first.

    Schedules are declared, ticks that have come make their jobs, and claims whose
    leases ran out are released, all by the store's clock, which `pass_time` moves. With
    *retries*, time passes to what is due next as long as a job waits to be tried again.

    What a handler raised in the last attempt of a job is raised here at the end, of
    several jobs in an ExceptionGroup, and JobFailedError for what no handler has
    raised, such as a timeout; unless *raise_errors* is false. UnknownTaskError where a
    job is of none of *tasks*, and TimeoutError where jobs are unfinished after
    *timeout*; the worker has stopped by then.

    No other worker may have jobs of these queues meanwhile; they are those of *tasks*,
    unless *queues* are named.
    """
    errors = _Errors()
    async with Worker(
        jobs, SurroundedTasks(tasks, errors.keep), queues=queues, upkeep=False
    ) as worker:
        run = _Run(jobs, tasks, worker, retries=retries)
        unsubscribe = jobs.events.subscribe(run.hear)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await declare(jobs, tasks)
                await run.until_idle()
        except TimeoutError:
            problem = f"unfinished after {timeout}: {await run.unfinished()}"
            await _stop_at_once(worker)
            raise TimeoutError(problem) from None
        finally:
            unsubscribe()
    ran = await run.ended()
    if raise_errors:
        errors.raise_those_of(ran)
    return ran


class _Run:
    """What one worker has done and has still to do."""

    def __init__(
        self, jobs: DefaultJobManager, tasks: Tasks, worker: Worker, *, retries: bool
    ) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._worker = worker
        self._retries = retries
        self._changed = asyncio.Event()
        self._ended: dict[str, None] = {}
        self._unknown: str | None = None

    def hear(self, event: Event) -> None:
        self._changed.set()
        if event.job is None or event.worker != self._worker.id:
            return
        if event.kind is EventKind.UNKNOWN_TASK:
            self._unknown = event.job.task
        elif event.kind in _ENDS:
            self._ended[event.job.id] = None

    async def until_idle(self) -> None:
        while True:
            self._changed.clear()
            if self._unknown is not None:
                raise UnknownTaskError(self._unknown)
            if await self._active():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _GLANCE)
            elif not await self._bring_about() and not await self._active():
                return

    async def ended(self) -> list[Job[Any]]:
        ended: list[Job[Any]] = []
        for job_id in self._ended:
            with suppress(JobNotFoundError):
                job = await self._jobs.get(job_id)
                result_type = self._tasks[job.task].arguments.result_type
                ended.append(job.typed(result_type, duplicate=False))
        return ended

    async def unfinished(self) -> str:
        active = await self._active()
        return ", ".join(f"{job.task} ({job.status}, {job.id})" for job in active)

    async def _active(self) -> list[Job[Any]]:
        """What the worker runs or is to run."""
        control = self._jobs.store.ability(QueueControl)
        paused = (await control.paused()).queues if control else frozenset[str]()
        open_queues = set(self._worker.queues) - paused
        return [
            job
            for job in await found(self._jobs.store, _ACTIVE)
            if (job.queue in open_queues and job.status is JobStatus.QUEUED)
            or (job.worker == self._worker.id and job.status is JobStatus.IN_PROGRESS)
        ]

    async def _bring_about(self) -> bool:
        """Do what upkeep would do, and say whether that may have made work."""
        released = await self._jobs.release_stale_claims()
        fired = await self._jobs.fire_due_schedules()
        promotion = await self._jobs.promote_due_jobs()
        lifted = await self._jobs.lift_held_jobs()
        if released or fired.jobs or promotion.promoted or lifted:
            return True
        if _NOW in {fired.next_due_in, promotion.next_due_in}:
            return True
        if not self._retries or not await self._retry_waits():
            return False
        pass_time(self._jobs, promotion.next_due_in or _NOW)
        return True

    async def _retry_waits(self) -> bool:
        return any(
            job.queue in self._worker.queues and (job.failures or job.losses)
            for job in await found(self._jobs.store, _SCHEDULED)
        )


class _Errors:
    """What handlers raised in the latest attempts of their jobs."""

    def __init__(self) -> None:
        self._by_id: dict[str, Exception] = {}

    @contextmanager
    def keep(self, job: Job[Any]) -> Iterator[None]:
        self._by_id.pop(job.id, None)
        try:
            yield
        except Exception as error:
            self._by_id[job.id] = error
            raise

    def raise_those_of(self, jobs: Sequence[Job[Any]]) -> None:
        errors = [error for job in jobs if (error := self._of(job)) is not None]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("jobs failed", errors)

    def _of(self, job: Job[Any]) -> Exception | None:
        if job.outcome not in {Outcome.FAILED, Outcome.TIMED_OUT}:
            return None
        error = self._by_id.get(job.id)
        if error is None or job.outcome is Outcome.TIMED_OUT:
            told = job.failure
            return JobFailedError(
                job.id, told.type if told else "", told.message if told else ""
            )
        error.add_note(f"raised by job {job.id} ({job.task})")
        return error


async def _stop_at_once(worker: Worker) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.stop())
        group.create_task(worker.stop())
