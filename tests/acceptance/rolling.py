"""Tasks of workers that are stopped: `jobcore worker tests.acceptance.rolling:tasks`.

What they tell goes to the standard output of their process, past the store.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from jobcore import JobContext, Tasks

tasks = Tasks()


@tasks.task(context=True)
async def work(context: JobContext, seconds: float) -> None:
    tell("began", context)
    await asyncio.sleep(seconds)
    tell("ended", context)


@tasks.task(context=True)
def stubborn(context: JobContext, seconds: float) -> None:
    """In a thread, which nobody can cancel."""
    tell("began", context)
    time.sleep(seconds)
    tell("ended", context)


@tasks.task(context=True)
async def blocking(context: JobContext, seconds: float) -> None:
    """What nobody should do: the event loop stands still."""
    tell("began", context)
    time.sleep(seconds)  # noqa: ASYNC251 - see above
    tell("ended", context)


def tell(what: str, context: JobContext) -> None:
    line = f"{what} {context.job.id} {context.job.attempt}\n"
    os.write(sys.stdout.fileno(), line.encode())
