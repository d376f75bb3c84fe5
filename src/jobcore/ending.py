"""How claims end: outcomes in batches, and what follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from jobcore import lifecycle
from jobcore.abilities import QueueControl
from jobcore.attempt import decode_error
from jobcore.batching import Batcher
from jobcore.calls import StoreCalls
from jobcore.claim import Claim, ClaimResult
from jobcore.details import Details
from jobcore.errors import ClaimLostError, JobConflictError, StoreUnavailableError
from jobcore.events import Event, EventKind, Events, ended, operated
from jobcore.job import Job, JobStatus
from jobcore.report import Report
from jobcore.reporting import Reporting
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition

BATCH: Final = 1000
_APPLIED: Final = Answer.APPLIED
_LOCKED: Final = Answer.LOCKED
_LOCKED_PAUSES: Final = tuple(0.01 * 2**n for n in range(9))
"""Seconds before each further try of a row that is locked, five in all."""


class Endings:
    """Applies the ends of claims, many in one round trip."""

    def __init__(
        self,
        store: JobStore,
        calls: StoreCalls,
        reporting: Reporting,
        events: Events,
    ) -> None:
        self._events = events
        self._store = store
        self._calls = calls
        self._reporting = reporting
        self._control = store.ability(QueueControl)
        self._outcomes: Batcher[Transition, Answer] = Batcher(self._apply, BATCH)
        self._lifts: Batcher[str, int] = Batcher(self._lift, BATCH)
        self._listening: dict[str, set[asyncio.Event]] = {}
        self.scheduled: asyncio.Event = asyncio.Event()
        """Set when this manager has made a job wait for its due time."""

    async def end(self, report: Report) -> JobStatus:
        """End a claim as *report* tells and say what status the job has now. Where a
        cancellation was requested meanwhile, the job ends in that instead."""
        claim = report.claim
        answer, made = await self._end(claim, self._reporting.transition(report))
        if answer is Answer.LOCKED:
            raise JobConflictError(claim.job_id, report.act, answer)
        if answer is not Answer.APPLIED:
            raise ClaimLostError(claim.job_id, report.act, answer)
        return _status_of(made)

    async def end_all(self, reports: Sequence[Report]) -> list[JobStatus | Exception]:
        """End the claims of *reports* in one write. What cannot be ended so is then
        ended alone, and answered with the error where that fails. What is locked is
        answered so at once, as its neighbours should not have to wait for it."""
        self._calls.check()
        try:
            made = [self._reporting.transition(each) for each in reports]
            answers = await self._calls.call(lambda: self._store.apply(made))
        except StoreUnavailableError as error:
            return [error] * len(reports)
        except Exception:  # noqa: BLE001 - whose it is shows when each is ended alone
            return await self._end_each(reports)
        alone = [
            report
            for report, answer in zip(reports, answers, strict=True)
            if answer is not _APPLIED and answer is not _LOCKED
        ]
        later = iter(await self._end_each(alone) if alone else ())
        ended: list[JobStatus | Exception] = []
        for report, transition, answer in zip(reports, made, answers, strict=True):
            if answer is _APPLIED:
                self._ended(report.claim, transition)
                ended.append(_status_of(transition))
            elif answer is _LOCKED:
                job_id = report.claim.job_id
                ended.append(JobConflictError(job_id, report.act, answer))
            else:
                ended.append(next(later))
        return ended

    async def lose(self, claim: Claim) -> Answer:
        """End a claim whose lease ran out, unless it was renewed or ended meanwhile."""
        answer, _ = await self._end(claim, self._reporting.loss(claim))
        return answer

    async def note(self, claim: Claim, details: Details) -> None:
        """Store what the job of *claim* carries from now on."""
        answer = await self.apply(lifecycle.note(claim, details.written()))
        if answer is Answer.LOCKED:
            raise JobConflictError(claim.job_id, "note", answer)
        if answer is not Answer.APPLIED:
            raise ClaimLostError(claim.job_id, "note", answer)

    async def apply(self, transition: Transition) -> Answer:
        """Apply a write of any kind in the next batch, again while it is locked."""
        self._calls.check()
        answer = await self._outcomes.add(transition)
        for pause in _LOCKED_PAUSES:
            if answer is not Answer.LOCKED:
                break
            await asyncio.sleep(pause)
            answer = await self._outcomes.add(transition)
        return answer

    def moved(self, job: Job, transition: Transition, actor: str | None = None) -> None:
        """See to what follows from a write that an operator has made of *job*."""
        self.wake(job.id)
        if transition.status is JobStatus.SCHEDULED:
            self.scheduled.set()
        kind = operated(job, transition)
        if self._events.wants(kind):
            status = _status_of(transition)
            self._events.tell(Event(kind, job, status=status, actor=actor))

    def claimed(self, worker: str, result: ClaimResult) -> None:
        """Tell of what *worker* has claimed."""
        if self._events.wants(EventKind.CLAIMED):
            for claim in result.claims:
                self._events.tell(Event(EventKind.CLAIMED, claim.job, worker))
            if result.held:
                self._events.tell(Event(EventKind.HELD, number=result.held))

    def wake(self, job_id: str) -> None:
        """Set the events of those who listen."""
        for event in self._listening.get(job_id, ()):
            event.set()

    @contextmanager
    def listen(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when a claim of the job ends in this process, from now
        on until the context is left."""
        event = asyncio.Event()
        listening = self._listening.setdefault(job_id, set())
        listening.add(event)
        try:
            yield event
        finally:
            listening.discard(event)
            if not listening:
                self._listening.pop(job_id, None)

    async def close(self) -> None:
        """Wait until everything that was handed in is stored."""
        await self._outcomes.finish()
        await self._lifts.finish()

    async def _end_each(self, reports: Iterable[Report]) -> list[JobStatus | Exception]:
        async def alone(report: Report) -> JobStatus | Exception:
            try:
                return await self.end(report)
            except Exception as error:  # noqa: BLE001 - it is the answer
                return error

        return await asyncio.gather(*map(alone, reports))

    async def _end(
        self, claim: Claim, transition: Transition
    ) -> tuple[Answer, Transition]:
        answer = await self.apply(transition)
        if answer is Answer.CANCEL_REQUEST:
            transition = lifecycle.acknowledge(transition, claim)
            answer = await self.apply(transition)
        if answer is Answer.APPLIED:
            self._ended(claim, transition)
        return answer, transition

    def _ended(self, claim: Claim, transition: Transition) -> None:
        if self._listening:
            self.wake(claim.job_id)
        kind = ended(transition)
        if self._events.wants(kind):
            self._events.tell(
                Event(
                    kind,
                    claim.job,
                    claim.job.worker,
                    status=_status_of(transition),
                    detail=_detail_of(claim.job, transition),
                )
            )
        if transition.delay:
            self.scheduled.set()
        key = claim.job.limit_key
        if key is not None and self._control is not None:
            self._lifts.add(f"limit:{key}").add_done_callback(_forget)

    async def _apply(self, transitions: Sequence[Transition]) -> Sequence[Answer]:
        return await self._calls.repeat(lambda: self._store.apply(transitions))

    async def _lift(self, holders: Sequence[str]) -> Sequence[int]:
        control, distinct = self._control, tuple(dict.fromkeys(holders))
        if control is not None:
            await self._calls.repeat(lambda: control.lift(distinct, BATCH))
        return [0] * len(holders)


def _detail_of(job: Job, made: Transition) -> str:
    error = decode_error(made.changes.get("error"))
    told = f": {error.type}" if error else ""
    return f"attempt {job.attempt} {made.outcome}{told}"


def _status_of(made: Transition) -> JobStatus:
    return (made.delay and made.later) or made.status


def _forget(future: asyncio.Future[int]) -> None:
    if not future.cancelled():
        future.exception()
