"""Abilities whose calls are told to an observer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from jobcore.abilities import (
    DueSchedules,
    Examinable,
    Explainable,
    InTransaction,
    Limited,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    TransactionalStore,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.finding import Finding
from jobcore.job import Inserted, Limit, NewJob
from jobcore.transition import Answer, Transition
from jobcore.wrappers.observing import Watch


class ObservedControl(QueueControl):
    """Pauses, limits and liftings, told."""

    def __init__(self, wrapped: QueueControl, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        await self._watch("pause", self._wrapped.pause(queue=queue, task=task))

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        await self._watch("resume", self._wrapped.resume(queue=queue, task=task))

    async def paused(self) -> Paused:
        return await self._watch("paused", self._wrapped.paused())

    async def limit(self, key: str, limit: Limit | None) -> None:
        await self._watch("limit", self._wrapped.limit(key, limit))

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        return await self._watch("lift", self._wrapped.lift(holders, limit), int)


class ObservedDirectory(WorkerDirectory):
    """Who lives, and whose turn it is, told."""

    def __init__(self, wrapped: WorkerDirectory, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        await self._watch("seen", self._wrapped.seen(worker, expires_in))

    async def gone(self, worker_id: str) -> None:
        await self._watch("gone", self._wrapped.gone(worker_id))

    async def workers(self) -> list[WorkerRecord]:
        return await self._watch("workers", self._wrapped.workers())

    async def turn(self, duty: str, interval: timedelta) -> bool:
        return await self._watch("turn", self._wrapped.turn(duty, interval))


class ObservedSchedules(ScheduleStore):
    """Schedules, and the making of their jobs, told."""

    def __init__(self, wrapped: ScheduleStore, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        return await self._watch("schedules", self._wrapped.schedules(names))

    async def due_schedules(self, limit: int) -> DueSchedules:
        return await self._watch("due_schedules", self._wrapped.due_schedules(limit))

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        call = self._wrapped.fire(schedule, expected, jobs)
        return await self._watch("fire", call, len(jobs))

    async def unschedule(self, name: str) -> bool:
        return await self._watch("unschedule", self._wrapped.unschedule(name))


class ObservedExplaining(Explainable):
    """Why a job waits, told."""

    def __init__(self, wrapped: Explainable, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def clock(self) -> datetime:
        return await self._watch("clock", self._wrapped.clock())

    async def ahead(self, job_id: str, most: int) -> int | None:
        return await self._watch("ahead", self._wrapped.ahead(job_id, most))

    async def next_due_at(self) -> datetime | None:
        return await self._watch("next_due_at", self._wrapped.next_due_at())

    async def limited(self, key: str, most: int) -> Limited:
        return await self._watch("limited", self._wrapped.limited(key, most))


class ObservedExamination(Examinable):
    """What is wrong with the server, told."""

    def __init__(self, wrapped: Examinable, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def examine(self) -> list[Finding]:
        return await self._watch("examine", self._wrapped.examine())


class ObservedVerification(Verifiable):
    """Whether the store is sound, told."""

    def __init__(self, wrapped: Verifiable, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def verify(self) -> Verification:
        return await self._watch("verify", self._wrapped.verify())


class ObservedTransactions(TransactionalStore):
    """Stores within transactions of the host's, told."""

    def __init__(self, wrapped: TransactionalStore, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    def using(self, connection: object) -> InTransaction:
        return _ObservedTransaction(self._wrapped.using(connection), self._watch)


class _ObservedTransaction:
    def __init__(self, wrapped: InTransaction, watch: Watch) -> None:
        self._wrapped = wrapped
        self._watch = watch

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return await self._watch("insert", self._wrapped.insert(jobs), len(jobs))

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        call = self._wrapped.apply(transitions)
        return await self._watch("apply", call, len(transitions))
