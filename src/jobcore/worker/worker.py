"""The worker: claim, run, report, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version
from math import inf
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from jobcore.abilities import WorkerRecord
from jobcore.checks import check_integer, check_name
from jobcore.errors import StoreError
from jobcore.health import Health
from jobcore.identity import new_worker_id
from jobcore.manager import JobManager
from jobcore.retry import SYSTEM_RANDOM
from jobcore.tasks import Tasks
from jobcore.upkeep import Upkeep
from jobcore.worker.declaring import declare
from jobcore.worker.slots import Slots

_logger = logging.getLogger("jobcore.worker")

_VERSION: Final = version("jobcore-core")

_PATIENCE: Final = timedelta(seconds=5)
"""How long a handler has to end once it is cancelled by a stop."""


class Worker:
    """Runs the jobs of the queues that its tasks name, or of *queues*.

    It works inside of `async with`, beside the body, and closes nothing that it was
    given. Leaving the body stops it: it claims no more, gives back what it has not
    started, and waits for running handlers, whose leases it keeps, for the grace period
    of the configuration; then it cancels them and gives back their jobs, which spends
    no retry. A handler that has not ended *patience* later is reported as stuck, and
    its job given back all the same. A second `stop()`, or a cancellation while it
    stops, cancels at once.
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
        patience: timedelta = _PATIENCE,
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
        self._jobs = jobs
        self._tasks = tasks
        self._upkeep = Upkeep(jobs, random) if upkeep else None
        self._patience = patience.total_seconds()
        self._random = random
        self._main: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None
        self._contact_at = -inf

    async def __aenter__(self) -> Self:
        self._leave = self._jobs.health_checks.add(self._health)
        try:
            await self._start()
        except BaseException:
            self._leave()
            raise
        return self

    async def _start(self) -> None:
        self._slots = Slots(self._jobs, self._tasks, self._record, self._random)
        self._stopping, self._ready = asyncio.Event(), asyncio.Event()
        self._hurry = asyncio.Event()
        self._main = asyncio.create_task(self._live(), name=f"jobcore-{self.id}")
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({self._main, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if not self._ready.is_set():
                self._main.cancel()
            await self._finish()
            raise
        finally:
            ready.cancel()
        if self._main.done():
            await self._main
        self._body = asyncio.current_task()
        self._main.add_done_callback(self._ended)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        body, self._body = self._body, None
        await self._finish()
        self._leave()
        if self._main is not None and (fault := self._main.exception()) is not None:
            if isinstance(error, asyncio.CancelledError) and body is not None:
                body.uncancel()
            raise fault

    async def run(self) -> None:
        """Work until `stop()` is called or the caller is cancelled; inside of the body
        too, where it works already."""
        if self._main is not None and not self._main.done():
            await self._stopping.wait()
            return
        async with self:
            await self._stopping.wait()

    async def stop(self) -> None:
        """Stop as the class says, and return when it has; again: at once."""
        if self._main is not None and self._stopping.is_set():
            self._hurry.set()
        await self._finish()

    async def _finish(self) -> None:
        """Stop, or wait for the stop that is under way, as whoever leaves the body does
        after somebody else has stopped the worker."""
        if self._main is None or self._main.done():
            return
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
        latest = max(self._contact_at, self._slots.leases.renewed_at)
        lease = self._jobs.config.job_claim_timeout.total_seconds()
        return asyncio.get_running_loop().time() - latest < lease

    def _health(self) -> Health:
        lives = self._main is None or not self._main.done()
        ready = lives and self._ready.is_set()
        return Health(alive=lives, started=ready, connected=self.is_healthy)

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            for resource in self._tasks.resources:
                opened = await stack.enter_async_context(resource.open())
                self._slots.resources[resource] = opened
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
            keeping = [group.create_task(self._slots.leases.run())]
            keeping.append(group.create_task(declare(self._jobs, self._tasks)))
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
            while not (wanted := self._slots.room()):
                self._slots.room_made.clear()
                await self._slots.room_made.wait()
            asked_at = loop.time()
            try:
                result = await self._jobs.claim(self.id, self.queues, wanted)
            except StoreError as error:
                _logger.warning("nothing claimed: %s", error)
                await asyncio.sleep(self._pause())
                continue
            self._contact_at = asked_at
            self._slots.accept(result, asked_at)
            if len(result.claims) < wanted and not result.bounded:
                await asyncio.sleep(0)  # what was claimed begins first
                await self._idle()

    async def _idle(self) -> None:
        pause = self._pause()
        try:
            if await self._jobs.wait(self.id, self.queues, timedelta(seconds=pause)):
                self._slots.leases.renew_soon()
        except StoreError as error:
            _logger.warning("no hints: %s", error)
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        interval = self._jobs.config.job_polling_interval.total_seconds()
        return interval * self._random.uniform(0.8, 1.2)

    async def _drain(self) -> None:
        grace = self._jobs.config.shutdown_grace_period.total_seconds()
        self._slots.close()
        await self._slots.finish(grace, self._hurry)
        self._slots.cancel()
        await self._slots.finish(self._patience)
        await self._slots.give_up(self._patience)

    def _record(self) -> WorkerRecord:
        return WorkerRecord(
            id=self.id,
            queues=self.queues,
            tasks=tuple(self._tasks.names()),
            concurrency=self.concurrency,
            version=_VERSION,
        )

    async def _strike_out(self) -> None:
        try:
            await self._jobs.gone(self.id)
        except StoreError as error:
            _logger.warning("not struck out of the directory: %s", error)

    def _ended(self, main: asyncio.Task[None]) -> None:
        if main.cancelled() or main.exception() is None:
            self._leave()
        elif self._body is not None:
            self._body.cancel()
