"""The Redis store: the contract, spread over partitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from itertools import count
from operator import attrgetter
from types import TracebackType
from typing import Final, Self, TypeVar

from redis.asyncio import Redis, RedisCluster

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
    Statistics,
    Tick,
    Transition,
    TrialStore,
    UnsupportedError,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore_redis import merging
from jobcore_redis.calls import MOST
from jobcore_redis.claim import claim
from jobcore_redis.directory import Directory
from jobcore_redis.examine import examine
from jobcore_redis.insert import Insertion
from jobcore_redis.options import RedisOptions
from jobcore_redis.part import Message, News, Part
from jobcore_redis.parts import Parts
from jobcore_redis.schedules import Schedules
from jobcore_redis.server import Server
from jobcore_redis.trial import trial
from jobcore_redis.unique import FarKeys
from jobcore_redis.verify import verify
from jobcore_redis.wake import Waker

T = TypeVar("T")

_ALL: Final = ("*",)


class RedisJobStore(
    JobStore,
    QueueControl,
    WorkerDirectory,
    ScheduleStore,
    Explainable,
    Examinable,
    Verifiable,
    TrialStore,
):
    """Keeps jobs in Redis 6.2 or later, or in Valkey.

    The URL is `redis://host:port/number`, `rediss://` with TLS,
    `redis+sentinel://host:port,host:port/service` or `redis+cluster://host:port`, of
    which the query may have options, each after `jobcore_`, as in
    `?jobcore_namespace=mail`. In its place stands a client of the host's, which answers
    bytes and is not closed. Such a store has no `TrialStore`.
    """

    def __init__(
        self,
        url: str | Redis | RedisCluster,
        options: RedisOptions | None = None,
    ) -> None:
        self._url = url if isinstance(url, str) else None
        self._server = Server(url, options or RedisOptions())
        self._parts = Parts(self._server, lambda: self.offset)
        self._keys = FarKeys(self._server, self._parts)
        self._directory = Directory(self._parts)
        self._schedules = Schedules(self._server, self._parts, self._keys)
        self._waker = Waker(self._server)
        self._turn = count()

    @property
    def options(self) -> RedisOptions:
        return self._server.options

    async def __aenter__(self) -> Self:
        await self._server.open()
        self._parts.open()
        self._waker.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._waker.close()
        await self._server.close()

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:
        return self._server.partitions.named(super().new_id(job, tick), job, tick)

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        self._server.usable()
        now = {each.queue for each in jobs if each.due_at is None and not each.delay}
        message = self._waker.message(News(frozenset(now)))
        inserted = await Insertion(self._parts, self._keys, jobs, message).run()
        self._tell_of(inserted, message)
        return inserted

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._parts.get(ids, attempts=attempts)

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await claim(self._parts, request, next(self._turn))

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        news: list[News] = []
        taken = await self._keys.take_again(transitions)

        async def apply(part: Part, some: Sequence[Transition]) -> list[Answer]:
            answers, told = await part.apply(some)
            news.append(told)
            return answers

        made = [each for place, each in enumerate(transitions) if place not in taken]
        answers = iter(
            await self._parts.spread(
                made, attrgetter("job_id"), apply, Answer.MISSING, most=MOST
            )
        )
        for each in news:
            self._waker.tell(each)
        places = range(len(transitions))
        return [taken[each] if each in taken else next(answers) for each in places]

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        by_part, nowhere = self._parts.sorted(claims, attrgetter("job_id"))
        lost = {claims[place].job_id for place in nowhere}
        requested = set[str]()
        for part, places in by_part.items():
            renewal = await part.renew([claims[place] for place in places], lease)
            lost |= renewal.lost
            requested |= renewal.requested
        return Renewal(frozenset(lost), frozenset(requested))

    async def expired(self, limit: int) -> list[Claim]:
        claims = [await each.expired(limit) for each in self._parts.all]
        return merging.oldest(claims, limit)

    async def promote(self, limit: int) -> Promotion:
        promoted, due_in = 0, list[timedelta]()
        for part in self._parts.all:
            promotion, news = await part.promote(limit - promoted)
            self._waker.tell(news)
            promoted += promotion.promoted
            if promotion.next_due_in is not None:
                due_in.append(promotion.next_due_in)
        return Promotion(promoted, min(due_in, default=None))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        if filter.ids is not None:
            return await self._find_ids(filter, filter.ids, cursor, limit)
        pages = [await each.find(filter, cursor, limit) for each in self._parts.all]
        return merging.one_page(pages, limit)

    async def statistics(self) -> Statistics:
        counted = [await each.statistics() for each in self._parts.all]
        return merging.all_counted(counted)

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        deleted = 0
        for part in self._parts.all:
            if deleted < limit:
                number, far = await part.delete(filter, limit - deleted)
                deleted += number
                await self._keys.free(far)
        return deleted

    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        await self._waker.wait(queues, worker, timeout)

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        for part in self._parts.all:
            await part.pause(*_named(queue=queue, task=task))

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        for part in self._parts.all:
            await part.resume(*_named(queue=queue, task=task))
        self._waker.tell(None)

    async def paused(self) -> Paused:
        return merging.all_paused(await self._parts.all[0].paused())

    async def limit(self, key: str, limit: Limit | None) -> None:
        part = self._parts.at(self._server.partitions.of_limit(key))
        await part.limit(key, limit)

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = 0
        for part in self._parts.all:
            if lifted < limit and (holders is None or holders):
                wanted = _ALL if holders is None else tuple(holders)
                number, news = await part.lift(wanted, limit - lifted)
                self._waker.tell(news)
                lifted += number
        return lifted

    async def seen(self, worker: WorkerRecord, expires_in: timedelta) -> None:
        await self._directory.seen(worker, expires_in)

    async def gone(self, worker_id: str) -> None:
        await self._directory.gone(worker_id)

    async def workers(self) -> list[WorkerRecord]:
        return await self._directory.workers()

    async def turn(self, duty: str, interval: timedelta) -> bool:
        return await self._directory.turn(duty, interval)

    async def schedules(
        self, names: Sequence[str] | None = None
    ) -> list[ScheduleRecord]:
        if names is None:
            return await self._schedules.all()
        return await self._schedules.named(names)

    async def due_schedules(self, limit: int) -> DueSchedules:
        return await self._schedules.due(limit)

    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        self._server.usable()
        # Jobs of ticks tell when they are due, and most of them are.
        message = self._waker.message(News(frozenset(each.queue for each in jobs)))
        inserted = await self._schedules.fire(schedule, expected, jobs, message)
        self._tell_of(inserted or [], message)
        return inserted

    async def unschedule(self, name: str) -> bool:
        return await self._schedules.unschedule(name)

    async def clock(self) -> datetime:
        return await self._directory.now()

    async def ahead(self, job_id: str, most: int) -> int | None:
        partition = self._server.partitions.of(job_id)
        if partition is None:
            return None
        return await self._parts.at(partition).ahead(job_id, most)

    async def next_due_at(self) -> datetime | None:
        found = [await each.next_due_at() for each in self._parts.all]
        return min((each for each in found if each is not None), default=None)

    async def limited(self, key: str, most: int) -> Limited:
        part = self._parts.at(self._server.partitions.of_limit(key))
        return await part.limited(key, most)

    async def examine(self) -> list[Finding]:
        return await examine(self._server)

    async def verify(self) -> Verification:
        self._server.usable()
        return await verify(self._server)

    async def repair(self) -> Verification:
        """Bring indexes and counts to what the jobs say of themselves, which only a
        fault of a server or somebody's hand may have parted, and tell what was wrong.
        What one run mends may show what the next has to."""
        self._server.usable()
        return await verify(self._server, mend=True)

    def trial(self) -> AbstractAsyncContextManager[str]:
        if self._url is None:
            raise UnsupportedError(type(self).__name__, TrialStore.__name__)
        return trial(self._url)

    def ability(self, kind: type[T]) -> T | None:
        if kind is TrialStore and self._url is None:
            return None
        return super().ability(kind)

    def _tell_of(self, inserted: Sequence[Inserted], message: Message) -> None:
        """Wake those who may claim what was *inserted*, as *message* has in part."""
        queues = {each.job.queue for each in inserted if _is_new_in_line(each)}
        self._waker.tell(News(frozenset(queues)), message.names)

    async def _find_ids(
        self,
        filter: Filter,  # noqa: A002 - the word of the contract
        ids: Iterable[str],
        cursor: str | None,
        limit: int,
    ) -> Page:
        wanted = sorted(i for i in set(ids) if cursor is None or i < cursor)[::-1]
        page = wanted[:limit]
        now = await self._directory.now()
        jobs = (each for each in await self.get(page) if each is not None)
        found = tuple(each for each in jobs if filter.matches(each, now))
        return Page(found, page[-1] if len(wanted) > limit else None)


def _is_new_in_line(inserted: Inserted) -> bool:
    return inserted.created and inserted.job.status is JobStatus.QUEUED


def _named(**names: str | None) -> list[str]:
    return [f"{kind}:{name}" for kind, name in names.items() if name is not None]
