"""What a job manager offers to hosts and workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar, overload

from pydantic import TypeAdapter
from typing_extensions import Unpack

from jobcore.abilities import InsertStatement, WorkerRecord
from jobcore.attempt import Outcome
from jobcore.claim import Claim, ClaimResult, Promotion, Renewal
from jobcore.config import JobcoreConfig
from jobcore.details import Details
from jobcore.events import Events
from jobcore.explanation import Explanation
from jobcore.finding import Finding
from jobcore.health import Health, HealthChecks
from jobcore.instrumentation import Instrumentation
from jobcore.job import Job, JobStatus, Limit
from jobcore.matching import Matching
from jobcore.query import Filter, Page, Statistics
from jobcore.recurrence import Cron, Every
from jobcore.report import Report
from jobcore.request import JobRequest, SubmitOptions
from jobcore.retry import RetryStrategy
from jobcore.schedule import Fired, Schedule
from jobcore.sweeping import OnProgress

R = TypeVar("R")


class JobTransaction(Protocol):
    """What a manager does within a transaction of the host's: it counts if, and when,
    that commits. Nothing is repeated here, as only the host can repeat it all."""

    async def submit(
        self, request: JobRequest[R], **options: Unpack[SubmitOptions]
    ) -> Job[R]:
        """As `JobManager.submit`. Workers are woken by the commit."""
        ...

    async def submit_many(
        self, requests: Iterable[JobRequest[R]], **options: Unpack[SubmitOptions]
    ) -> list[Job[R]]:
        """As `JobManager.submit_many`, all in one batch."""
        ...

    async def complete(
        self,
        claim: Claim,
        result: object = None,
        result_type: TypeAdapter[Any] | None = None,
    ) -> JobStatus:
        """As `JobManager.complete`. JobConflictError where another transaction has the
        job, and goes on having it for more than half a second."""
        ...


class JobManager(Protocol):
    """Decides everything that happens to jobs; keeps none of them.

    Whatever returns has been stored, durably as far as the store is durable. Bad input
    is refused with InvalidJobError before anything is written, the same on every store.
    While the store is unavailable a call is repeated, with one effect, and raises
    StoreUnavailableError when that takes too long. Cancelling a call ends the wait;
    what it asked for may have happened.
    """

    @property
    def config(self) -> JobcoreConfig: ...

    events: Events
    """What happens here and in the workers of this manager: `events.subscribe`."""

    instrumentation: Instrumentation
    """What measures and traces it and its workers."""

    health_checks: HealthChecks
    """The workers that have it, asked for their health."""

    async def health(self) -> Health:
        """How it is, and its workers in this process. It is told at once, or where
        there is no worker, after a call to the store that takes no longer than two
        seconds; nothing is raised."""
        ...

    async def submit(
        self, request: JobRequest[R], **options: Unpack[SubmitOptions]
    ) -> Job[R]:
        """Store a job for *request*. Where its unique key is held, returns the job that
        holds it, with `is_duplicate`. Concurrent submits share their round trips."""
        ...

    async def submit_many(
        self, requests: Iterable[JobRequest[R]], **options: Unpack[SubmitOptions]
    ) -> list[Job[R]]:
        """Store a job for each request, in order, in batches of 1,000; each batch is
        stored as a whole or not at all, within each partition where the store has such,
        and nothing is if one request is invalid."""
        ...

    def using(self, connection: object) -> JobTransaction:
        """The manager within the transaction that is open on *connection*, a connection
        or session of the kind that the store works with. UnsupportedError where the
        store has no transactions; ask with `require` at start-up."""
        ...

    def insert_statement(
        self, requests: Iterable[JobRequest[Any]], **options: Unpack[SubmitOptions]
    ) -> InsertStatement:
        """What stores a job for each request when the host executes it, with a driver
        of its own, in its own transaction. Jobs whose unique key is held are left out;
        InvalidJobError where there is no request.
        The manager need not be open; UnsupportedError where the store has no SQL that
        could do it, see `require`."""
        ...

    def require(self, ability: type[Any]) -> None:
        """UnsupportedError where the store lacks *ability*, such as
        `TransactionalStore`."""
        ...

    @overload
    async def get(self, job: Job[R], *, attempts: bool = False) -> Job[R]: ...
    @overload
    async def get(self, job: str, *, attempts: bool = False) -> Job[Any]: ...
    async def get(self, job: Job[Any] | str, *, attempts: bool = False) -> Job[Any]:
        """The job as it is now, on demand with its attempts; JobNotFoundError."""
        ...

    async def find(
        self,
        filter: Filter | None = None,  # noqa: A002 - the word of the contract
        *,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """A page of matching jobs, the newest first; go on with the page's cursor."""
        ...

    async def statistics(self) -> Statistics:
        """Exact counts of all jobs by queue and status."""
        ...

    async def explain(self, job: Job[Any] | str) -> Explanation:
        """Why *job* is not running, or what became of it: one cause, what that is made
        of, and a sentence. JobNotFoundError.

        Of several causes it names the one that must change first, in the order in which
        a job goes on: it becomes due and is promoted; what holds it lets go; its queue
        and its task are not paused; a worker asks for its queue, and has its task;
        those before it are claimed; its limit has room, and its rate a place. It is a
        look, not a snapshot: the answer is made of several reads, and the job may move
        on between them. What the store has no ability for is left out.
        """
        ...

    async def examine(self, *, thoroughly: bool = False) -> list[Finding]:
        """What is wrong with the store, its server, or the workers, problems before
        advice; nothing where all is well. It changes nothing, and takes some round
        trips; *thoroughly* it reads everything besides (`Verifiable.verify`). A store
        that is not to be had is a finding, too, and no error."""
        ...

    async def result(self, job: Job[R], timeout: timedelta | None = None) -> R:  # noqa: ASYNC109 - part of the promise: TimeoutError
        """Wait until *job* has ended, and return what its task returned.

        Raises JobFailedError, JobCanceledError, JobNotFoundError (it was deleted), and
        TimeoutError. Results of workers in this process come at once; else the store is
        asked after 20 ms and ever less often, down to the polling interval.
        """
        ...

    async def cancel(self, job: Job[Any] | str) -> JobStatus:
        """Call a job off. A waiting one is `canceled` when this returns; of one that is
        `in_progress` it is requested, its worker learns it with the next renewal or
        sooner. JobConflictError where it has completed or failed."""
        ...

    async def retry(
        self, job: Job[R] | str, arguments: Mapping[str, Any] | None = None
    ) -> Job[R]:
        """Start a terminal job anew, with all its retries, and with other *arguments*
        if some are given. JobConflictError where it is not terminal, or another job
        holds its unique key now."""
        ...

    def matching(
        self,
        filter: Filter,  # noqa: A002 - the word of the contract
        *,
        actor: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Matching:
        """All jobs that match *filter*, to count, cancel, retry, move, approve or
        delete them. Who does it, the *actor*, is logged, told with the events, and
        kept by jobs that wait or are terminal as `details.acts`; *on_progress* is told
        after each batch how many are done so far."""
        ...

    async def delete(self, job: Job[Any] | str) -> None:
        """Delete a job and its attempts; JobConflictError while it is in progress."""
        ...

    async def schedule(
        self,
        name: str,
        request: JobRequest[Any],
        recurrence: Cron | Every,
        *,
        declared: bool = False,
    ) -> Schedule:
        """Let a job be made of *request* for each tick of *recurrence*, by whichever
        manager does upkeep, one for each tick however many there are. Where there is a
        schedule of this name it is changed, and what it has gone through stays; saying
        the same again changes nothing. Its jobs have the labels `schedule` and `tick`.
        One that is *declared* is removed by workers whose tasks declare it no more.
        UnsupportedError where the store has no `ScheduleStore`."""
        ...

    async def unschedule(self, name: str) -> None:
        """Remove a schedule; its jobs stay. ScheduleNotFoundError."""
        ...

    async def schedules(self) -> list[Schedule]:
        """All schedules, by name."""
        ...

    async def trigger(
        self, name: str, *, key: str | None = None, **options: Unpack[SubmitOptions]
    ) -> Job[Any]:
        """Submit a job of a schedule now, whatever its ticks are, paused or not, with
        *options* before its own; what it says of overlaps holds for this job, too.
        However often it is asked for with the same *key*, there is one job, as long as
        that is kept. ScheduleNotFoundError."""
        ...

    async def pause(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        schedule: str | None = None,
    ) -> None:
        """Start no more jobs of a queue or a task, or let a schedule have no ticks.
        What runs goes on. ScheduleNotFoundError."""
        ...

    async def resume(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        schedule: str | None = None,
    ) -> None:
        """End a pause; the jobs it held are queued again when this returns. A schedule
        goes on with the first tick that is to come."""
        ...

    async def limit(self, key: str, limit: Limit | None) -> None:
        """Let *limit* stand for a limit key, whatever its jobs carry; None ends that.
        What a task's own limit is called: `task:<name>`."""
        ...

    async def claim(
        self, worker: str, queues: Sequence[str], limit: int
    ) -> ClaimResult:
        """Take up to *limit* jobs for *worker*, for the lease of the configuration.
        If the caller is cancelled, what the claim brings is released."""
        ...

    async def renew(self, claims: Sequence[Claim]) -> Renewal:
        """Extend the leases of *claims*, and learn which are lost or to be canceled."""
        ...

    async def report(self, reports: Sequence[Report]) -> list[JobStatus | Exception]:
        """End many claims, as a worker does it, in one write of the store where it can.
        Answers each, in order, with the status of its job now or the error that the
        verb for one (`complete`, `fail`, `release`, `snooze`, `acknowledge`) raises.
        Those verbs try again while somebody's transaction locks the job; here that is
        answered at once, with JobConflictError, and worth another report."""
        ...

    async def complete(
        self,
        claim: Claim,
        result: object = None,
        result_type: TypeAdapter[Any] | None = None,
    ) -> JobStatus:
        """End a claim: the job is done. ClaimLostError where the claim was not current
        any more. A result that is no JSON is stored as its nearest likeness."""
        ...

    async def fail(
        self,
        claim: Claim,
        error: BaseException,
        *,
        outcome: Outcome = Outcome.FAILED,
        retry: RetryStrategy | None = None,
    ) -> JobStatus:
        """End a claim: the attempt failed. The job is tried again where a retry is left
        and the strategy wants it. ClaimLostError."""
        ...

    async def note(self, claim: Claim, details: Details) -> None:
        """Store what the job of a claim carries from now on; it goes on.
        ClaimLostError."""
        ...

    async def release(self, claim: Claim, delay: timedelta | None = None) -> JobStatus:
        """Give a job back unfinished, now or after a delay, spending nothing; where a
        cancellation is requested, that ends it. ClaimLostError."""
        ...

    async def snooze(self, claim: Claim, delay: timedelta) -> JobStatus:
        """End a claim: the job is to run later, and spends nothing. ClaimLostError."""
        ...

    async def acknowledge(self, claim: Claim) -> JobStatus:
        """End a claim whose job was to be canceled, once it has stopped."""
        ...

    async def promote_due_jobs(self, limit: int = 1000) -> Promotion:
        """Queue the scheduled jobs that are due."""
        ...

    async def wait_for_scheduled(self, timeout: timedelta) -> None:  # noqa: ASYNC109 - it returns in time, it never raises
        """Return when this manager has made a job `scheduled`, so that another one may
        be due next, at the latest after *timeout*."""
        ...

    async def fire_due_schedules(self) -> Fired:
        """Make the jobs of the ticks that have come since anybody looked."""
        ...

    async def wait_for_schedules(self, timeout: timedelta) -> None:  # noqa: ASYNC109 - it returns in time, it never raises
        """Return when this manager has written a schedule, so that another one may be
        due next, at the latest after *timeout*."""
        ...

    async def release_stale_claims(self, limit: int = 1000) -> int:
        """End claims whose lease ran out; their jobs return after a delay, or fail with
        the reason `lost` when that happened too often. Says how many."""
        ...

    async def lift_held_jobs(self, limit: int = 1000) -> int:
        """Queue held jobs that may start now."""
        ...

    async def age(self) -> int:
        """Make queued jobs more urgent that have waited for `priority_ageing`."""
        ...

    async def prune(self) -> int:
        """Delete finished jobs that are older than their retention."""
        ...

    async def seen(self, worker: WorkerRecord) -> None:
        """Enter a worker into the directory for three leases, if the store has one."""
        ...

    async def gone(self, worker_id: str) -> None:
        """Strike a worker out of the directory."""
        ...

    async def workers(self) -> list[WorkerRecord]:
        """The workers that live now; UnsupportedError without a directory."""
        ...

    async def turn(self, duty: str, interval: timedelta) -> bool:
        """Whether a duty of the fleet is this caller's now."""
        ...

    async def wait(
        self,
        worker: str,
        queues: Sequence[str],
        timeout: timedelta,  # noqa: ASYNC109 - a hint returns in time, it never raises
    ) -> bool:
        """Wait for a hint that there may be work, and say whether one came. Without one
        it ends when no worker of this manager has asked for *queues* for *timeout*."""
        ...
