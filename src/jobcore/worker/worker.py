"""The worker: claim, run, report, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from jobcore.abilities import WorkerRecord
from jobcore.checks import check_integer, check_name
from jobcore.claim import Claim, ClaimResult
from jobcore.context import Resource
from jobcore.errors import StoreError
from jobcore.identity import new_worker_id
from jobcore.job import Outcome
from jobcore.manager import JobManager
from jobcore.retry import SYSTEM_RANDOM, RetryStrategy, never
from jobcore.tasks import Tasks
from jobcore.upkeep import Upkeep
from jobcore.worker.leases import Leases
from jobcore.worker.report import Reporter
from jobcore.worker.run import Ended, Interruption, Run

_logger = logging.getLogger("jobcore.worker")

_RELEASED: Final = Ended(Outcome.RELEASED)
_LAST_PATIENCE: Final = 5.0
"""Seconds that a handler has to end once it is cancelled by a stop."""


class Worker:
    """Runs the jobs of the queues that its tasks name, or of *queues*.

    It works inside of `async with`, beside the body, and closes nothing that it was
    given. Leaving the body stops it: it claims no more, gives back what it has not
    started, and waits for running handlers, whose leases it keeps, for the grace period
    of the configuration; then it cancels them and gives back their jobs, which spends
    no retry. A second `stop()`, or a cancellation while it stops, cancels at once.
    Should the worker die of a fault of its own, the body is cancelled and the error
    raised at the end of it.
    """

    def __init__(  # noqa: PLR0913 - all but two are options by name
        self,
        jobs: JobManager,
        tasks: Tasks,
        *,
        queues: Sequence[str] | None = None,
        concurrency: int | None = None,
        upkeep: bool = True,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        config = jobs.config
        chosen = tasks.queues(config.default_queue) if queues is None else queues
        self.id: str = new_worker_id(random, socket.gethostname(), os.getpid())
        self.queues: tuple[str, ...] = tuple(
            check_name("queue", each) for each in chosen
        )
        self.concurrency: int = check_integer(
            "concurrency", concurrency or config.max_concurrent_jobs, 1, 1_000_000
        )
        prefetch = config.job_prefetch
        self._prefetch = self.concurrency if prefetch is None else prefetch
        self._jobs = jobs
        self._tasks = tasks
        self._upkeep = Upkeep(jobs, random) if upkeep else None
        self._random = random
        self._reporter = Reporter(jobs)
        self._resources: dict[Resource[Any], Any] = {}
        self._waiting: deque[Claim] = deque()
        self._runs: dict[tuple[str, str], Run] = {}
        self._suspect: Claim | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None
        self._contact_at = 0.0

    async def __aenter__(self) -> Self:
        self._leases = Leases(self._jobs, self._record, self._interrupt)
        self._room_made, self._stopping = asyncio.Event(), asyncio.Event()
        self._hurry, self._ready = asyncio.Event(), asyncio.Event()
        self._main = asyncio.create_task(self._live(), name=f"jobcore-{self.id}")
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({self._main, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        finally:
            ready.cancel()
        if self._main.done():
            await self._main
        self._body = asyncio.current_task()
        self._main.add_done_callback(self._died)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        body, self._body = self._body, None
        await self.stop()
        if self._main is not None and (fault := self._main.exception()) is not None:
            if isinstance(error, asyncio.CancelledError) and body is not None:
                body.uncancel()
            raise fault

    async def run(self) -> None:
        """Work until `stop()` is called or the caller is cancelled."""
        async with self:
            await self._stopping.wait()

    async def stop(self) -> None:
        """Stop as the class says, and return when it has; again: at once."""
        if self._main is None or self._main.done():
            return
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()
        try:
            await asyncio.wait({self._main})
        except asyncio.CancelledError:
            self._hurry.set()
            await asyncio.wait({self._main})
            raise

    @property
    def is_healthy(self) -> bool:
        """Whether a claim or renewal succeeded within the last lease."""
        if self._main is None or self._main.done():
            return False
        latest = max(self._contact_at, self._leases.renewed_at)
        lease = self._jobs.config.job_claim_timeout.total_seconds()
        return asyncio.get_running_loop().time() - latest < lease

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            for resource in self._tasks.resources:
                opened = await stack.enter_async_context(resource.open())
                self._resources[resource] = opened
            try:
                await self._work_until_stopped()
            except BaseException:
                self._hurry.set()
                await self._drain()
                raise
            await self._strike_out()

    async def _work_until_stopped(self) -> None:
        async with asyncio.TaskGroup() as group:
            claiming = group.create_task(self._claim())
            keeping = [group.create_task(self._leases.run())]
            if self._upkeep is not None:
                keeping.append(group.create_task(self._upkeep.run()))
            self._ready.set()
            await self._stopping.wait()
            claiming.cancel()
            await self._drain()
            for each in keeping:
                each.cancel()

    async def _claim(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not (wanted := self._room()):
                self._room_made.clear()
                await self._room_made.wait()
            asked_at = loop.time()
            try:
                result = await self._jobs.claim(self.id, self.queues, wanted)
            except StoreError as error:
                _logger.warning("nothing claimed: %s", error)
                await asyncio.sleep(self._pause())
                continue
            self._contact_at = asked_at
            self._accept(result, asked_at)
            if len(result.claims) < wanted and not result.bounded:
                await self._idle()

    def _room(self) -> int:
        unreported = len(self._leases) - len(self._runs) - len(self._waiting)
        if unreported >= self._jobs.config.max_outcome_backlog:
            return 0
        if len(self._waiting) > self._prefetch // 2:
            return 0
        room = self.concurrency + self._prefetch - len(self._runs) - len(self._waiting)
        return min(room, self._jobs.config.max_claim_batch_size)

    def _accept(self, result: ClaimResult, asked_at: float) -> None:
        self._leases.add(result.claims, asked_at)
        base = self._jobs.config.retry_delay_base
        for claim in result.claims:
            if claim.job.task not in self._tasks:
                _logger.error(
                    "job %s released: no task %r here", claim.job_id, claim.job.task
                )
                self._give_back(claim, self._jobs.config.unknown_task_delay)
            elif claim.job.losses and self._suspect is not None:
                self._give_back(claim, base * self._random.uniform(0.5, 1.5))
            else:
                if claim.job.losses:
                    self._suspect = claim
                self._waiting.append(claim)
        self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._runs) < self.concurrency:
            claim = self._waiting.popleft()
            task = self._tasks[claim.job.task]
            run = Run(claim, task, self.id, self._resources)
            self._runs[_key(claim)] = run
            self._spawn(self._run(run))

    async def _run(self, run: Run) -> None:
        claim = run.claim
        try:
            ended = await run.execute()
        finally:
            self._runs.pop(_key(claim), None)
            self._room_made.set()
        if not self._stopping.is_set():
            self._start_waiting()
        retry = self._tasks[claim.job.task].options.get("retry")
        await self._report(claim, ended, retry=never() if ended.hopeless else retry)

    async def _idle(self) -> None:
        loop = asyncio.get_running_loop()
        pause, began_at = self._pause(), loop.time()
        try:
            await self._jobs.wait(self.id, self.queues, timedelta(seconds=pause))
        except StoreError as error:
            _logger.warning("no hints: %s", error)
            await asyncio.sleep(pause)
        if loop.time() - began_at < pause:
            self._leases.renew_soon()

    def _pause(self) -> float:
        interval = self._jobs.config.job_polling_interval.total_seconds()
        return interval * self._random.uniform(0.8, 1.2)

    async def _drain(self) -> None:
        while self._waiting:
            self._give_back(self._waiting.popleft())
        grace = self._jobs.config.shutdown_grace_period.total_seconds()
        await self._wait_for_work(grace, hurried=True)
        for run in list(self._runs.values()):
            run.interrupt(Interruption.STOP)
        await self._wait_for_work(_LAST_PATIENCE)
        await self._give_up_stuck()

    async def _give_up_stuck(self) -> None:
        released = set()
        for run in self._runs.values():
            _logger.error(
                "job %s (%s) is stuck: its handler ignores cancellation",
                run.claim.job_id,
                run.claim.job.task,
            )
            released.add(self._give_back(run.claim))
        self._runs.clear()
        if released:
            await asyncio.wait(released, timeout=_LAST_PATIENCE)

    async def _wait_for_work(self, seconds: float, *, hurried: bool = False) -> None:
        if not self._work:
            return
        done = asyncio.create_task(_all_done(self._work))
        hurry = asyncio.create_task(self._hurry.wait())
        waited = {done, hurry} if hurried else {done}
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()
        hurry.cancel()

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
        self._leases.drop(claim)
        if self._suspect is claim:
            self._suspect = None
        self._room_made.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="jobcore-run")
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    def _interrupt(self, claim: Claim, why: Interruption) -> None:
        if run := self._runs.get(_key(claim)):
            run.interrupt(why)
        elif claim in self._waiting:
            self._waiting.remove(claim)
            if why is Interruption.LOST:
                self._forget(claim)
            else:
                self._give_back(claim)

    def _record(self) -> WorkerRecord:
        return WorkerRecord(
            id=self.id,
            queues=self.queues,
            tasks=tuple(task.name for task in self._tasks),
            concurrency=self.concurrency,
            version=version("jobcore-core"),
        )

    async def _strike_out(self) -> None:
        try:
            await self._jobs.gone(self.id)
        except StoreError as error:
            _logger.warning("not struck out of the directory: %s", error)

    def _died(self, main: asyncio.Task[None]) -> None:
        if not main.cancelled() and main.exception() and self._body is not None:
            self._body.cancel()


def _key(claim: Claim) -> tuple[str, str]:
    return claim.job_id, claim.token


async def _all_done(work: set[asyncio.Task[None]]) -> None:
    while work:
        await asyncio.wait(set(work))
