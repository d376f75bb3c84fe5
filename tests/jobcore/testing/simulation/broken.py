"""Memory stores that break one rule each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from jobcore import (
    Answer,
    Claim,
    ClaimRequest,
    ClaimResult,
    DueSchedules,
    Expectation,
    Filter,
    InMemoryJobStore,
    JobStatus,
    NewJob,
    Outcome,
    Promotion,
    Renewal,
    ScheduleRecord,
    Transition,
)
from jobcore.job import Inserted
from jobcore.lifecycle import APPROVAL
from jobcore.memory.schedules import InMemorySchedules


class Rewriting(InMemoryJobStore):
    """Makes other writes than it was asked for."""

    def rewritten(self, write: Transition) -> Transition:
        return write

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await super().apply([self.rewritten(each) for each in transitions])

    async def force(self, job_id: str, status: JobStatus) -> None:
        write = Transition(job_id=job_id, expect=Expectation(), status=status)
        await super().apply([write])

    async def having(self, status: JobStatus) -> list[str]:
        page = await self.find(Filter(statuses=frozenset({status})), None, 9)
        return [job.id for job in page.jobs]


class HandsOutTwice(Rewriting):
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        result = await super().claim(request)
        jobs = await self.get(await self.having(JobStatus.IN_PROGRESS))
        stolen = tuple(Claim(job, request.token) for job in jobs[:1] if job)
        return result if result.claims else replace(result, claims=stolen)


class TakesStaleTokens(Rewriting):
    def rewritten(self, write: Transition) -> Transition:
        return replace(write, expect=replace(write.expect, token=None))


class RenewsStaleClaims(Rewriting):
    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        renewal = await super().renew(claims, lease)
        return replace(renewal, lost=frozenset())


class RunsFinishedJobs(Rewriting):
    async def promote(self, limit: int) -> Promotion:
        for job_id in (await self.having(JobStatus.COMPLETED))[:1]:
            await self.force(job_id, JobStatus.QUEUED)
        return replace(await super().promote(limit), promoted=1)


class LosesJobs(Rewriting):
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        result = await super().claim(request)
        queued = await self.having(JobStatus.QUEUED)
        await self.delete(Filter(ids=tuple(queued[:1])), 1)
        return result


class ForgetsWhatItStored(InMemoryJobStore):
    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        inserted = await super().insert(jobs)
        await self.delete(Filter(ids=(inserted[-1].job.id,)), 1)
        return inserted


class ForgetsFailures(Rewriting):
    def rewritten(self, write: Transition) -> Transition:
        changes = write.changes.copy()
        changes.pop("failures", None)
        return replace(write, changes=changes)


class NeverGivesUp(Rewriting):
    def rewritten(self, write: Transition) -> Transition:
        if write.outcome is Outcome.LOST and write.status is JobStatus.FAILED:
            return replace(write, status=JobStatus.QUEUED)
        return write


class TakesLeasesAway(Rewriting):
    def rewritten(self, write: Transition) -> Transition:
        return replace(write, expect=replace(write.expect, lease_expired=False))

    async def expired(self, limit: int) -> list[Claim]:
        self.offset += timedelta(days=1)
        claims = await super().expired(limit)
        self.offset -= timedelta(days=1)
        return claims


class PromotesEarly(Rewriting):
    async def promote(self, limit: int) -> Promotion:
        self.offset += timedelta(seconds=1)
        promotion = await super().promote(limit)
        self.offset -= timedelta(seconds=1)
        return promotion


class DeletesOthers(Rewriting):
    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        return await super().delete(replace(filter, finished_for=None), limit)


class LeasesTooLong(InMemoryJobStore):
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await super().claim(replace(request, lease=2 * request.lease))


class ClaimsMoreAgain(InMemoryJobStore):
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await super().claim(replace(request, repeated=False))


class IgnoresUniqueKeys(InMemoryJobStore):
    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        self._records.unique.clear()
        return await super().insert(jobs)


class NeverRecovers(InMemoryJobStore):
    async def expired(self, limit: int) -> list[Claim]:
        return (await super().expired(limit))[:0]


class SleepsOn(InMemoryJobStore):
    async def wait(
        self,
        queues: Sequence[str],
        worker: str,
        timeout: timedelta,  # noqa: ASYNC109 - the contract's
    ) -> None:
        self._changes_seen[worker] = self._records.changes
        await super().wait(queues, worker, 99 * timeout)


class FailsForGood(InMemoryJobStore):
    async def promote(self, limit: int) -> Promotion:
        raise ValueError(limit)


class NeverPromotes(InMemoryJobStore):
    async def promote(self, limit: int) -> Promotion:
        return Promotion(0 * limit)


class AsksToBeAskedAgain(InMemoryJobStore):
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return replace(await super().claim(request), bounded=True)


class OwnSchedules(InMemoryJobStore):
    """Has schedules of a kind of its own."""

    kind: type[InMemorySchedules] = InMemorySchedules

    def __init__(self) -> None:
        super().__init__()
        self._schedules = self.kind(self._now, self._insert_all)


class _Overwritten(InMemorySchedules):
    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        there = await self.schedules([schedule.name])
        seen = there[0].revision if there else None
        return await super().fire(schedule, seen or expected, jobs)


class _Renaming(_Overwritten):
    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        others = [replace(job, id=job.id + schedule.revision[:9]) for job in jobs]
        return await super().fire(schedule, expected, others)


class _Moved(InMemorySchedules):
    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        odd = {"tick": "2000-01-01T00:00:00.123456+00:00"}
        moved = [replace(job, labels={**job.labels, **odd}) for job in jobs]
        return await super().fire(schedule, expected, moved)


class _NeverDue(InMemorySchedules):
    async def due_schedules(self, limit: int) -> DueSchedules:
        return replace(await super().due_schedules(limit), schedules=())


class OverwritesSchedules(OwnSchedules):
    kind = _Overwritten


class MakesTicksTwice(OwnSchedules):
    kind = _Renaming


class MovesTicks(OwnSchedules):
    kind = _Moved


class IsNeverDue(OwnSchedules):
    kind = _NeverDue


class RenamesWhatItMoves(InMemoryJobStore):
    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        return await super().apply([_with_payload(each) for each in transitions])


def _with_payload(write: Transition) -> Transition:
    if "queue" not in write.changes:
        return write
    return replace(write, changes={**write.changes, "payload": b'{"plan":[["ok",0]]}'})


class ApprovesByItself(InMemoryJobStore):
    async def promote(self, limit: int) -> Promotion:
        for record in self._records.by_id.values():
            if record.job.held_by == APPROVAL:
                queued = {"status": JobStatus.QUEUED, "held_by": None}
                self._records.change(record, queued)
        return await super().promote(limit)
