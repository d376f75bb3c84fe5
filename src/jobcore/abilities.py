"""What a store may be able to do besides, each asked for with `JobStore.ability`.

The rules of `jobcore.store` hold for these methods, too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from jobcore.finding import Finding
from jobcore.job import Inserted, Limit, NewJob
from jobcore.rate import Pace
from jobcore.transition import Answer, Transition


@dataclass(frozen=True, slots=True)
class Paused:
    """The names of what is paused."""

    queues: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()


class QueueControl(ABC):
    """Pausing, limits, and the lifting of what they hold.

    Claims pass by paused queues. What a claim meets and may not start leaves the queue
    in the same step. These are asked in this order, and the first that fails decides: a
    job of a paused task is `held` by `task:<name>`, a job whose limit key has no free
    place is `held` by `limit:<key>`, a job over the rate of its key becomes `scheduled`
    at an instant reserved for it. A key has a free place while fewer than `concurrency`
    of its jobs are `in_progress`; nothing else is counted. Each job is judged by the
    figures it carries, unless `limit` has set others for its key.

    A rate is enforced as a generic cell rate (ITU-T I.371): starts are at least
    `period / rate` apart, but for a `burst`. Only a start moves the instant that is
    enforced; reservations only spread the jobs that wait.
    """

    @abstractmethod
    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        """Pause a queue, a task, or both; what runs goes on."""

    @abstractmethod
    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        """End the pause. Held jobs wait for `lift`."""

    @abstractmethod
    async def paused(self) -> Paused:
        """What is paused now."""

    @abstractmethod
    async def limit(self, key: str, limit: Limit | None) -> None:
        """Let *limit* stand for all jobs of *key*, whatever they carry; None ends
        that. The pace of the key stays as it is."""

    @abstractmethod
    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        """Make up to *limit* held jobs `queued`, and say how many.

        Each of *holders* (all for None, none for an empty sequence) lets go of as many
        as it alone would let start: all for a task that is not paused, as many as there
        are free places for a key, by the figures of its first job; nothing else is
        asked. They go by priority, due time and id, and keep all three. What anything
        else holds, such as `approval`, stays held.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """What a worker tells of itself. The store sets `seen_at`."""

    id: str
    queues: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    concurrency: int = 0
    version: str = ""
    seen_at: datetime | None = None


class WorkerDirectory(ABC):
    """Which workers live, and whose turn a duty of the fleet is."""

    @abstractmethod
    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        """Enter or refresh *worker*, who is gone when not seen again in time."""

    @abstractmethod
    async def gone(self, worker_id: str) -> None:
        """Strike out a worker that stopped."""

    @abstractmethod
    async def workers(self) -> list[WorkerRecord]:
        """The workers that live now, by id."""

    @abstractmethod
    async def turn(self, duty: str, interval: timedelta) -> bool:
        """Whether *duty* is due: True for one caller per *interval*, who has it now. A
        turn that lies further ahead than that is due, as the clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """A schedule as a store keeps it. What its *data* say only the manager knows;
    *due_at* is its next tick, and *revision* is new with every write."""

    name: str
    revision: str
    data: bytes
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSchedules:
    """The schedules that are due, what the store's clock shows, and how long it is
    until the next of the others is due (None: none will be, zero: more are)."""

    now: datetime
    schedules: tuple[ScheduleRecord, ...] = ()
    next_due_in: timedelta | None = None


class ScheduleStore(ABC):
    """Schedules, and the jobs of their ticks: each is made once, whoever tries."""

    @abstractmethod
    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        """The schedules of these *names*, or all, by name; those that there are."""

    @abstractmethod
    async def due_schedules(self, limit: int) -> DueSchedules:
        """Up to *limit* schedules whose `due_at` has come, the earliest first."""

    @abstractmethod
    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        """Let *schedule* stand in the place of the one of its name, and insert *jobs*,
        in one step, if that one has the revision *expected*; for None, if there is
        none. Answers what `insert` does, and None where something else was expected;
        then nothing has changed. The same write coming again is answered as if it were
        made then, and makes no second job.

        Where a job lies in another partition than its schedule, it is inserted before
        the schedule is written: who is interrupted in between leaves a job that is met
        by the next who fires, as ids derive from ticks.
        """

    @abstractmethod
    async def unschedule(self, name: str) -> bool:
        """Remove a schedule, and say whether there was one."""


class InTransaction(Protocol):
    """What may be done to a store within a transaction of the host's. Both are as
    `JobStore` says, but that they count if, and when, the transaction commits."""

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]: ...

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]: ...


class TransactionalStore(ABC):
    """Storing in one transaction with the host's own rows."""

    @abstractmethod
    def using(self, connection: object) -> InTransaction:
        """The store within the transaction that is open on *connection*. Statements run
        on it, in the caller's task, and nothing is set, committed or closed there.
        Workers are woken by the commit. The calls raise InvalidJobError where there is
        no transaction, or no connection that the store knows."""


@dataclass(frozen=True, slots=True)
class InsertStatement:
    """An INSERT as text, with parameters of the form `%(name)s`. Its rows begin with
    the ids of those of *ids* that it stored."""

    sql: str
    parameters: Mapping[str, Any]
    ids: tuple[str, ...]


class StatementStore(ABC):
    """Storing by a driver that the store does not know."""

    @abstractmethod
    def insert_statement(self, jobs: Sequence[NewJob]) -> InsertStatement:
        """What stores *jobs*, wherever it is executed, in a transaction or without one;
        workers are woken by the commit. It leaves out those whose id or unique key is
        there. The store need not be open."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found wrong: a sentence per finding, by the name of the rule."""

    findings: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )

    @property
    def sound(self) -> bool:
        return not self.findings


class Verifiable(ABC):
    """Whether what is stored agrees with itself."""

    @abstractmethod
    async def verify(self) -> Verification:
        """Compare counts, indexes and invariants with the jobs themselves. Reads
        everything, changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """What a limit key is like: ids of its jobs that run, ascending; its pace; and the
    figures that `QueueControl.limit` has set for all of them, if any, or others of the
    same effect."""

    running: tuple[str, ...] = ()
    limit: Limit | None = None
    pace: Pace = field(default_factory=Pace)


class Explainable(ABC):
    """What it takes to tell why jobs wait. Each is cheap at any number of jobs."""

    @abstractmethod
    async def clock(self) -> datetime:
        """What the store's clock shows."""

    @abstractmethod
    async def ahead(self, job_id: str, most: int) -> int | None:
        """How many queued jobs of its queue come before a queued job, counted up to
        *most*; None where there is no such job, or it is not queued. A partitioned
        store counts those of its partition."""

    @abstractmethod
    async def next_due_at(self) -> datetime | None:
        """When the scheduled job is due that is due first; None where none waits."""

    @abstractmethod
    async def limited(self, key: str, most: int) -> Limited:
        """What the limit key is like, with up to *most* of its jobs that run."""


class Examinable(ABC):
    """What is wrong with the server that a store is kept by, or with how it is set."""

    @abstractmethod
    async def examine(self) -> list[Finding]:
        """What is found, nothing where all is well. It reads no job, and changes
        nothing."""


class TrialStore(ABC):
    """Room for trials at the place where the store is."""

    @abstractmethod
    def trial(self) -> AbstractAsyncContextManager[str]:
        """The URL of another store there, which is empty and shares nothing with any.
        It is gone when the context is left, by when nobody may have it open. This store
        need not be open itself."""
