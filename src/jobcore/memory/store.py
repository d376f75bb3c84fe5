"""The memory store: every verb is one step of the event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from typing import TypeVar

from jobcore.abilities import TrialStore, Verifiable, Verification
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.job import TERMINAL, Inserted, Job, JobStatus, NewJob
from jobcore.memory.control import InMemoryQueueControl
from jobcore.memory.directory import InMemoryWorkerDirectory
from jobcore.memory.explaining import InMemoryExplaining
from jobcore.memory.records import Clock, Index, Record, Records
from jobcore.memory.schedules import InMemorySchedules
from jobcore.query import Filter, Page, QueueStatistics, Statistics
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition

A = TypeVar("A")

_APPLIED = Answer.APPLIED


class InMemoryJobStore(JobStore, Verifiable, TrialStore):
    """Keeps jobs in this process, for one event loop. It has all abilities that
    are of use without a server."""

    def __init__(self, url: str = "memory://") -> None:
        self.url = url
        self._clock = Clock()
        self._records = Records()
        self._control = InMemoryQueueControl(self._records)
        self._directory = InMemoryWorkerDirectory(self._now)
        self._schedules = InMemorySchedules(self._now, self._insert_all)
        self._explaining = InMemoryExplaining(self._now, self._records, self._control)
        self._changes_seen: dict[str, int] = {}

    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        return self._insert_all(jobs)

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        found = [self._records.by_id.get(job_id) for job_id in ids]
        if attempts:
            return [
                each.job.with_attempts(each.attempts) if each else None
                for each in found
            ]
        return [each.job if each else None for each in found]

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        self._changes_seen[request.worker] = self._records.changes
        if request.repeated and (claims := self._claims_of(request.token)):
            return ClaimResult(tuple(claims))
        now = self._now()
        claims, kept, examined = [], Counter[JobStatus](), 0
        bound = request.bound
        for job_id in self._candidates(request.queues if request.limit else ()):
            record = self._records.by_id[job_id]
            obstacle = self._control.obstacle(record.job, now)
            examined += 1
            if obstacle is None:
                effect = request.effect(record.job.attempt, now)
                self._records.change(record, effect)
                record.token = request.token
                claims.append(Claim(record.job, request.token))
            else:
                self._records.change(record, obstacle)
                kept[record.job.status] += 1
            if len(claims) == request.limit or examined == bound:
                break
        return ClaimResult(
            tuple(claims),
            examined,
            bounded=examined == bound and len(claims) < request.limit,
            held=kept[JobStatus.HELD],
            deferred=kept[JobStatus.SCHEDULED],
        )

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        now = self._now()
        return [self._apply(transition, now) for transition in transitions]

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        until = self._now() + lease
        lost, requested = set(), set()
        for claim in claims:
            record = self._records.by_id.get(claim.job_id)
            if record is None or record.token != claim.token:
                lost.add(claim.job_id)
                continue
            if record.job.cancel_requested_at is not None:
                requested.add(claim.job_id)
            if record.job.lease_until is None or record.job.lease_until < until:
                record.job = record.job.changed({"lease_until": until})
        return Renewal(frozenset(lost), frozenset(requested))

    async def expired(self, limit: int) -> list[Claim]:
        now = self._now()
        claims = sorted(
            (each.job.lease_until, each.job.id, each.token)
            for each in self._in_progress()
            if each.job.lease_until and each.job.lease_until <= now and each.token
        )
        return [
            Claim(self._records.by_id[job_id].job, token)
            for _, job_id, token in claims[:limit]
        ]

    async def promote(self, limit: int) -> Promotion:
        now, promoted = self._now(), 0
        while first := self._records.next_scheduled():
            due_at, job_id = first
            if due_at > now or promoted == limit:
                return Promotion(promoted, max(due_at - now, timedelta(0)))
            heapq.heappop(self._records.scheduled)
            queued = {"status": JobStatus.QUEUED}
            self._records.change(self._records.by_id[job_id], queued)
            promoted += 1
        return Promotion(promoted)

    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        now, jobs = self._now(), list[Job]()
        ids = (each for each in self._records.by_id if cursor is None or each < cursor)
        for job_id in sorted(ids, reverse=True):
            job = self._records.by_id[job_id].job
            if filter.matches(job, now):
                jobs.append(job)
            if len(jobs) == limit:
                return Page(tuple(jobs), job_id)
        return Page(tuple(jobs))

    async def statistics(self) -> Statistics:
        counts: defaultdict[str, dict[JobStatus, int]] = defaultdict(dict)
        for (queue, status), count in self._records.index.counts.items():
            if count:
                counts[queue][status] = count
        return Statistics(
            {
                queue: QueueStatistics(
                    by_status, self._records.queued[queue].oldest_due_at()
                )
                for queue, by_status in counts.items()
            }
        )

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        now, deleted = self._now(), 0
        for job_id in self._oldest_first(filter):
            if deleted == limit:
                break
            job = self._records.by_id[job_id].job
            if job.status is not JobStatus.IN_PROGRESS and filter.matches(job, now):
                self._records.remove(job)
                deleted += 1
        return deleted

    async def wait(
        self,
        queues: Sequence[str],  # noqa: ARG002 - any change is worth a look
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        if self._changes_seen.get(worker) == self._records.changes:
            waiter = asyncio.get_running_loop().create_future()
            self._records.waiting.add(waiter)
            try:
                await asyncio.wait({waiter}, timeout=timeout.total_seconds())
            finally:
                self._records.waiting.discard(waiter)
        self._changes_seen[worker] = self._records.changes

    async def verify(self) -> Verification:
        rebuilt = Index()
        for record in self._records.by_id.values():
            rebuilt.add(record.job)
        kept = self._records.index
        findings: dict[str, tuple[str, ...]] = {}
        if +kept.counts != +rebuilt.counts:
            findings["counts"] = (f"{+kept.counts} should be {+rebuilt.counts}",)
        if kept.in_progress.keys() != rebuilt.in_progress.keys():
            findings["in_progress"] = ("the index differs from the jobs",)
        odd = tuple(
            job_id
            for job_id, record in self._records.by_id.items()
            if (record.token is None) is (job_id in rebuilt.in_progress)
        )
        return Verification({**findings, "token": odd} if odd else findings)

    def trial(self) -> AbstractAsyncContextManager[str]:
        return nullcontext("memory://")

    def ability(self, kind: type[A]) -> A | None:
        parts = (self._control, self._directory, self._schedules, self._explaining)
        for part in parts:
            if isinstance(part, kind):
                return part
        return super().ability(kind)

    def _now(self) -> datetime:
        return self._clock.now() + self.offset

    def _insert_all(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        now = self._now()
        return list(map(self._insert, Job.stored_all(jobs, now)))

    def _insert(self, job: Job) -> Inserted:
        there = self._records.by_id.get(job.id)
        if there is None and job.unique_key is not None:
            holder = self._records.unique.get((job.task, job.unique_key))
            there = None if holder is None else self._records.by_id[holder]
        if there is not None:
            return Inserted(there.job, created=False)
        self._records.add(job)
        return Inserted(job, created=True)

    def _apply(self, transition: Transition, now: datetime) -> Answer:
        record = self._records.by_id.get(transition.job_id)
        if record is None:
            return Answer.MISSING
        answer = transition.answer(record.job, record.token, record.receipt, now)
        if answer is not _APPLIED or transition.came_before(record.receipt):
            return answer
        if transition.next_generation and not self._take_unique_key(
            record.job, transition.status
        ):
            return Answer.UNIQUE_KEY
        filed = transition.filed(now)
        if filed and filed.number not in {each.number for each in record.attempts}:
            record.attempts += (filed,)
        self._records.change(record, transition.effect(record.job, now))
        record.receipt = transition.receipt or record.receipt
        return _APPLIED

    def _take_unique_key(self, job: Job, status: JobStatus) -> bool:
        if job.unique_key is None or status not in job.unique_scope:
            return True
        name = job.task, job.unique_key
        return self._records.unique.setdefault(name, job.id) == job.id

    def _claims_of(self, token: str) -> list[Claim]:
        held = (each for each in self._in_progress() if each.token == token)
        return [Claim(each.job, token) for each in held]

    def _in_progress(self) -> Iterator[Record]:
        return map(self._records.by_id.__getitem__, self._records.index.in_progress)

    def _candidates(self, queues: Iterable[str]) -> Iterator[str]:
        for queue in queues:
            if not self._control.is_paused(queue):
                yield from self._records.queued[queue].take()

    def _oldest_first(self, filter: Filter) -> Iterable[str]:  # noqa: A002 - the word of the contract
        if filter.ids is not None:
            return sorted(self._records.by_id.keys() & set(filter.ids))
        if filter.finished_for is None:
            return sorted(self._records.by_id)
        finished = self._records.index.finished
        statuses = TERMINAL & (filter.statuses or TERMINAL)
        by_status = [list(finished[status]) for status in statuses]
        return heapq.merge(*by_status, key=self._finished_at)

    def _finished_at(self, job_id: str) -> datetime:
        job = self._records.by_id[job_id].job
        return job.finished_at or job.created_at
