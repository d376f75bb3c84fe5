"""The slots of a worker: claims that wait for one, run in one, or are reported."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

from jobcore.abilities import WorkerRecord
from jobcore.attempt import Outcome
from jobcore.claim import Claim, ClaimResult
from jobcore.context import Acts, JobContext, Resource
from jobcore.details import Details
from jobcore.errors import ClaimLostError
from jobcore.events import Event, EventKind
from jobcore.manager import JobManager
from jobcore.report import Report
from jobcore.tasks import Tasks
from jobcore.worker.leases import Leases
from jobcore.worker.report import Reporter
from jobcore.worker.run import Interruption, Run, key_of
from jobcore.worker.suspects import Suspects

_STARTS: Final = 25
"""How many handlers start in one pass of the event loop. It also bounds how much lives
at a time: with a hundred, Python's garbage collector took a seventh of a drain."""


class Slots:
    """Everything that a worker has claimed and not reported yet.

    A slot is free when its handler has ended; the outcome is reported beside the next
    one, and its lease kept until that is stored.
    """

    def __init__(
        self,
        jobs: JobManager,
        tasks: Tasks,
        record: Callable[[], WorkerRecord],
        random: Random,
    ) -> None:
        self.resources: dict[Resource[Any], Any] = {}
        self.leases: Leases = Leases(jobs, record, self.interrupt)
        self.room_made: asyncio.Event = asyncio.Event()
        self._jobs = jobs
        self._tasks = tasks
        self._random = random
        self._reporter = Reporter(jobs, self._forget)
        self._worker = record().id
        self._concurrency = record().concurrency
        prefetch = jobs.config.job_prefetch
        self._prefetch = self._concurrency if prefetch is None else prefetch
        self._waiting: deque[Claim] = deque()
        self._runs: dict[str, Run] = {}
        self._acts = Acts(self._complete, self._note)
        self._around = jobs.instrumentation.run
        self._closed = False
        self._context = copy_context()
        self._loop = asyncio.get_running_loop()
        self._patience = 2 * jobs.config.job_polling_interval.total_seconds()
        self._suspects = Suspects(self._patience, self.room_made.set)
        self._started_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None

    def room(self) -> int:
        """How many claims are wanted now."""
        backlog = len(self._reporter)
        if backlog >= self._jobs.config.max_outcome_backlog or self._suspects.are_young:
            return 0
        prefetch = 0 if self._is_stalled() else self._prefetch
        room = self._concurrency + prefetch - len(self._runs) - len(self._waiting)
        if room < prefetch // 2:
            return 0
        return min(room, self._jobs.config.max_claim_batch_size)

    def accept(self, result: ClaimResult, asked_at: float) -> None:
        """Take over what a claim brought that was asked for at *asked_at*."""
        self.leases.add(result.claims, asked_at)
        suspects: list[Claim] = []
        for claim in result.claims:
            if claim.job.task not in self._tasks:
                self._tell(EventKind.UNKNOWN_TASK, claim)
                self._give_back(claim, self._jobs.config.unknown_task_delay)
            elif claim.job.losses:
                suspects.append(claim)
            else:
                self._waiting.append(claim)
        if suspects:
            self._isolate(suspects)
        self._fill()

    def interrupt(self, claim: Claim, why: Interruption) -> None:
        """End the run of *claim*, or give it back if it has not begun. One that is
        being reported may seem lost, as its report and a renewal have crossed."""
        run = self._runs.get(key_of(claim))
        waits = claim in self._waiting
        if run and run.completes_itself and why is Interruption.LOST:
            return
        if why is Interruption.LOST and (run or waits):
            self._tell(EventKind.LEASE_LOST, claim)
        if run:
            run.interrupt(why)
        elif waits:
            self._waiting.remove(claim)
            if why is Interruption.LOST:
                self._forget([claim])
            else:
                self._give_back(claim)
        elif why is Interruption.LOST:
            self._forget([claim])

    def close(self) -> None:
        """Start nothing more, and give back what has not started."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        self._give_back_waiting()

    def cancel(self) -> None:
        """Tell all handlers to end, as the worker stops."""
        for run in list(self._runs.values()):
            run.interrupt(Interruption.STOP)

    async def finish(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        """Wait until all has ended and is reported, or *seconds*, or *hurry* is set."""
        waited: set[asyncio.Task[Any]] = {asyncio.create_task(self._emptied())}
        if hurry is not None:
            waited.add(asyncio.create_task(hurry.wait()))
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waited:
            each.cancel()

    async def give_up(self, seconds: float) -> None:
        """End the claims of handlers that ignore their cancellation, and leave nothing
        running that could end."""
        stuck = list(self._runs.values())
        self._runs.clear()
        for run in stuck:
            self._tell(EventKind.STUCK, run.claim)
            self._report(run.claim, run.given_up())
        await self.finish(seconds)
        for run in stuck:
            run.abandon()

    async def _emptied(self) -> None:
        while self._runs or self._waiting or len(self._reporter):
            self.room_made.clear()
            await self.room_made.wait()

    def _isolate(self, suspects: Sequence[Claim]) -> None:
        base = self._jobs.config.retry_delay_base
        for claim in self._suspects.keep_one(suspects):
            self._give_back(claim, base * self._random.uniform(0.5, 1.5))
        self._begin_suspect()

    def _begin_suspect(self) -> None:
        if (suspect := self._suspects.begin()) is not None:
            self._waiting.appendleft(suspect)
            if self._closed:
                self._give_back_waiting()
            self._fill()

    def _is_stalled(self) -> bool:
        """Whether no slot has come free for a while, so that what waits for one here
        would start sooner elsewhere, where perhaps a running job waits for it."""
        busy = len(self._runs) >= self._concurrency
        return busy and self._loop.time() - self._started_at >= self._patience

    def _look(self) -> None:
        self._watch = None
        if self._is_stalled():
            self._give_back_waiting()
        elif self._waiting:
            self._watch = self._loop.call_later(self._patience, self._look)

    def _give_back_waiting(self) -> None:
        while self._waiting:
            self._give_back(self._waiting.popleft())

    def _give_back(self, claim: Claim, delay: timedelta | None = None) -> None:
        self._reporter.add(Report(claim, Outcome.RELEASED, delay=delay))

    def _fill(self) -> None:
        """Start what waits; what is more than the event loop should be kept busy with
        starts in its next passes."""
        for _ in range(_STARTS):
            if not self._start_next():
                break
        else:
            self._loop.call_soon(self._fill)
        if self._waiting and self._watch is None:
            self._watch = self._loop.call_later(self._patience, self._look)

    def _start_next(self) -> bool:
        busy = len(self._runs) >= self._concurrency
        if self._closed or busy or not self._waiting:
            return False
        claim = self._waiting.popleft()
        task = self._tasks[claim.job.task]
        run = Run(claim, task, self._worker, self.resources, self._acts)
        self._runs[run.key] = run
        self._started_at = self._loop.time()
        self._loop.create_task(self._run(run), context=self._context.copy())
        return True

    async def _run(self, run: Run) -> None:
        try:
            report = await self._around(run.claim, self._worker, run.execute)
        except BaseException:
            self._forget([run.claim])
            raise
        finally:
            given_up = self._runs.pop(run.key, None) is None
            self.room_made.set()
            self._start_next()
        if not given_up:
            self._report(run.claim, _carrying(report, run.context.unsaved))

    async def _complete(
        self, context: JobContext, connection: object, result: object
    ) -> None:
        claim = self._claim_of(context, "complete")
        result_type = self._tasks[context.job.task].arguments.result_type
        await self._jobs.using(connection).complete(claim, result, result_type)

    async def _note(self, context: JobContext, details: Details) -> None:
        await self._jobs.note(self._claim_of(context, "note"), details)

    def _claim_of(self, context: JobContext, act: str) -> Claim:
        """The claim that the run of *context* has. These acts are not the run's, which
        would refer to itself."""
        running = (each for each in self._runs.values() if each.context is context)
        run = next(running, None)
        if run is None:
            raise ClaimLostError(context.job.id, act, "its run has ended")
        return run.claim

    def _tell(self, kind: EventKind, claim: Claim) -> None:
        self._jobs.events.tell(Event(kind, claim.job, self._worker))

    def _report(self, claim: Claim, report: Report | None) -> None:
        if report is None:
            self._forget([claim])
        else:
            self._reporter.add(report)

    def _forget(self, claims: Sequence[Claim]) -> None:
        self.leases.drop(claims)
        self._suspects.forget(claims)
        self._begin_suspect()
        self.room_made.set()


def _carrying(report: Report | None, unsaved: Details | None) -> Report | None:
    if report is None or unsaved is None:
        return report
    return replace(report, details=unsaved)
