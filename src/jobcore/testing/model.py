"""What a store must do, told a second time: a dictionary and rules, for comparison.

It shares nothing with any store, and with the lifecycle only its words. Its clock is
`now`, in whole hours since the machine began; a store is so much faster that the hour
in which something happened is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from jobcore.abilities import ScheduleRecord
from jobcore.attempt import Outcome
from jobcore.job import TERMINAL, WAITING, JobStatus, Limit, NewJob
from jobcore.transition import Answer

HOUR = timedelta(hours=1)
MAX_LOST = 3
QUEUES = ("one", "two")
TASKS = ("greet", "send")
SCHEDULES = ("hourly", "nightly")
UNLIMITED = 1000
KEYS: Final = {"acme": 1, "other": 2}
"""How many jobs of each limit key may run, by what the jobs carry."""

_S = JobStatus


@dataclass(slots=True)
class ModelJob:
    """A job as it should be. Only *due_at* is taken from the store, for the order."""

    new: NewJob
    status: JobStatus
    due: int
    due_at: datetime
    token: str | None = None
    receipt: tuple[str, Outcome | None] | None = None
    lease: int = 0
    held_by: str | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    generation: int = 0
    requested: bool = False
    ended: int | None = None
    outcome: Outcome | None = None
    filed: dict[int, Outcome] = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, datetime, str]:
        """Where it stands in the order of claims."""
        return self.new.priority, self.due_at, self.new.id

    def history(self) -> dict[int, Outcome]:
        """Every attempt that ended, but for the ones that were snoozed."""
        if self.status in TERMINAL and self.outcome is not None:
            return {**self.filed, self.attempt: self.outcome}
        return self.filed


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a claim: under which token, how, and what follows it."""

    token: str
    outcome: Outcome
    status: JobStatus
    delay: int | None = None
    failed: bool = False
    lost: bool = False
    expect: str | None = None
    forced: bool = False
    files: bool = True

    @property
    def receipt(self) -> tuple[str, Outcome | None]:
        return self.token, self.outcome


