"""A host in a process of its own: `python exclusive.py URL JOURNAL`.

The begin and the end of each handler are lines in the journal, with the time that all
processes share. It works until it is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta

from jobcore import JobContext, JobcoreConfig, Tasks, Worker, open_manager

tasks = Tasks()


@tasks.task(context=True)
async def alone(context: JobContext) -> None:
    write_line("begin", context)
    await asyncio.sleep(0.002)
    write_line("end", context)


def write_line(word: str, context: JobContext) -> None:
    line = f"{time.monotonic()} {word} {context.job.id} {os.getpid()}\n"
    descriptor = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


CONFIG = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=1),
    stale_job_claim_check_interval=timedelta(seconds=0.2),
    job_polling_interval=timedelta(seconds=0.1),
    retry_delay_base=timedelta(seconds=0.05),
    max_lost=1000,
)


async def main() -> None:
    async with open_manager(sys.argv[1], CONFIG) as jobs, Worker(jobs, tasks):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
