"""The verbs on one partition: what is told to its scripts, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    Filter,
    Inserted,
    Job,
    Limit,
    Limited,
    Pace,
    Page,
    Promotion,
    Renewal,
    Transition,
)
from jobcore_redis.calls import MOST, PAGE, Calls
from jobcore_redis.delete import Deletion
from jobcore_redis.filing import attempts as filed_attempts
from jobcore_redis.first import Written, figures, limit_of
from jobcore_redis.problems import reading
from jobcore_redis.record import claimed, holds_unique_key, records, token
from jobcore_redis.units import instant, microseconds
from jobcore_redis.writes import written


@dataclass(frozen=True, slots=True)
class News:
    """Who may have something to do now: the queues that got jobs, and the workers whose
    jobs are to be canceled."""

    queues: frozenset[str] = frozenset()
    workers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.queues or self.workers)


class Message(NamedTuple):
    """What is told to other processes: the *names* of those whom it concerns, in a
    *text*; on no *channel* where there is nothing to tell."""

    names: frozenset[str] = frozenset()
    channel: str = ""
    text: str = ""


class Part:
    """One partition of a store, where *calls* go."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    async def insert(
        self, jobs: Sequence[Written], message: Message
    ) -> list[Inserted | None]:
        """As the contract says; None where a job that lies elsewhere has the unique
        key. Where any is in line now, *message* is told at once."""
        told = (message.channel, message.text, *_told(jobs))
        answer = await self.calls.timed("insert", *told)
        return _inserted(jobs, answer)

    async def fire(
        self,
        name: str,
        expected: str,
        text: bytes,
        jobs: Sequence[Written],
        message: Message,
    ) -> list[Inserted] | None:
        """Let the schedule *name* be what *text* says, and insert *jobs*, none of which
        has a unique key that another partition knows of; None where its revision is
        another than the *expected* one."""
        told = (message.channel, message.text, name, expected, text, *_told(jobs))
        answer = await self.calls.timed("fire", *told)
        return [each for each in _inserted(jobs, answer) if each] if answer else None

    async def seen(self, job_id: str) -> tuple[datetime, Job | None, bool]:
        """The time, a job, and whether it holds its unique key."""
        at, parts = await self.calls.timed("read", job_id)
        (job,) = records(parts, [job_id.encode()])
        holds = job is not None and holds_unique_key(job, parts[1][0])
        return instant(at), job, holds

    async def reserve(
        self, name: str, job_id: str, generation: int, seen: bytes
    ) -> bytes:
        """Take the unique key *name* for a job that lies elsewhere, from whom it is
        *seen* to have; nothing, or what is kept of another that has it."""
        kept: bytes = await self.calls.timed("reserve", name, job_id, generation, seen)
        return kept

    async def free(self, names: Sequence[bytes]) -> None:
        """Let go of unique keys: of each its name and its holder."""
        await self.calls.call("free", *names)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        found: list[Job | None] = []
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            *parts, filed = await self.calls.call("get", int(attempts), *page)
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
        answer = await self.calls.timed("claim", *told)
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
        answers, queues, workers = await self.calls.timed(
            "apply", *written(transitions)
        )
        news = News(_names(queues), _names(workers))
        return [Answer(each.decode()) for each in answers], news

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        lost, requested = set[str](), set[str]()
        for start in range(0, len(claims), PAGE):
            told: list[Any] = [microseconds(lease)]
            for each in claims[start : start + PAGE]:
                told += each.job_id, each.token
            gone, wanted = await self.calls.timed("renew", *told)
            lost |= _names(gone)
            requested |= _names(wanted)
        return Renewal(frozenset(lost), frozenset(requested))

    async def expired(self, limit: int) -> list[Claim]:
        ids, parts = await self.calls.timed("expired", limit)
        jobs = records(parts, ids)
        return [
            Claim(job, token(state))
            for job, state in zip(jobs, parts[1], strict=True)
            if job is not None
        ]

    async def promote(self, limit: int) -> tuple[Promotion, News]:
        promoted, queues, left, more = 0, set[str](), b"", True
        while more:
            wanted = min(MOST, limit - promoted)
            number, left, names = await self.calls.timed("promote", wanted)
            promoted += number
            queues |= _names(names)
            more = number == wanted and promoted < limit
        due_in = timedelta(microseconds=int(left)) if left else None
        return Promotion(promoted, due_in), News(frozenset(queues))

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        at, ids, parts = await self.calls.timed("find", cursor or "", PAGE)
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
        counts, oldest = await self.calls.call("statistics")
        with reading():
            pairs = zip(counts[::2], map(int, counts[1::2]), strict=True)
            since = zip(oldest[::2], map(instant, oldest[1::2]), strict=True)
            return dict(pairs), dict(since)

    async def delete(self, filter: Filter, limit: int) -> tuple[int, list[bytes]]:  # noqa: A002 - the word of the contract
        """How many were deleted, and of each of them whose unique key is far its name
        and the id."""
        deletion = Deletion(self.calls, filter, limit)
        await deletion.run()
        return deletion.deleted, deletion.far

    async def lift(self, holders: Sequence[str], limit: int) -> tuple[int, News]:
        lifted, queues, more = 0, set[str](), True
        while more:
            wanted = min(MOST, limit - lifted)
            number, names = await self.calls.call("lift", wanted, *holders)
            lifted += number
            queues |= _names(names)
            more = number == wanted and lifted < limit
        return lifted, News(frozenset(queues))

    async def pause(self, *names: str) -> None:
        if names:
            await self.calls.call("pause", *names)

    async def resume(self, *names: str) -> None:
        if names:
            await self.calls.call("resume", *names)

    async def paused(self) -> frozenset[str]:
        return _names(await self.calls.call("paused"))

    async def ahead(self, job_id: str, most: int) -> int | None:
        found: int | None = await self.calls.call("ahead", job_id, most)
        return found

    async def next_due_at(self) -> datetime | None:
        found: bytes | None = await self.calls.call("next_due_at")
        return None if found is None else instant(found)

    async def limited(self, key: str, most: int) -> Limited:
        ids, set_figures, kept = await self.calls.call("limited", key, most)
        with reading():
            running = tuple(each.decode() for each in ids)
            limit = None if set_figures is None else limit_of(set_figures)
            instants = () if kept is None else map(instant, kept.split(b"\t"))
            return Limited(running=running, limit=limit, pace=Pace(*instants))

    async def limit(self, key: str, limit: Limit | None) -> None:
        told = [] if limit is None else [figures(limit)]
        await self.calls.call("limit", key, *told)


def _told(jobs: Sequence[Written]) -> list[Any]:
    """How *jobs* are told to the scripts that insert them."""
    told: list[Any] = []
    for each in jobs:
        told += each.id, each.when, each.line, each.rest
    return told


def _inserted(jobs: Sequence[Written], answer: Sequence[Any]) -> list[Inserted | None]:
    """What such a script has answered for *jobs*."""
    created, places, others, parts = answer
    now = instant(created)
    there = dict(zip(places, records(parts, others), strict=True)) if places else {}
    answers: list[Inserted | None] = []
    for place, new in enumerate(Job.stored_all((each.new for each in jobs), now), 1):
        if place not in there:
            answers.append(Inserted(new, created=True))
        else:
            job = there[place]
            answers.append(job and Inserted(job, created=False))
    return answers


def _names(found: Sequence[bytes]) -> frozenset[str]:
    return frozenset(each.decode() for each in found)