class Model:
    """All jobs, by id, all schedules, and what an operator said about queues, tasks and
    keys."""

    def __init__(self) -> None:
        self.now = 0
        self.jobs: dict[str, ModelJob] = {}
        self.schedules: dict[str, ScheduleRecord] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.controlled = True
        self.paused_queues: set[str] = set()
        self.paused_tasks: set[str] = set()
        self.overrides: dict[str, int] = {}
        self.highest: dict[str, int] = dict(KEYS)

    def having(self, *statuses: JobStatus) -> list[ModelJob]:
        """The jobs that have one of *statuses*, in the order of claims."""
        jobs = [job for job in self.jobs.values() if job.status in statuses]
        return sorted(jobs, key=lambda job: job.place)

    def insert(self, new: NewJob) -> str | None:
        """The id of the job that is there already, or None, and then it is new."""
        name = self._name(new)
        there = new.id if new.id in self.jobs else self.keys.get(name or ("", ""))
        if there is not None:
            return there
        due = self.now + int((new.delay or timedelta(0)) / HOUR)
        status = _S.SCHEDULED if due > self.now else _S.QUEUED
        status = status if new.held_by is None else _S.HELD
        unknown = datetime.max.replace(tzinfo=UTC)
        job = ModelJob(new, status, due, unknown, held_by=new.held_by)
        self.jobs[new.id] = job
        if name is not None and status in new.unique_scope:
            self.keys[name] = new.id
        return None

    def claim(self, token: str, queues: tuple[str, ...], limit: int) -> list[str]:
        """The jobs a claim takes. It holds what it meets and may not start."""
        taken: list[str] = []
        for job in self.line(queues):
            if len(taken) == limit:
                break
            obstacle = self.obstacle(job)
            if obstacle is None:
                self.start(job, token)
                taken.append(job.new.id)
            else:
                self.hold(job, obstacle)
        return taken

    def start(self, job: ModelJob, token: str) -> None:
        """Let a claim take the job."""
        job.token, job.outcome, job.lease = token, None, self.now + 2
        job.attempt += 1
        self.move(job, _S.IN_PROGRESS)

    def line(self, queues: tuple[str, ...]) -> Iterator[ModelJob]:
        """What a claim from *queues* meets, in its order."""
        for queue in queues:
            if queue not in self.paused_queues:
                queued = self.having(_S.QUEUED)
                yield from (job for job in queued if job.new.queue == queue)

    def obstacle(self, job: ModelJob) -> str | None:
        """Why the job may not start now, on a store with `QueueControl`."""
        if not self.controlled:
            return None
        if job.new.task in self.paused_tasks:
            return f"task:{job.new.task}"
        key = job.new.limit_key
        if key is None or self.places(job) > 0:
            return None
        return f"limit:{key}"

    def places(self, job: ModelJob) -> int:
        """How many more jobs of the key of *job* may start."""
        key = job.new.limit_key or ""
        concurrency = self.overrides.get(key, KEYS[key])
        running = self.having(_S.IN_PROGRESS)
        return concurrency - sum(other.new.limit_key == key for other in running)

    def override(self, key: str, limit: Limit | None) -> None:
        """Let *limit* stand for the jobs of *key*."""
        self.overrides.pop(key, None)
        if limit is not None:
            most = UNLIMITED if limit.concurrency is None else limit.concurrency
            self.overrides[key] = most
            self.highest[key] = max(self.highest[key], most)

    def most(self, key: str) -> int:
        """How many jobs of *key* may run, by the highest limit that ever stood."""
        return self.highest[key] if self.controlled else UNLIMITED

    def hold(self, job: ModelJob, obstacle: str) -> None:
        self.move(job, _S.HELD)
        job.held_by = obstacle

    def end(self, job_id: str, end: End) -> Answer:
        """End a claim, if it is still the current one."""
        job = self.jobs.get(job_id)
        if job is None:
            return Answer.MISSING
        if job.receipt == end.receipt:
            return Answer.APPLIED
        if job.token is None or job.token != (end.expect or end.token):
            return Answer.TOKEN
        if end.lost and job.lease > self.now:
            return Answer.LEASE
        if job.requested and not end.forced:
            return Answer.CANCEL_REQUEST
        self._end(job, end)
        return Answer.APPLIED

    def renew(self, tokens: dict[str, str], hours: int) -> tuple[set[str], set[str]]:
        """Whose leases end later now, and which of them are asked to end."""
        mine = [
            job
            for job in self.having(_S.IN_PROGRESS)
            if tokens.get(job.new.id) == job.token
        ]
        for job in mine:
            job.lease = max(job.lease, self.now + hours)
        requested = {job.new.id for job in mine if job.requested}
        return {job.new.id for job in mine}, requested

    def next_due_in(self) -> int | None:
        """In how many hours the next job is due."""
        due = [job.due for job in self.having(_S.SCHEDULED)]
        return max(min(due) - self.now, 0) if due else None

    def cancel(self, job: ModelJob, token: str) -> None:
        """Call off what waits; request it of what runs."""
        if job.status is _S.IN_PROGRESS:
            job.requested = True
        else:
            job.receipt = token, Outcome.CANCELED
            self.move(job, _S.CANCELED)

    def retry(self, job: ModelJob, token: str) -> Answer:
        """Start a terminal job anew, if its unique key is free or its own."""
        name = self._name(job.new)
        if name is not None and self.keys.setdefault(name, job.new.id) != job.new.id:
            return Answer.UNIQUE_KEY
        job.filed, job.receipt = job.history(), (token, None)
        job.failures = job.losses = 0
        job.generation += 1
        job.requested, job.due = False, self.now
        self.move(job, _S.QUEUED)
        return Answer.APPLIED

    def move(self, job: ModelJob, status: JobStatus) -> None:
        """Give the job its new status, and away what it cannot keep in it."""
        job.status, job.held_by = status, None
        job.ended = self.now if status in TERMINAL else None
        if status is not _S.IN_PROGRESS:
            job.token = None
        name = self._name(job.new)
        mine = name is not None and self.keys.get(name) == job.new.id
        if name is not None and mine and status not in job.new.unique_scope:
            del self.keys[name]

    def delete(self, statuses: frozenset[JobStatus]) -> int:
        """Delete every job that has one of *statuses* and does not run."""
        gone = self.having(*(statuses & (WAITING | TERMINAL)))
        for job in gone:
            del self.jobs[job.new.id]
        held = self.keys.items()
        self.keys = {name: holder for name, holder in held if holder in self.jobs}
        return len(gone)

    def _end(self, job: ModelJob, end: End) -> None:
        job.receipt = end.receipt
        job.failures += end.failed
        job.losses += end.lost
        status = end.status
        if end.delay is not None:
            job.due = self.now + end.delay
            status = _S.SCHEDULED if end.delay else _S.QUEUED
        if end.files:
            job.outcome = end.outcome
        if end.files and status not in TERMINAL:
            job.filed = {**job.filed, job.attempt: end.outcome}
        self.move(job, status)

    @staticmethod
    def _name(new: NewJob) -> tuple[str, str] | None:
        return None if new.unique_key is None else (new.task, new.unique_key)
