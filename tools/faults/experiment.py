"""One experiment: workers under load, a fault again and again, and the evidence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from jobcore import (
    DefaultJobManager,
    Filter,
    Job,
    JobcoreConfig,
    JobManager,
    JobStore,
    store_from_url,
)
from tools.faults.course import Course, Tell
from tools.faults.evidence import Evidence
from tools.faults.faults import bound
from tools.faults.fleet import Fleet
from tools.faults.journal import lines
from tools.faults.judge import Verdict, judge
from tools.faults.load import Load
from tools.faults.scene import PAGE, Scene, found_by, unsound

WORKERS = 4
PATIENCE = 120.0
"""Seconds for the workers to finish what is left."""


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict, and how quick all of it was."""

    verdict: Verdict
    seconds: float
    drain: float
    attempts: int
    lease: timedelta
    sweep: timedelta


class Experiment:
    """A *course* of faults, while workers of the store at *url* work. The journal and
    the log of the workers are in *folder*."""

    def __init__(
        self,
        course: Course,
        url: str,
        folder: Path,
        random: Random,
        *,
        workers: int = WORKERS,
    ) -> None:
        self._course = course
        self._config = JobcoreConfig.model_validate(course.settings)
        self._workers = workers
        self._url = url
        self._folder = folder
        self._random = random
        self._queue = f"faults-{random.getrandbits(64):016x}"

    async def run(self, times: int, tell: Tell) -> Report:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        async with (
            store_from_url(self._url) as store,
            DefaultJobManager(store, self._config) as jobs,
        ):
            load = Load(jobs, self._queue, self._random)
            async with self._fleet() as fleet:
                scene = Scene(jobs, fleet, self._queue)
                async with asyncio.TaskGroup() as group:
                    group.create_task(load.run())
                    struck = await self._course.run(times, scene, tell)
                    load.stop()
                drain = await load.drained(PATIENCE)
                workers = frozenset(fleet.ready())
                await fleet.stop()
            evidence = Evidence(
                submitted=load.submitted,
                refusals=load.refusals,
                jobs=await self._jobs(jobs, store),
                journal=list(lines(self._journal)),
                struck=struck,
                workers=workers,
                lease=self._config.job_claim_timeout,
                bound=bound(self._config),
            )
            return Report(
                verdict=judge(evidence, await unsound(store)),
                seconds=loop.time() - began_at,
                drain=drain,
                attempts=sum(job.attempt for job in evidence.jobs.values()),
                lease=evidence.lease,
                sweep=self._config.stale_job_claim_check_interval,
            )

    @property
    def _journal(self) -> Path:
        return self._folder / "journal"

    def _fleet(self) -> Fleet:
        command = [self._url, self._queue, str(self._journal)]
        settings = {
            f"JOBCORE_{name.upper()}": text
            for name, text in self._course.settings.items()
        }
        return Fleet(self._workers, command, settings, self._folder / "log")

    async def _jobs(self, jobs: JobManager, store: JobStore) -> dict[str, Job]:
        """All jobs of the run, with their attempts."""
        ids = [job.id async for job in found_by(jobs, Filter(queue=self._queue))]
        whole: dict[str, Job] = {}
        for start in range(0, len(ids), PAGE):
            for job in await store.get(ids[start : start + PAGE], attempts=True):
                if job is not None:
                    whole[job.id] = job
        return whole
