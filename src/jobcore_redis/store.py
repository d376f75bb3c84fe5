"""The Redis store: the contract, spread over partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import (
    Awaitable,
    Callable,
    Container,
    Iterable,
    Sequence,
    Set,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from heapq import merge
from itertools import count, islice
from operator import attrgetter
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from redis.asyncio import Redis, RedisCluster

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    Filter,
    Inserted,
    Job,
    JobStatus,
    JobStore,
    Limit,
    NewJob,
    Page,
    Paused,
    Promotion,
    QueueControl,
    QueueStatistics,
    Renewal,
    Statistics,
    Transition,
    TrialStore,
    UnsupportedError,
    Verifiable,
    Verification,
    WorkerDirectory,
    WorkerRecord,
)
from jobcore_redis.directory import Directory
from jobcore_redis.first import Written
from jobcore_redis.options import RedisOptions
from jobcore_redis.part import News, Part
from jobcore_redis.server import Server
from jobcore_redis.trial import trial
from jobcore_redis.unique import FarKeys
from jobcore_redis.verify import verify
from jobcore_redis.wake import Waker

T = TypeVar("T")
Item = TypeVar("Item")

_ALL: Final = ("*",)
_oldest = attrgetter("job.lease_until", "job_id")


class RedisJobStore(JobStore, QueueControl, WorkerDirectory, Verifiable, TrialStore):
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
        self._parts: list[Part] = []
        self._turn = count()
        self._waker = Waker(self._server)
        self._directory = Directory(self._server, lambda: self.offset)

    @property
    def options(self) -> RedisOptions:
        return self._server.options

    async def __aenter__(self) -> Self:
        await self._server.open()
        self._parts = [
            Part(self._server, each, lambda: self.offset)
            for each in self._server.partitions.all
        ]
        self._keys = FarKeys(self._server.partitions, self._parts)
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

    def new_id(self, job: NewJob) -> str:
        return self._server.partitions.named(super().new_id(job), job)

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        self._server.usable()
        far = {each.id for each in jobs if self._is_far(each.id, each)}
        # All are written before any is sent: what cannot be lets none in.
        written = [Written.of(each, is_far=each.id in far) for each in jobs]
        answers: dict[int, Inserted] = {}
        while len(answers) < len(jobs):
            answers |= await self._inserted(written, far, answers)
        inserted = [answers[place] for place in range(len(jobs))]
        queues = {each.job.queue for each in inserted if _is_new_in_line(each)}
        self._waker.tell(News(frozenset(queues)))
        return inserted

    async def _inserted(
        self, written: Sequence[Written], far: Set[str], before: Container[int]
    ) -> dict[int, Inserted]:
        """The answers for those of *written* that can be had now, by their places."""
        left = [place for place in range(len(written)) if place not in before]
        if len(self._parts) > 1:
            left = _of_different_keys(written, left)
        answers: dict[int, Inserted] = {}
        for place in left:
            new = written[place].new
            if new.id in far and (there := await self._there(new)):
                answers[place] = there
        wanted = [place for place in left if place not in answers]
        found = await self._spread(
            [written[place] for place in wanted],
            attrgetter("id"),
            lambda part, some: part.insert(some),
        )
        for place, answer in zip(wanted, found, strict=True):
            known = answer or await self._duplicate(written[place].new)
            if known is not None:
                answers[place] = known
        return answers

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        return await self._spread(
            ids, str, lambda part, some: part.get(some, attempts=attempts), None
        )

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        parts = self._usable_parts()
        if len(parts) == 1:
            return await parts[0].claim(request, request.bound)
        if request.repeated:
            own = _added_up([await each.claimed(request.token) for each in parts])
            if own.claims:
                return own
        first, result = next(self._turn), ClaimResult()
        for step in range(len(parts)):
            part = parts[(first + step) % len(parts)]
            left = request.limit - len(result.claims)
            bound = request.bound - result.examined
            if left and bound:
                wanted = replace(request, limit=left, repeated=False)
                result = _added_up([result, await part.claim(wanted, bound)])
        return replace(
            result, bounded=result.bounded and len(result.claims) < request.limit
        )

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        news: list[News] = []
        taken = await self._taken_again(transitions)

        async def apply(part: Part, some: Sequence[Transition]) -> list[Answer]:
            answers, told = await part.apply(some)
            news.append(told)
            return answers

        made = [each for place, each in enumerate(transitions) if place not in taken]
        answers = iter(
            await self._spread(made, attrgetter("job_id"), apply, Answer.MISSING)
        )
        for each in news:
            self._waker.tell(each)
        places = range(len(transitions))
        return [taken[each] if each in taken else next(answers) for each in places]

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        self._server.usable()
        by_part, nowhere = self._sorted(claims, attrgetter("job_id"))
        lost = {claims[place].job_id for place in nowhere}
        requested = set[str]()
        for part, places in by_part.items():
            renewal = await part.renew([claims[place] for place in places], lease)
            lost |= renewal.lost
            requested |= renewal.requested
        return Renewal(frozenset(lost), frozenset(requested))

    async def expired(self, limit: int) -> list[Claim]:
        found = [await each.expired(limit) for each in self._usable_parts()]
        return list(islice(merge(*found, key=_oldest), limit))

    async def promote(self, limit: int) -> Promotion:
        promoted, due_in = 0, list[timedelta]()
        for part in self._usable_parts():
            promotion, news = await part.promote(limit - promoted)
            self._waker.tell(news)
            promoted += promotion.promoted
            if promotion.next_due_in is not None:
                due_in.append(promotion.next_due_in)
        return Promotion(promoted, min(due_in, default=None))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        if filter.ids is not None:
            return await self._find_ids(filter, filter.ids, cursor, limit)
        pages = [
            await each.find(filter, cursor, limit) for each in self._usable_parts()
        ]
        seen = max((each.cursor for each in pages if each.cursor), default=None)
        jobs = merge(*(each.jobs for each in pages), key=attrgetter("id"), reverse=True)
        sure = [each for each in jobs if seen is None or each.id >= seen]
        if len(sure) > limit:
            return Page(tuple(sure[:limit]), sure[limit - 1].id)
        return Page(tuple(sure), seen)

    async def statistics(self) -> Statistics:
        counts: defaultdict[str, dict[JobStatus, int]] = defaultdict(dict)
        since: dict[str, Any] = {}
        for part in self._usable_parts():
            counted, oldest = await part.statistics()
            for name, n in counted.items():
                queue, _, text = name.decode().partition("\t")
                status = JobStatus(text)
                counts[queue][status] = counts[queue].get(status, 0) + n
            for name, due_at in oldest.items():
                queue = name.decode()
                since[queue] = min(due_at, since.get(queue, due_at))
        return Statistics(
            {
                queue: QueueStatistics(by_status, since.get(queue))
                for queue, by_status in counts.items()
            }
        )

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        deleted = 0
        for part in self._usable_parts():
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
        for part in self._usable_parts():
            await part.pause(*_named(queue=queue, task=task))

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        for part in self._usable_parts():
            await part.resume(*_named(queue=queue, task=task))
        self._waker.tell(None)

    async def paused(self) -> Paused:
        names = await self._usable_parts()[0].paused()
        kinds: defaultdict[str, set[str]] = defaultdict(set)
        for each in names:
            kind, _, name = each.partition(":")
            kinds[kind].add(name)
        return Paused(frozenset(kinds["queue"]), frozenset(kinds["task"]))

    async def limit(self, key: str, limit: Limit | None) -> None:
        self._server.usable()
        number = self._server.partitions.of_limit(key).number
        await self._parts[number].limit(key, limit)

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = 0
        for part in self._usable_parts():
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

    async def _spread(
        self,
        items: Sequence[Item],
        id_of: Callable[[Item], str],
        act: Callable[[Part, Sequence[Item]], Awaitable[Sequence[T]]],
        otherwise: Any = None,
    ) -> list[T]:
        """What *act* answers for *items*, each in its partition, in their order; and
        *otherwise* for those that belong to none."""
        by_part, _ = self._sorted(items, id_of)
        answers: list[T] = [otherwise] * len(items)
        for part, places in by_part.items():
            some = [items[place] for place in places]
            for place, answer in zip(places, await act(part, some), strict=True):
                answers[place] = answer
        return answers

    def _sorted(
        self, items: Sequence[Item], id_of: Callable[[Item], str]
    ) -> tuple[dict[Part, list[int]], list[int]]:
        """The places of *items*, by their partition, and of those that have none."""
        self._server.usable()
        by_part: defaultdict[Part, list[int]] = defaultdict(list)
        nowhere: list[int] = []
        for place, item in enumerate(items):
            partition = self._server.partitions.of(id_of(item))
            if partition is None:
                nowhere.append(place)
            else:
                by_part[self._parts[partition.number]].append(place)
        return by_part, nowhere

    def _is_far(self, job_id: str, job: NewJob | Job) -> bool:
        return self._keys.is_far(job_id, job.task, job.unique_key)

    async def _there(self, new: NewJob) -> Inserted | None:
        """The answer where there is a job of this id, or one that has the unique key,
        which else is taken now."""
        (job,) = await self.get([new.id])
        if job is not None:
            return Inserted(job, created=False)
        return await self._duplicate(new)

    async def _duplicate(self, new: NewJob) -> Inserted | None:
        """The answer where another job has the unique key, which else is taken now."""
        holder = await self._keys.take(new.id, new.task, new.unique_key or "")
        return None if holder is None else Inserted(holder, created=False)

    async def _taken_again(
        self, transitions: Sequence[Transition]
    ) -> dict[int, Answer]:
        """Take the far unique keys that *transitions* to a next generation take again;
        the answers for the places of those which cannot."""
        answers: dict[int, Answer] = {}
        if len(self._parts) == 1:
            return answers
        for place, each in enumerate(transitions):
            (job,) = await self.get([each.job_id]) if each.next_generation else (None,)
            if job is None or not self._is_far(job.id, job):
                continue
            if each.status not in job.unique_scope:
                continue
            key, generation = job.unique_key or "", job.generation + 1
            if await self._keys.take(job.id, job.task, key, generation) is not None:
                answers[place] = Answer.UNIQUE_KEY
        return answers

    def _usable_parts(self) -> list[Part]:
        self._server.usable()
        return self._parts


def _added_up(results: Sequence[ClaimResult]) -> ClaimResult:
    return ClaimResult(
        tuple(claim for each in results for claim in each.claims),
        sum(each.examined for each in results),
        bounded=any(each.bounded for each in results),
        held=sum(each.held for each in results),
        deferred=sum(each.deferred for each in results),
    )


def _of_different_keys(written: Sequence[Written], places: Sequence[int]) -> list[int]:
    """Those of *places* where no job before has the same unique key: it has to be there
    before the next can be answered."""
    first: dict[object, int] = {}
    for place in places:
        new = written[place].new
        name = place if new.unique_key is None else (new.task, new.unique_key)
        first.setdefault(name, place)
    return list(first.values())


def _is_new_in_line(inserted: Inserted) -> bool:
    return inserted.created and inserted.job.status is JobStatus.QUEUED


def _named(**names: str | None) -> list[str]:
    return [f"{kind}:{name}" for kind, name in names.items() if name is not None]
