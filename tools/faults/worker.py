"""A worker in a process of its own: `python -m tools.faults.worker URL QUEUE JOURNAL`.

It prints its name when it is ready, works until its standard input is closed, and so
never outlives who started it. Settings come from the environment, as anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobcore import (
    ClaimLostError,
    ClaimResult,
    DefaultJobManager,
    JobContext,
    JobcoreConfig,
    JobStatus,
    JobStore,
    Report,
    Tasks,
    Worker,
    store_from_url,
)
from tools.faults.journal import Event, Journal


def tasks_with(journal: Journal) -> Tasks:
    """Two tasks that take their time, one on the event loop and one in a thread, which
    cannot be cancelled. Their result is the number of the attempt that ran."""
    tasks = Tasks()

    @contextmanager
    def noted(context: JobContext) -> Iterator[None]:
        journal.write(Event.STARTED, context.job.id, context.job.attempt)
        yield
        journal.write(Event.ENDED, context.job.id, context.job.attempt)

    @tasks.task(context=True)
    async def sleep(context: JobContext, seconds: float) -> int:
        with noted(context):
            await asyncio.sleep(seconds)
        return context.job.attempt

    @tasks.task(context=True)
    def sleep_in_thread(context: JobContext, seconds: float) -> int:
        with noted(context):
            time.sleep(seconds)
        return context.job.attempt

    return tasks


class NotingManager(DefaultJobManager):
    """Notes each claim, and what becomes of it."""

    def __init__(
        self, store: JobStore, config: JobcoreConfig, journal: Journal
    ) -> None:
        super().__init__(store, config)
        self._journal = journal

    async def claim(
        self, worker: str, queues: Sequence[str], limit: int
    ) -> ClaimResult:
        result = await super().claim(worker, queues, limit)
        for each in result.claims:
            self._journal.write_of(Event.CLAIMED, each, time.monotonic())
        return result

    async def report(self, reports: Sequence[Report]) -> list[JobStatus | Exception]:
        sent_at = time.monotonic()
        answers = await super().report(reports)
        for report, answer in zip(reports, answers, strict=True):
            if isinstance(answer, JobStatus):
                self._journal.write_of(Event.ACCEPTED, report.claim, sent_at)
            elif isinstance(answer, ClaimLostError):
                self._journal.write_of(Event.REFUSED, report.claim, sent_at)
        return answers


async def main(url: str, queue: str, path: Path) -> None:
    journal = Journal(path)
    async with (
        store_from_url(url) as store,
        NotingManager(store, JobcoreConfig(), journal) as jobs,
        Worker(jobs, tasks_with(journal), queues=[queue]) as worker,
    ):
        print(worker.id, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(process)d %(name)s: %(message)s")
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
