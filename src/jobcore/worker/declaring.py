"""What tasks declare of schedules, made true when a worker starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set
from contextlib import suppress

from jobcore.abilities import ScheduleStore
from jobcore.errors import ScheduleNotFoundError, StoreError, UnsupportedError
from jobcore.manager import JobManager
from jobcore.tasks import Tasks

_logger = logging.getLogger("jobcore.worker")


async def declare(jobs: JobManager, tasks: Tasks) -> None:
    """Let there be a schedule for each of *tasks* that declares one, and none any more
    for those that do not. However many workers start, nothing is made twice."""
    declared = {task.name: task for task in tasks if "schedule" in task.options}
    if declared:
        jobs.require(ScheduleStore)
    while True:
        try:
            for name, task in declared.items():
                recurrence = task.options["schedule"]
                await jobs.schedule(name, task.job(), recurrence, declared=True)
            await _remove(jobs, set(tasks.names()) - declared.keys())
        except StoreError as error:
            _logger.warning("schedules not declared yet: %s", error)
            await asyncio.sleep(jobs.config.job_polling_interval.total_seconds())
        else:
            return


async def _remove(jobs: JobManager, undeclared: Set[str]) -> None:
    with suppress(UnsupportedError):
        for schedule in await jobs.schedules():
            if schedule.declared and schedule.name in undeclared:
                with suppress(ScheduleNotFoundError):
                    await jobs.unschedule(schedule.name)
