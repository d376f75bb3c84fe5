"""The SQL store: the contract over functions that each run in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    DueSchedules,
    Examinable,
    Explainable,
    Filter,
    Finding,
    Inserted,
    InsertStatement,
    InTransaction,
    Job,
    JobStatus,
    JobStore,
    Limit,
    Limited,
    NewJob,
    Page,
    Paused,
    Promotion,
    QueueControl,
    Renewal,
    ScheduleRecord,
    ScheduleStore,
    StatementStore,
    Statistics,
    TransactionalStore,
    Transition,
    TrialStore,
    UnsupportedError,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore_sql import (
    control,
    directory,
    explain,
    faults,
    find,
    gate,
    renew,
    schedules,
    schema,
)
from jobcore_sql.address import address
from jobcore_sql.apply import apply
from jobcore_sql.claim import claim, nothing_queued
from jobcore_sql.counting import statistics
from jobcore_sql.database import database
from jobcore_sql.examine import examine
from jobcore_sql.insert import insert
from jobcore_sql.options import SQLOptions
from jobcore_sql.promote import next_due_at, nothing_due, promote
from jobcore_sql.single import SINGLE
from jobcore_sql.single.claim import UnfinishedClaim
from jobcore_sql.trial import trial
from jobcore_sql.verify import verify

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # needs an extra

A = TypeVar("A")
T = TypeVar("T")

_OF_SERVERS: Final[Set[type[Any]]] = {TransactionalStore, StatementStore}
"""The abilities that not every database has."""


class SQLJobStore(
    JobStore,
    QueueControl,
    WorkerDirectory,
    ScheduleStore,
    Explainable,
    Examinable,
    Verifiable,
    TransactionalStore,
    StatementStore,
    TrialStore,
):
    """Keeps jobs in a SQL database: a file of SQLite, PostgreSQL, MariaDB, or MySQL.

    The URL is SQLAlchemy's, such as `sqlite+aiosqlite:///jobs.db`,
    `postgresql+asyncpg://user@host/database` or `mysql+asyncmy://user@host/database`.
    Any number of processes of one host may share a file. Only servers have the ability
    `TransactionalStore`. The query of the URL may have options, each after
    `jobcore_`, as in `?jobcore_schema=jobs`.

    In the place of a URL stands an `AsyncEngine` of the host's on asyncpg or asyncmy.
    Its pool is then used, of which one connection is kept for renewing leases; nothing
    is set on its connections but within transactions, and it is not closed. Such a
    store has no `TrialStore`.
    """

    def __init__(
        self, url: str | AsyncEngine, options: SQLOptions | None = None
    ) -> None:
        self.options: SQLOptions = options or SQLOptions()
        self._url = url if isinstance(url, str) else None
        if isinstance(url, str):
            given, self.options = address(url, self.options)
            self._database = database(given, self.options)
        else:
            self._database = database(url, self.options)
        self._idle = True  # the last claim found nothing, nor may the next
        # Where the next batch of a long deletion begins. What earlier ones deleted is
        # in the index until a vacuum, and reading past it takes longer and longer. What
        # was locked meanwhile is found by the next deletion.
        self._swept: tuple[Filter | None, datetime | None] = (None, None)

    async def __aenter__(self) -> Self:
        await self._database.open(schema.check)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._database.close()

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        if not jobs:
            return []
        inserted = await self._write(insert, jobs)
        self._wake_for(inserted)
        return inserted

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._read(partial(find.get, with_attempts=attempts), ids)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        look = nothing_queued if self._idle else None
        found: ClaimResult | UnfinishedClaim = await self._write(
            claim, request, unless=look
        )
        result = await self._finished(found)
        self._idle = not result.claims
        return result

    async def _finished(self, found: ClaimResult | UnfinishedClaim) -> ClaimResult:
        if isinstance(found, ClaimResult):
            return found
        more = await self._database.write(
            lambda transaction: claim(transaction, found.left), self.offset
        )
        examined = len(found.taken) + more.examined
        return replace(more, claims=found.taken + more.claims, examined=examined)

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        if not transitions:
            return []
        answers = await self._write(apply, transitions)
        if any(map(_wakes, transitions, answers)):
            self._database.waker.wake(None)
        return answers

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        if not claims:
            return Renewal()
        return await self._database.renew(
            lambda transaction: renew.renew(transaction, claims, lease), self.offset
        )

    async def expired(self, limit: int) -> list[Claim]:
        return await self._glance(renew.expired, limit)

    async def promote(self, limit: int) -> Promotion:
        promotion = await self._write(promote, limit, unless=nothing_due)
        if promotion.promoted:
            self._database.waker.wake(None)
        await self._database.fold()
        return promotion

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        return await self._read(find.find, filter, cursor, limit)

    async def statistics(self) -> Statistics:
        return await self._read(statistics)

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        swept, until = self._swept
        since = until if swept == filter else None
        deletion = await self._write(
            find.delete, filter, limit, since, unless=find.nothing_to_delete
        )
        full = deletion.count == limit
        self._swept = (filter, deletion.until) if full else (None, None)
        return deletion.count

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout.total_seconds()
        await self._database.waker.wait(queues, worker, timeout)
        if loop.time() < until:  # there is news, which a look would only hold up
            self._idle = False

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        await self._write(control.pause, _named(queue=queue, task=task))

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        await self._write(control.resume, _named(queue=queue, task=task))
        self._database.waker.wake(None)

    async def paused(self) -> Paused:
        return await self._read(gate.paused)

    async def limit(self, key: str, limit: Limit | None) -> None:
        await self._write(control.limit, key, limit)

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = await self._write(
            control.lift, holders, limit, unless=control.nothing_held
        )
        if lifted:
            self._database.waker.wake(None)
        return lifted

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        await self._write(directory.seen, worker, expires_in)

    async def gone(self, worker_id: str) -> None:
        self._database.waker.forget(worker_id)
        await self._write(directory.gone, worker_id)

    async def workers(self) -> list[WorkerRecord]:
        return await self._read(directory.alive)

    async def turn(self, duty: str, interval: timedelta) -> bool:
        return await self._write(
            directory.turn, duty, interval, unless=directory.not_due
        )

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        return await self._glance(schedules.kept, names)

    async def due_schedules(self, limit: int) -> DueSchedules:
        return await self._glance(schedules.due_schedules, limit)

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        inserted = await self._write(schedules.fire, schedule, expected, jobs)
        self._wake_for(inserted or ())
        return inserted

    async def unschedule(self, name: str) -> bool:
        return await self._write(schedules.unschedule, name)

    async def clock(self) -> datetime:
        return await self._glance(attrgetter("now"))

    async def ahead(self, job_id: str, most: int) -> int | None:
        return await self._read(explain.ahead, job_id, most)

    async def next_due_at(self) -> datetime | None:
        return await self._glance(next_due_at)

    async def limited(self, key: str, most: int) -> Limited:
        return await self._read(explain.limited, key, most)

    async def examine(self) -> list[Finding]:
        found = await self._database.look(examine)
        if await self._database.waker.hears():
            return found
        return [*found, Finding(faults.DEAF)]

    async def verify(self) -> Verification:
        return await self._read(verify)

    def using(self, connection: object) -> InTransaction:
        found = self._database.using(connection, self.offset)
        return self._supported(found, TransactionalStore)

    def insert_statement(self, jobs: Sequence[NewJob]) -> InsertStatement:
        found = self._database.insert_statement(jobs, self.offset)
        return self._supported(found, StatementStore)

    def trial(self) -> AbstractAsyncContextManager[str]:
        return trial(self._supported(self._url, TrialStore))

    def ability(self, kind: type[A]) -> A | None:
        if kind is TrialStore and self._url is None:
            return None
        if kind in _OF_SERVERS and kind not in self._database.abilities:
            return None
        return super().ability(kind)

    def _wake_for(self, inserted: Sequence[Inserted]) -> None:
        queues = {
            each.job.queue
            for each in inserted
            if each.created and each.job.status is JobStatus.QUEUED
        }
        if queues:
            self._database.waker.wake(queues)

    def _supported(self, found: T | None, kind: type[Any]) -> T:
        if found is None:
            raise UnsupportedError(type(self).__name__, kind.__name__)
        return found

    async def _read(self, verb: Callable[..., T], *arguments: object) -> T:
        return await self._database.read(
            lambda transaction: verb(transaction, *arguments), self.offset
        )

    async def _glance(self, verb: Callable[..., T], *arguments: object) -> T:
        return await self._database.glance(
            lambda transaction: verb(transaction, *arguments), self.offset
        )

    async def _write(
        self,
        verb: Callable[..., T],
        *arguments: object,
        unless: Callable[..., T | None] | None = None,
    ) -> T:
        """Run *verb* in a writing transaction, unless a look without the lock, or else
        a single statement, has the answer already."""
        single = SINGLE.get(verb)
        return await self._database.write(
            lambda transaction: verb(transaction, *arguments),
            self.offset,
            unless=unless and (lambda transaction: unless(transaction, *arguments)),
            single=single and (lambda queries: single(queries, *arguments)),
        )


def _wakes(transition: Transition, answer: Answer) -> bool:
    return answer is Answer.APPLIED and bool(
        transition.cancel or transition.status is JobStatus.QUEUED
    )


def _named(**names: str | None) -> dict[str, str]:
    return {kind: name for kind, name in names.items() if name is not None}
