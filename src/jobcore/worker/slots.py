"""The slots of a worker: claims that wait for one, run in one, or are reported."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from datetime import timedelta
from random import Random
from typing import Any, Final

from jobcore.abilities import WorkerRecord
from jobcore.attempt import Outcome
from jobcore.claim import Claim, ClaimResult
from jobcore.context import Resource
from jobcore.manager import JobManager
from jobcore.retry import RetryStrategy, never
from jobcore.tasks import Tasks
from jobcore.worker.leases import Leases
from jobcore.worker.report import Reporter
from jobcore.worker.run import Ended, Interruption, Run

_logger = logging.getLogger("jobcore.worker")

_RELEASED: Final = Ended(Outcome.RELEASED)


class Slots:
    """Everything that a worker has claimed and not reported yet.

    A slot is free when its handler has ended; the outcome is reported beside the next
    one, and its lease kept until that is stored. Of jobs that were lost before, at most
    one is kept at a time, so that a job that kills its worker takes no other with it.
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
        self._reporter = Reporter(jobs)
        self._worker = record().id
        self._concurrency = record().concurrency
        prefetch = jobs.config.job_prefetch
        self._prefetch = self._concurrency if prefetch is None else prefetch
        self._waiting: deque[Claim] = deque()
        self._runs: dict[tuple[str, str], Run] = {}
        self._suspect: Claim | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._closed = False
        self._context = copy_context()
        self._loop = asyncio.get_running_loop()
        self._patience = 2 * jobs.config.job_polling_interval.total_seconds()
        self._started_at = self._loop.time()
        self._suspected_at = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def room(self) -> int:
        """How many claims are wanted now."""
        unreported = len(self.leases) - len(self._runs) - len(self._waiting)
        if unreported >= self._jobs.config.max_outcome_backlog or self._is_isolating():
            return 0
        prefetch = 0 if self._is_stalled() else self._prefetch
        if len(self._waiting) > prefetch // 2:
            return 0
        room = self._concurrency + prefetch - len(self._runs) - len(self._waiting)
        return min(room, self._jobs.config.max_claim_batch_size)

    def accept(self, result: ClaimResult, asked_at: float) -> None:
        """Take over what a claim brought that was asked for at *asked_at*."""
        self.leases.add(result.claims, asked_at)
        suspects: list[Claim] = []
        for claim in result.claims:
            if claim.job.task not in self._tasks:
                _logger.error(
                    "job %s released: no task %r here", claim.job_id, claim.job.task
                )
                self._give_back(claim, self._jobs.config.unknown_task_delay)
            elif claim.job.losses:
                suspects.append(claim)
            else:
                self._waiting.append(claim)
        if suspects:
            kept = suspects.pop(0) if self._suspect is None else None
            if kept is not None:
                self._suspect, self._suspected_at = kept, self._loop.time()
                self._loop.call_later(self._patience, self.room_made.set)
            self._spawn(self._isolate(kept, suspects))
        self._fill()

    def interrupt(self, claim: Claim, why: Interruption) -> None:
        """End the run of *claim*, or give it back if it has not begun."""
        if run := self._runs.get(_key(claim)):
            run.interrupt(why)
        elif claim in self._waiting:
            self._waiting.remove(claim)
            if why is Interruption.LOST:
                self._forget(claim)
            else:
                self._give_back(claim)
        elif why is Interruption.LOST:
            self._forget(claim)

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
        if not self._work:
            return
        done = asyncio.create_task(_all_done(self._work))
        waited: set[asyncio.Task[Any]] = {done}
        if hurry is not None:
            waited.add(asyncio.create_task(hurry.wait()))
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waited:
            each.cancel()

    async def give_up(self, seconds: float) -> None:
        """End the claims of handlers that ignore their cancellation, and leave nothing
        running that could end."""
        reported = set()
        for run in self._runs.values():
            _logger.error(
                "job %s (%s) is stuck: its handler ignores cancellation",
                run.claim.job_id,
                run.claim.job.task,
            )
            report = self._report(run.claim, run.given_up(), retry=never())
            reported.add(self._spawn(report))
        self._runs.clear()
        if reported:
            await asyncio.wait(reported, timeout=seconds)
        for each in self._work:
            each.cancel()

    async def _isolate(self, kept: Claim | None, others: Sequence[Claim]) -> None:
        """Give back the *others*, and start the one suspect that is *kept* only when
        they are safe, as it may kill this process at once."""
        base = self._jobs.config.retry_delay_base
        delays = (base * self._random.uniform(0.5, 1.5) for _ in others)
        reports = [
            self._report(claim, _RELEASED, delay=delay)
            for claim, delay in zip(others, delays, strict=True)
        ]
        await asyncio.gather(*reports)
        if kept is not None and self._suspect is kept:
            self._waiting.appendleft(kept)
            if self._closed:
                self._give_back_waiting()
            self._fill()

    def _is_isolating(self) -> bool:
        """Whether a suspect is so young that nothing else is claimed beside it."""
        young = self._loop.time() - self._suspected_at < self._patience
        return self._suspect is not None and young

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

    def _fill(self) -> None:
        while self._waiting and len(self._runs) < self._concurrency:
            claim = self._waiting.popleft()
            task = self._tasks[claim.job.task]
            run = Run(claim, task, self._worker, self.resources)
            self._runs[_key(claim)] = run
            self._started_at = self._loop.time()
            self._spawn(self._run(run))
        if self._waiting and self._watch is None:
            self._watch = self._loop.call_later(self._patience, self._look)

    async def _run(self, run: Run) -> None:
        claim = run.claim
        try:
            ended = await run.execute()
        except BaseException:
            self._forget(claim)
            raise
        finally:
            self._runs.pop(_key(claim), None)
            self.room_made.set()
            if not self._closed:
                self._fill()
        retry = self._tasks[claim.job.task].options.get("retry")
        await self._report(claim, ended, retry=never() if ended.hopeless else retry)

    def _give_back(
        self, claim: Claim, delay: timedelta | None = None
    ) -> asyncio.Task[None]:
        return self._spawn(self._report(claim, _RELEASED, delay=delay))

    async def _report(
        self,
        claim: Claim,
        ended: Ended,
        *,
        retry: RetryStrategy | None = None,
        delay: timedelta | None = None,
    ) -> None:
        try:
            await self._reporter.report(claim, ended, retry=retry, delay=delay)
        finally:
            self._forget(claim)

    def _forget(self, claim: Claim) -> None:
        self.leases.drop(claim)
        if self._suspect is claim:
            self._suspect = None
        self.room_made.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        context = self._context.copy()
        task = asyncio.create_task(work, name="jobcore-run", context=context)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


def _key(claim: Claim) -> tuple[str, str]:
    return claim.job_id, claim.token


async def _all_done(work: set[asyncio.Task[None]]) -> None:
    while work:
        await asyncio.wait(set(work))
