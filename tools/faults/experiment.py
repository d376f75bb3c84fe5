"""One experiment: workers under load, a fault again and again, and the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from jobcore import (
    DefaultJobManager,
    Filter,
    Job,
    JobcoreConfig,
    JobManager,
    JobStatus,
    JobStore,
    Verifiable,
    store_from_url,
)
from tools.faults.faults import Fault, Held, Scene, bound
from tools.faults.fleet import Fleet, Member
from tools.faults.journal import lines
from tools.faults.judge import Evidence, Verdict, judge
from tools.faults.load import Load

WORKERS = 4
SETTINGS = {
    "job_claim_timeout": "2",
    "stale_job_claim_check_interval": "0.5",
    "job_polling_interval": "0.2",
    "retry_delay_base": "0.2",
    "retry_delay_cap": "2",
    "max_concurrent_jobs": "5",
    # A job that is hit again and again is not at fault.
    "max_lost": "1000",
}
"""Short leases, so that many faults fit into minutes."""
PATIENCE = 120.0
"""Seconds for the workers to finish what is left, or to give the next occasion."""
LONGEST_PAUSE = 1.0
"""Seconds between two strikes at most."""
PAGE = 1000
IN_PROGRESS = frozenset({JobStatus.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict, and how quick all of it was."""

    verdict: Verdict
    seconds: float
    drain: float
    attempts: int


def config() -> JobcoreConfig:
    return JobcoreConfig.model_validate(SETTINGS)


class Experiment:
    """A fault that strikes *workers* of the store at *url*. The journal and the log of
    the workers are in *folder*."""

    def __init__(
        self,
        fault: Fault,
        url: str,
        folder: Path,
        random: Random,
        *,
        workers: int = WORKERS,
    ) -> None:
        self._fault = fault
        self._workers = workers
        self._url = url
        self._folder = folder
        self._random = random
        self._queue = f"faults-{random.getrandbits(64):016x}"

    async def run(self, times: int, tell: Callable[[str], None]) -> Report:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        async with (
            store_from_url(self._url) as store,
            DefaultJobManager(store, config()) as jobs,
        ):
            load = Load(jobs, self._queue, self._random)
            async with self._fleet() as fleet:
                scene = Scene(jobs, fleet, lambda victim: self._held(jobs, victim))
                async with asyncio.TaskGroup() as group:
                    group.create_task(load.run())
                    strikes = await self._strike(times, scene, tell)
                    load.stop()
                drain = await load.drained(PATIENCE)
                await fleet.stop()
            evidence = Evidence(
                submitted=frozenset(load.submitted),
                jobs=await self._jobs(jobs, store),
                journal=list(lines(self._journal)),
                strikes=strikes,
                lease=jobs.config.job_claim_timeout,
                bound=bound(jobs.config),
            )
            return Report(
                verdict=judge(evidence, await _unsound(store)),
                seconds=loop.time() - began_at,
                drain=drain,
                attempts=sum(job.attempt for job in evidence.jobs.values()),
            )

    @property
    def _journal(self) -> Path:
        return self._folder / "journal"

    def _fleet(self) -> Fleet:
        command = [self._url, self._queue, str(self._journal)]
        settings = {f"JOBCORE_{name.upper()}": text for name, text in SETTINGS.items()}
        return Fleet(self._workers, command, settings, self._folder / "log")

    async def _strike(
        self, times: int, scene: Scene, tell: Callable[[str], None]
    ) -> list[Held]:
        strikes: list[Held] = []
        while len(strikes) < times:
            await asyncio.sleep(self._random.uniform(0, LONGEST_PAUSE))
            async with asyncio.timeout(PATIENCE):
                victim = await self._victim(scene)
                held = await self._fault.strike(victim, scene)
            if held:
                strikes.append(held)
            tell(f"{len(strikes)} of {times}: {victim.worker} held {len(held)} jobs")
        return strikes

    async def _victim(self, scene: Scene) -> Member:
        """A worker with jobs in progress, and not the last one that works."""
        while True:
            ready = scene.fleet.ready()
            jobs = [job async for job in self._in_progress(scene.jobs)]
            busy = sorted({job.worker for job in jobs if job.worker} & ready.keys())
            if busy and len(ready) > 1:
                return ready[self._random.choice(busy)]
            await asyncio.sleep(0.02)

    async def _held(self, jobs: JobManager, victim: Member) -> Held:
        return {
            (job.id, job.attempt): job.lease_until
            async for job in self._in_progress(jobs)
            if job.worker == victim.worker and job.lease_until is not None
        }

    def _in_progress(self, jobs: JobManager) -> AsyncIterator[Job]:
        return _found(jobs, Filter(queue=self._queue, statuses=IN_PROGRESS))

    async def _jobs(self, jobs: JobManager, store: JobStore) -> dict[str, Job]:
        """All jobs of the run, with their attempts."""
        ids = [job.id async for job in _found(jobs, Filter(queue=self._queue))]
        whole: dict[str, Job] = {}
        for start in range(0, len(ids), PAGE):
            for job in await store.get(ids[start : start + PAGE], attempts=True):
                if job is not None:
                    whole[job.id] = job
        return whole


async def _found(jobs: JobManager, wanted: Filter) -> AsyncIterator[Job]:
    cursor: str | None = None
    while True:
        page = await jobs.find(wanted, cursor=cursor, limit=PAGE)
        for job in page.jobs:
            yield job
        if (cursor := page.cursor) is None:
            return


async def _unsound(store: JobStore) -> list[str]:
    """What the store finds wrong with itself, if it can tell."""
    verifiable = store.ability(Verifiable)
    if verifiable is None:
        return []
    findings = (await verifiable.verify()).findings
    return [sentence for found in findings.values() for sentence in found]
