"""The verbs on one partition: what is told to its scripts, and what they answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from jobcore import (
    TERMINAL,
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    Filter,
    Inserted,
    Job,
    JobStatus,
    Limit,
    Page,
    Promotion,
    Renewal,
    Transition,
)
from jobcore_redis.filing import attempts as filed_attempts
from jobcore_redis.first import Written, figures
from jobcore_redis.keys import Partition
from jobcore_redis.record import claimed, holds_unique_key, records, token
from jobcore_redis.server import Server
from jobcore_redis.units import instant, microseconds
from jobcore_redis.writes import written

PAGE: Final = 250
"""How many jobs a script is given, or asked for, at most, where that is ours to say."""


@dataclass(frozen=True, slots=True)
class News:
    """Who may have something to do now: the queues that got jobs, and the workers whose
    jobs are to be canceled."""

    queues: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.queues or self.workers)


class _Seen(NamedTuple):
    """A job, and its state as it was read, to know whether it has changed since."""

    job: Job
    state: bytes


class Part:
    """One partition of a store whose clock is shifted by what *offset* says."""

    def __init__(
        self, server: Server, partition: Partition, offset: Callable[[], timedelta]
    ) -> None:
        self._server = server
        self._partition = partition
        self._offset = offset

    async def insert(self, jobs: Sequence[Written]) -> list[Inserted | None]:
        """As the contract says; None where a job that lies elsewhere has the unique
        key."""
        told: list[Any] = []
        for each in jobs:
            told += each.id, each.when, each.line, each.rest
        created, places, others, parts = await self._timed("insert", *told)
        now = instant(created)
        there = dict(zip(places, records(parts, others), strict=True))
        answers: list[Inserted | None] = []
        for place, each in enumerate(jobs, 1):
            if place not in there:
                answers.append(Inserted(Job.stored(each.new, now), created=True))
            else:
                job = there[place]
                answers.append(job and Inserted(job, created=False))
        return answers

    async def seen(self, job_id: str) -> tuple[datetime, Job | None, bool]:
        """The time, a job, and whether it holds its unique key."""
        at, parts = await self._timed("read", job_id)
        (job,) = records(parts, [job_id.encode()])
        holds = job is not None and holds_unique_key(job, parts[1][0])
        return instant(at), job, holds

    async def reserve(
        self, name: str, job_id: str, generation: int, seen: bytes
    ) -> bytes:
        """Take the unique key *name* for a job that lies elsewhere, from whom it is
        *seen* to have; nothing, or what is kept of another that has it."""
        kept: bytes = await self._timed("reserve", name, job_id, generation, seen)
        return kept

    async def free(self, names: Sequence[bytes]) -> None:
        """Let go of unique keys: of each its name and its holder."""
        await self._call("free", *names)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        found: list[Job | None] = []
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            *parts, filed = await self._call("get", int(attempts), *page)
            jobs = records(parts, [each.encode() for each in page])
            if attempts:
                found += [
                    job and job.with_attempts(filed_attempts(lines))
                    for job, lines in zip(jobs, filed, strict=True)
                ]
            else:
                found += jobs
        return found

    async def claim(self, request: ClaimRequest, bound: int) -> ClaimResult:
        told = (
            *(request.token, request.worker, microseconds(request.lease)),
            *(request.limit, bound, int(request.repeated), *request.queues),
        )
        answer = await self._timed("claim", *told)
        at, examined, held, deferred, ids, parts, is_repeated = answer
        if is_repeated:
            own = records(parts, ids)
            return ClaimResult(tuple(Claim(job, request.token) for job in own if job))
        effect = request.effect(0, instant(at))
        jobs = claimed(parts, ids, effect)
        return ClaimResult(
            tuple(Claim(job, request.token) for job in jobs),
            examined,
            bounded=examined >= bound and len(jobs) < request.limit,
            held=held,
            deferred=deferred,
        )

    async def claimed(self, token: str) -> ClaimResult:
        """What an earlier claim took that still has this token."""
        length = timedelta(0)
        asked = ClaimRequest(
            token=token, worker="", queues=(), limit=0, lease=length, repeated=True
        )
        return await self.claim(asked, 0)

    async def apply(
        self, transitions: Sequence[Transition]
    ) -> tuple[list[Answer], News]:
        answers, queues, workers = await self._timed("apply", *written(transitions))
        news = News(_names(queues), _names(workers))
        return [Answer(each.decode()) for each in answers], news

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        lost, requested = set[str](), set[str]()
        for start in range(0, len(claims), PAGE):
            told: list[Any] = [microseconds(lease)]
            for each in claims[start : start + PAGE]:
                told += each.job_id, each.token
            gone, wanted = await self._timed("renew", *told)
            lost |= _names(gone)
            requested |= _names(wanted)
        return Renewal(frozenset(lost), frozenset(requested))

    async def expired(self, limit: int) -> list[Claim]:
        ids, parts = await self._timed("expired", limit)
        jobs = records(parts, ids)
        return [
            Claim(job, token(state))
            for job, state in zip(jobs, parts[1], strict=True)
            if job is not None
        ]

    async def promote(self, limit: int) -> tuple[Promotion, News]:
        promoted, left, queues = await self._timed("promote", limit)
        due_in = timedelta(microseconds=int(left)) if left else None
        return Promotion(promoted, due_in), News(_names(queues))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        at, ids, parts = await self._timed("find", cursor or "", PAGE)
        now, jobs = instant(at), list[Job]()
        for job in records(parts, ids):
            if job is not None and filter.matches(job, now):
                jobs.append(job)
                if len(jobs) == limit:
                    return Page(tuple(jobs), job.id)
        return Page(tuple(jobs), ids[-1].decode() if len(ids) == PAGE else None)

    async def statistics(self) -> tuple[dict[bytes, int], dict[bytes, datetime]]:
        """How many jobs a queue has in a status, by both, and since when the oldest
        queued job of a queue is due."""
        counts, oldest = await self._call("statistics")
        pairs = zip(counts[::2], map(int, counts[1::2]), strict=True)
        since = zip(oldest[::2], map(instant, oldest[1::2]), strict=True)
        return dict(pairs), dict(since)

    async def delete(self, filter: Filter, limit: int) -> tuple[int, list[bytes]]:  # noqa: A002 - the word of the contract
        """How many were deleted, and of each of them whose unique key is far its name
        and the id."""
        age, far = filter.finished_for, list[bytes]()
        if age is not None and filter == Filter(
            statuses=filter.statuses, finished_for=age
        ):
            return await self._delete_finished(filter, age, limit)
        deleted = 0
        async for page in self._pages(filter):
            left = page
            while left and deleted < limit:
                some, left = left[: limit - deleted], left[limit - deleted :]
                told = [part for job, state in some for part in (job.id, state)]
                gone, names = await self._call("delete", *told)
                deleted += gone
                far += names
            if deleted >= limit:
                break
        return deleted, far

    async def lift(self, holders: Sequence[str], limit: int) -> tuple[int, News]:
        lifted, queues = await self._call("lift", limit, *holders)
        return int(lifted), News(_names(queues))

    async def pause(self, *names: str) -> None:
        if names:
            await self._call("pause", *names)

    async def resume(self, *names: str) -> None:
        if names:
            await self._call("resume", *names)

    async def paused(self) -> frozenset[str]:
        return _names(await self._call("paused"))

    async def limit(self, key: str, limit: Limit | None) -> None:
        told = [] if limit is None else [figures(limit)]
        await self._call("limit", key, *told)

    async def _delete_finished(
        self,
        filter: Filter,  # noqa: A002 - the word of the contract
        age: timedelta,
        limit: int,
    ) -> tuple[int, list[bytes]]:
        statuses, deleted, far = _finished(filter), 0, list[bytes]()
        while statuses and deleted < limit:
            wanted = min(PAGE, limit - deleted)
            told = (microseconds(age), wanted, *statuses)
            gone, names = await self._timed("delete_finished", *told)
            deleted += gone
            far += names
            if gone < wanted:
                break
        return deleted, far

    async def _pages(self, filter: Filter) -> AsyncIterator[list[_Seen]]:  # noqa: A002 - the word of the contract
        """The jobs that *filter* means and that do not run, as they are deleted."""
        if filter.ids is not None:
            ids = sorted(set(filter.ids))
            for start in range(0, len(ids), PAGE):
                told = ids[start : start + PAGE]
                at, parts = await self._timed("read", *told)
                encoded = [each.encode() for each in told]
                yield _meant(filter, instant(at), encoded, parts)
        elif filter.finished_for is not None:
            statuses, place = _finished(filter), b""
            more = bool(statuses)
            while more:
                age = microseconds(filter.finished_for)
                at, places, found, parts = await self._timed(
                    "finished", age, PAGE, place, *statuses
                )
                yield _meant(filter, instant(at), found, parts)
                place, more = (places or [b""])[-1], len(found) == PAGE
        else:
            first, more = b"", True
            while more:
                at, found, parts = await self._timed("upward", first, PAGE)
                yield _meant(filter, instant(at), found, parts)
                first, more = (found or [b""])[-1], len(found) == PAGE

    async def _timed(self, name: str, *arguments: Any) -> Any:
        offset = microseconds(self._offset())
        return await self._call(name, offset, *arguments)

    async def _call(self, name: str, *arguments: Any) -> Any:
        return await self._server.call(name, self._partition, arguments)


def _names(found: Sequence[bytes]) -> frozenset[str]:
    return frozenset(each.decode() for each in found)


def _finished(filter: Filter) -> list[JobStatus]:  # noqa: A002 - the word of the contract
    return sorted(TERMINAL & (TERMINAL if filter.statuses is None else filter.statuses))


def _meant(
    filter: Filter,  # noqa: A002 - the word of the contract
    now: datetime,
    ids: Sequence[bytes],
    parts: Sequence[Sequence[Any]],
) -> list[_Seen]:
    found = records(parts, ids)
    return [
        _Seen(job, state or b"")
        for job, state in zip(found, parts[1], strict=True)
        if job is not None
        and job.status is not JobStatus.IN_PROGRESS
        and filter.matches(job, now)
    ]
