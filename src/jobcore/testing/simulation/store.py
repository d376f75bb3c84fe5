"""The store as one simulated process sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from jobcore.abilities import (
    DueSchedules,
    Paused,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.errors import UnsupportedError
from jobcore.identity import Tick, tick_id
from jobcore.job import Inserted, Job, Limit, NewJob
from jobcore.query import Filter, Page, Statistics
from jobcore.store import JobStore
from jobcore.testing.simulation.history import Firing
from jobcore.testing.simulation.process import Process
from jobcore.testing.simulation.server import Server
from jobcore.transition import Answer, Transition

A = TypeVar("A")
T = TypeVar("T")


class SimulatedStore(
    JobStore, QueueControl, WorkerDirectory, ScheduleStore, Verifiable
):
    """Passes every call of one process on to the server. It has the abilities that the
    store behind it has."""

    def __init__(self, server: Server, process: Process) -> None:
        self._server = server
        self._process = process

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        inner = self._server.store
        return await self._call("insert", jobs, lambda: inner.insert(jobs))

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        inner = self._server.store
        return await self._call("get", ids, lambda: inner.get(ids, attempts=attempts))

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        inner = self._server.store
        again = replace(request, repeated=True)
        return await self._call(
            "claim", request, lambda: inner.claim(request), lambda: inner.claim(again)
        )

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        inner = self._server.store
        return await self._call("apply", transitions, lambda: inner.apply(transitions))

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        inner = self._server.store
        return await self._call("renew", claims, lambda: inner.renew(claims, lease))

    async def expired(self, limit: int) -> list[Claim]:
        inner = self._server.store
        return await self._call("expired", limit, lambda: inner.expired(limit))

    async def promote(self, limit: int) -> Promotion:
        inner = self._server.store
        return await self._call("promote", limit, lambda: inner.promote(limit))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        inner = self._server.store
        return await self._call(
            "find", filter, lambda: inner.find(filter, cursor, limit)
        )

    async def statistics(self) -> Statistics:
        return await self._call("statistics", None, self._server.store.statistics)

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        inner = self._server.store
        return await self._call("delete", filter, lambda: inner.delete(filter, limit))

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:  # noqa: ARG002 - ids tell nothing here
        return self._server.new_id() if tick is None else tick_id(tick)

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        if self._server.misses_a_hint():
            await asyncio.sleep(timeout.total_seconds())
        else:
            await self._server.store.wait(queues, worker, timeout)

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        inner, asked = self._ability(QueueControl), {"queue": queue, "task": task}
        await self._call("pause", asked, lambda: inner.pause(queue=queue, task=task))

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        inner, asked = self._ability(QueueControl), {"queue": queue, "task": task}
        await self._call("resume", asked, lambda: inner.resume(queue=queue, task=task))

    async def paused(self) -> Paused:
        inner = self._ability(QueueControl)
        return await self._call("paused", None, inner.paused)

    async def limit(self, key: str, limit: Limit | None) -> None:
        inner = self._ability(QueueControl)
        await self._call("limit", (key, limit), lambda: inner.limit(key, limit))

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        inner = self._ability(QueueControl)
        return await self._call("lift", holders, lambda: inner.lift(holders, limit))

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        inner = self._ability(WorkerDirectory)
        await self._call("seen", worker, lambda: inner.seen(worker, expires_in))

    async def gone(self, worker_id: str) -> None:
        inner = self._ability(WorkerDirectory)
        await self._call("gone", worker_id, lambda: inner.gone(worker_id))

    async def workers(self) -> list[WorkerRecord]:
        inner = self._ability(WorkerDirectory)
        return await self._call("workers", None, inner.workers)

    async def turn(self, duty: str, interval: timedelta) -> bool:
        inner = self._ability(WorkerDirectory)
        return await self._call("turn", duty, lambda: inner.turn(duty, interval))

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        inner = self._ability(ScheduleStore)
        return await self._call("schedules", names, lambda: inner.schedules(names))

    async def due_schedules(self, limit: int) -> DueSchedules:
        inner = self._ability(ScheduleStore)
        return await self._call(
            "due_schedules", limit, lambda: inner.due_schedules(limit)
        )

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        inner = self._ability(ScheduleStore)
        asked = Firing(schedule, expected, jobs)
        return await self._call(
            "fire", asked, lambda: inner.fire(schedule, expected, jobs)
        )

    async def unschedule(self, name: str) -> bool:
        inner = self._ability(ScheduleStore)
        return await self._call("unschedule", name, lambda: inner.unschedule(name))

    async def verify(self) -> Verification:
        inner = self._ability(Verifiable)
        return await self._call("verify", None, inner.verify)

    def ability(self, kind: type[A]) -> A | None:
        if self._server.store.ability(kind) is None:
            return None
        return super().ability(kind)

    def _ability(self, kind: type[A]) -> A:
        inner = self._server.store
        found = inner.ability(kind)
        if found is None:
            raise UnsupportedError(type(inner).__name__, kind.__name__)
        return found

    async def _call(
        self,
        verb: str,
        asked: Any,
        act: Callable[[], Awaitable[T]],
        again: Callable[[], Awaitable[T]] | None = None,
    ) -> T:
        answer: T = await self._server.call(self._process, verb, asked, act, again)
        return answer
