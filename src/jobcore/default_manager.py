"""The job manager: what happens next to a job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter
from typing_extensions import Unpack

from jobcore import ageing, awaiting, checks, claiming, operating, reaching
from jobcore.abilities import (
    InsertStatement,
    QueueControl,
    ScheduleStore,
    StatementStore,
    TransactionalStore,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.attempt import Outcome
from jobcore.calls import StoreCalls
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.config import JobcoreConfig
from jobcore.details import Details
from jobcore.ending import BATCH, Endings
from jobcore.errors import (
    InvalidJobError,
    JobConflictError,
    JobNotFoundError,
    UnsupportedError,
)
from jobcore.events import Events
from jobcore.examining import Examining
from jobcore.explaining import Explaining
from jobcore.explanation import Explanation
from jobcore.finding import Finding
from jobcore.health import Health, HealthChecks
from jobcore.identity import new_token
from jobcore.instrumentation import Instrumentation
from jobcore.job import Job, JobStatus, Limit
from jobcore.manager import JobManager, JobTransaction
from jobcore.matching import Matching
from jobcore.payload import encode
from jobcore.polling import Polling, heard
from jobcore.pruning import Pruning
from jobcore.query import Filter, Page, Statistics
from jobcore.recurrence import Cron, Every
from jobcore.recurring import Recurring
from jobcore.registry import store_from_url
from jobcore.report import Report
from jobcore.reporting import Reporting
from jobcore.request import JobRequest, SubmitOptions
from jobcore.retry import SYSTEM_RANDOM, RetryStrategy
from jobcore.schedule import Fired, Schedule
from jobcore.scheduling import InOrder, SchedulingStrategy
from jobcore.store import JobStore
from jobcore.submitting import Submitting
from jobcore.sweeping import Archive, OnProgress, Sweep
from jobcore.transacting import Transacting
from jobcore.transition import Answer

A = TypeVar("A")
R = TypeVar("R")


class DefaultJobManager(JobManager):
    """The one implementation of `JobManager`; it works with any store.

    The store is open while the manager is, and closed by whoever opened it. *retry*
    is the strategy of tasks that have none of their own, *archive* is given what is
    pruned, before it is deleted, and *instrumentation* measures and traces.
    """

    def __init__(  # noqa: PLR0913 - all but the store are options
        self,
        store: JobStore,
        config: JobcoreConfig | None = None,
        *,
        retry: RetryStrategy | None = None,
        scheduling: SchedulingStrategy | None = None,
        archive: Archive | None = None,
        instrumentation: Instrumentation | None = None,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        self.instrumentation: Instrumentation = instrumentation or Instrumentation()
        self._store_name = type(store).__name__
        self._store = store = self.instrumentation.wrap(store)
        self._config = config or JobcoreConfig()
        self._scheduling = scheduling or InOrder()
        self._random = random
        self.events: Events = Events()
        self.health_checks: HealthChecks = HealthChecks()
        self._calls = StoreCalls(self._config.store_retry_timeout, random, self.events)
        self._reporting = Reporting(self._config, retry, random)
        self._endings = Endings(store, self._calls, self._reporting, self.events)
        self._submitting = Submitting(
            store,
            self._calls,
            self._config,
            self.require,
            self.instrumentation,
            self.events,
            self._endings.scheduled,
        )
        self._polling = Polling(store)
        self._pruning = Pruning(store, self._calls, self._config, archive)
        self._explaining = Explaining(store, self._calls)
        self._recurring = Recurring(
            store, self._calls, self._submitting.checked, random, self.events
        )
        self._examining = Examining(
            store, self._calls, self._config, self._kept_schedules, random
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._calls.open()
            stack.push_async_callback(self._calls.close)
            attend = self.instrumentation.attend(self.events, self.statistics)
            await stack.enter_async_context(attend)
            stack.push_async_callback(self._endings.close)
            stack.push_async_callback(self._submitting.finish)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    @property
    def config(self) -> JobcoreConfig:
        return self._config

    @property
    def store(self) -> JobStore:
        """The store that it works with."""
        return self._store

    async def health(self) -> Health:
        if not self._calls.are_open:
            return Health(alive=True, started=False, connected=False)
        told = self.health_checks.ask()
        if told is not None:
            return told
        connected = await reaching.answers(self._store, self._calls)
        return Health(alive=True, started=True, connected=connected)

    async def submit(
        self, request: JobRequest[R], **options: Unpack[SubmitOptions]
    ) -> Job[R]:
        return await self._submitting.submit(request, options)

    async def submit_many(
        self, requests: Iterable[JobRequest[R]], **options: Unpack[SubmitOptions]
    ) -> list[Job[R]]:
        return await self._submitting.submit_many(requests, options)

    def using(self, connection: object) -> JobTransaction:
        self._calls.check()
        store = self._ability(TransactionalStore).using(connection)
        new_jobs = self._submitting.new_jobs
        return Transacting(store, new_jobs, self._reporting, self.instrumentation)

    def insert_statement(
        self, requests: Iterable[JobRequest[Any]], **options: Unpack[SubmitOptions]
    ) -> InsertStatement:
        new = self._submitting.new_jobs(requests, options)
        if not new:
            raise InvalidJobError("requests", "must be one at least")
        store = self._ability(StatementStore)
        with self.instrumentation.submitting(new):
            return store.insert_statement(new)

    def require(self, ability: type[Any]) -> None:
        self._ability(ability)

    async def get(self, job: Job[Any] | str, *, attempts: bool = False) -> Job[Any]:
        job_id = _id_of(job)
        found = await self._calls.call(
            lambda: self._store.get([job_id], attempts=attempts)
        )
        if found[0] is None:
            raise JobNotFoundError(job_id)
        return job.renewed(found[0]) if isinstance(job, Job) else found[0]

    async def find(
        self,
        filter: Filter | None = None,  # noqa: A002 - the word of the contract
        *,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        checks.check_integer("limit", limit, 1, checks.MAX_PAGE)
        asked = _checked_filter(filter or Filter())
        if cursor is not None:
            checks.check_id("cursor", cursor)
        return await self._calls.call(lambda: self._store.find(asked, cursor, limit))

    async def statistics(self) -> Statistics:
        return await self._calls.call(self._store.statistics)

    async def explain(self, job: Job[Any] | str) -> Explanation:
        return await self._explaining.explain(await self.get(job, attempts=True))

    async def examine(self, *, thoroughly: bool = False) -> list[Finding]:
        return await self._examining.examine(thoroughly=thoroughly)

    async def result(self, job: Job[R], timeout: timedelta | None = None) -> R:  # noqa: ASYNC109 - the protocol's
        longest = self._config.job_polling_interval
        seconds = None if timeout is None else timeout.total_seconds()
        async with asyncio.timeout(seconds):
            ended = await awaiting.ended(job, self.get, self._endings.listen, longest)
        return awaiting.result_of(ended)

    async def cancel(self, job: Job[Any] | str) -> JobStatus:
        job_id, token = _id_of(job), new_token(self._random)
        status = await operating.cancel(
            job_id, token, self.get, self._endings.apply, self._endings.moved
        )
        self._endings.wake(job_id)
        return status

    async def retry(
        self, job: Job[Any] | str, arguments: Mapping[str, Any] | None = None
    ) -> Job[Any]:
        payload = None
        if arguments is not None:
            size = self._config.max_payload_size
            payload = encode("arguments", dict(arguments), size)
        job_id, token = _id_of(job), new_token(self._random)
        await operating.retry(
            job_id, token, self.get, self._endings.apply, self._endings.moved, payload
        )
        return await self.get(job)

    def matching(
        self,
        filter: Filter,  # noqa: A002 - the word of the contract
        *,
        actor: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Matching:
        asked = _checked_filter(filter)
        if actor is not None:
            checks.check_key("actor", actor)
        return Matching(
            Sweep(self._store, self._calls, asked, on_progress),
            partial(new_token, self._random),
            partial(self._endings.moved, actor=actor),
            max_payload_size=self._config.max_payload_size,
            actor=actor,
        )

    async def delete(self, job: Job[Any] | str) -> None:
        job_id = (await self.get(job)).id
        only = Filter(ids=(job_id,))
        if await self._calls.call(lambda: self._store.delete(only, 1)):
            return
        with suppress(JobNotFoundError):
            status = (await self.get(job_id)).status
            raise JobConflictError(job_id, "delete", f"status {status}")

    async def schedule(
        self,
        name: str,
        request: JobRequest[Any],
        recurrence: Cron | Every,
        *,
        declared: bool = False,
    ) -> Schedule:
        return await self._recurring.schedule(
            name, request, recurrence, declared=declared
        )

    async def unschedule(self, name: str) -> None:
        await self._recurring.unschedule(name)

    async def schedules(self) -> list[Schedule]:
        return await self._recurring.all()

    async def trigger(
        self, name: str, *, key: str | None = None, **options: Unpack[SubmitOptions]
    ) -> Job[Any]:
        new = await self._recurring.trigger(name, key, options)
        inserted = await self._submitting.insert(new)
        return inserted.job.typed(None, duplicate=not inserted.created)

    async def pause(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        schedule: str | None = None,
    ) -> None:
        named = _named(queue, task, schedule)
        if named:
            control = self._ability(QueueControl)
            await self._calls.call(lambda: control.pause(**named))
        if schedule is not None:
            await self._recurring.pause(schedule, paused=True)

    async def resume(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        schedule: str | None = None,
    ) -> None:
        named = _named(queue, task, schedule)
        if named:
            control = self._ability(QueueControl)
            await self._calls.call(lambda: control.resume(**named))
        if task is not None:
            await self._lift([f"task:{task}"])
        if schedule is not None:
            await self._recurring.pause(schedule, paused=False)

    async def limit(self, key: str, limit: Limit | None) -> None:
        control = self._ability(QueueControl)
        checks.check_key("limit_key", key)
        if limit is not None:
            checks.check_limit("limit", limit)
        await self._calls.call(lambda: control.limit(key, limit))
        await self._lift([f"limit:{key}"])

    async def claim(
        self, worker: str, queues: Sequence[str], limit: int
    ) -> ClaimResult:
        checks.check_name("worker", worker)
        for queue in queues:
            checks.check_name("queue", queue)
        checks.check_integer("limit", limit, 1, checks.MAX_BATCH)
        chosen, wanted = self._scheduling.plan(tuple(queues), limit)
        request = ClaimRequest(
            token=new_token(self._random),
            worker=worker,
            queues=chosen,
            limit=wanted,
            lease=self._config.job_claim_timeout,
        )
        asked_at = asyncio.get_running_loop().time()
        result = await claiming.claim(self._store, self._calls, request)
        self._polling.learn(request, result, asked_at)
        self._endings.claimed(worker, result)
        if result.deferred:
            self._endings.scheduled.set()
        return result

    async def renew(self, claims: Sequence[Claim]) -> Renewal:
        lease = self._config.job_claim_timeout
        return await self._calls.call(lambda: self._store.renew(claims, lease))

    async def report(self, reports: Sequence[Report]) -> list[JobStatus | Exception]:
        return await self._endings.end_all(reports)

    async def complete(
        self,
        claim: Claim,
        result: object = None,
        result_type: TypeAdapter[Any] | None = None,
    ) -> JobStatus:
        return await self._endings.end(
            Report(claim, Outcome.SUCCEEDED, value=result, result_type=result_type)
        )

    async def fail(
        self,
        claim: Claim,
        error: BaseException,
        *,
        outcome: Outcome = Outcome.FAILED,
        retry: RetryStrategy | None = None,
    ) -> JobStatus:
        return await self._endings.end(Report(claim, outcome, error=error, retry=retry))

    async def note(self, claim: Claim, details: Details) -> None:
        await self._endings.note(claim, details)

    async def release(self, claim: Claim, delay: timedelta | None = None) -> JobStatus:
        return await self._endings.end(Report(claim, Outcome.RELEASED, delay=delay))

    async def snooze(self, claim: Claim, delay: timedelta) -> JobStatus:
        checks.check_delay("delay", delay)
        return await self.release(claim, delay)

    async def acknowledge(self, claim: Claim) -> JobStatus:
        return await self._endings.end(Report(claim, Outcome.CANCELED))

    async def promote_due_jobs(self, limit: int = 1000) -> Promotion:
        checks.check_integer("limit", limit, 1, checks.MAX_BATCH)
        return await self._calls.call(lambda: self._store.promote(limit))

    async def wait_for_scheduled(self, timeout: timedelta) -> None:  # noqa: ASYNC109 - the protocol's
        self._calls.check()
        await heard(self._endings.scheduled, timeout)

    async def fire_due_schedules(self) -> Fired:
        return await self._recurring.fire()

    async def wait_for_schedules(self, timeout: timedelta) -> None:  # noqa: ASYNC109 - the protocol's
        self._calls.check()
        await heard(self._recurring.changed, timeout)

    async def release_stale_claims(self, limit: int = 1000) -> int:
        checks.check_integer("limit", limit, 1, checks.MAX_BATCH)
        stale = await self._calls.call(lambda: self._store.expired(limit))
        answers = await asyncio.gather(*map(self._endings.lose, stale))
        return answers.count(Answer.APPLIED)

    async def lift_held_jobs(self, limit: int = 1000) -> int:
        checks.check_integer("limit", limit, 1, checks.MAX_BATCH)
        control = self._store.ability(QueueControl)
        if control is None:
            return 0
        return await self._calls.call(lambda: control.lift(None, limit))

    async def age(self) -> int:
        self._calls.check()
        span = self._config.priority_ageing
        if span is None:
            return 0
        waiting = Sweep(self._store, self._calls, ageing.waiting_for(span))
        return await waiting.apply(ageing.aged, self._endings.moved)

    async def prune(self) -> int:
        return await self._pruning.prune()

    async def seen(self, worker: WorkerRecord) -> None:
        directory = self._store.ability(WorkerDirectory)
        if directory is not None:
            lasting = 3 * self._config.job_claim_timeout
            await self._calls.call(lambda: directory.seen(worker, lasting))

    async def gone(self, worker_id: str) -> None:
        directory = self._store.ability(WorkerDirectory)
        if directory is not None:
            await self._calls.call(lambda: directory.gone(worker_id))

    async def workers(self) -> list[WorkerRecord]:
        return await self._calls.call(self._ability(WorkerDirectory).workers)

    async def turn(self, duty: str, interval: timedelta) -> bool:
        directory = self._store.ability(WorkerDirectory)
        if directory is None:
            return True
        return await self._calls.call(lambda: directory.turn(duty, interval))

    async def wait(
        self,
        worker: str,
        queues: Sequence[str],
        timeout: timedelta,  # noqa: ASYNC109 - the protocol's
    ) -> bool:
        self._calls.check()
        return await self._polling.wait(worker, queues, timeout)

    def _ability(self, kind: type[A]) -> A:
        found = self._store.ability(kind)
        if found is None:
            raise UnsupportedError(self._store_name, kind.__name__)
        return found

    async def _kept_schedules(self) -> list[Schedule]:
        kept = self._store.ability(ScheduleStore)
        return [] if kept is None else await self._recurring.all()

    async def _lift(self, holders: Sequence[str]) -> None:
        control = self._ability(QueueControl)
        while await self._calls.call(lambda: control.lift(holders, BATCH)) == BATCH:
            pass


@asynccontextmanager
async def open_manager(
    url: str | None = None,
    config: JobcoreConfig | None = None,
    *,
    instrumentation: Instrumentation | None = None,
) -> AsyncIterator[DefaultJobManager]:
    """Open the store that *url*, else the configuration, names, and a manager on it;
    close both. UnknownStoreError where no installed distribution has such a store."""
    chosen = config or JobcoreConfig()
    async with (
        store_from_url(chosen.store_url if url is None else url) as store,
        DefaultJobManager(store, chosen, instrumentation=instrumentation) as manager,
    ):
        yield manager


def _checked_filter(filter: Filter) -> Filter:  # noqa: A002 - the word of the contract
    checks.check_labels("labels", filter.labels)
    for each in filter.ids or ():
        checks.check_id("id", each)
    return filter


def _id_of(job: Job[Any] | str) -> str:
    if isinstance(job, Job):
        return job.id
    try:
        return checks.check_id("id", job)
    except InvalidJobError:
        raise JobNotFoundError(job) from None


def _named(queue: str | None, task: str | None, schedule: str | None) -> dict[str, str]:
    """The queue and the task, checked like the schedule; one of the three is there."""
    given = {"queue": queue, "task": task, "schedule": schedule}
    named = {
        kind: checks.check_name(kind, name)
        for kind, name in given.items()
        if name is not None
    }
    if not named:
        raise InvalidJobError("queue, task or schedule", "must be named")
    named.pop("schedule", None)
    return named
