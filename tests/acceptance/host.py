"""A host in a process of its own: `python host.py URL JOURNAL calm|faulty`.

Every start of a handler is a line in the journal, which does not go through the store.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from jobcore import (
    JobContext,
    JobcoreConfig,
    JobManager,
    Tasks,
    Worker,
    open_manager,
)
from jobcore.job import UNFINISHED

tasks = Tasks()


@tasks.task(context=True)
async def work(context: JobContext) -> None:
    write_line(f"{context.job.id} {context.job.attempt} {os.getpid()}\n")


@tasks.task(context=True)
async def poison(context: JobContext) -> None:
    write_line(f"poison {context.job.attempt} {os.getpid()}\n")
    os._exit(9)


def write_line(line: str) -> None:
    descriptor = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


CONFIG = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=1),
    stale_job_claim_check_interval=timedelta(seconds=0.2),
    job_polling_interval=timedelta(seconds=0.1),
    retry_delay_base=timedelta(seconds=0.2),
)


async def main(url: str, calm: bool) -> None:  # noqa: FBT001 - a flag of the command
    """Work until all jobs have ended, with the lease of a calm or of a faulty host."""
    config = JobcoreConfig() if calm else CONFIG
    async with open_manager(url, config) as jobs, Worker(jobs, tasks):
        print("ready", flush=True)  # noqa: T201 - the parent waits for it
        while await unfinished(jobs):  # noqa: ASYNC110 - other processes end jobs, too
            await asyncio.sleep(0.05)


async def unfinished(jobs: JobManager) -> int:
    statistics = await jobs.statistics()
    return sum(statistics.count(each) for each in UNFINISHED)


if __name__ == "__main__":
    Path(sys.argv[2]).touch()
    asyncio.run(main(sys.argv[1], sys.argv[3] == "calm"))
