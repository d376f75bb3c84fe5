"""What attempts do in the scenario that jobcore is tested with, good or bad."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from jobcore.context import JobContext
from jobcore.recurrence import Every, Overlap
from jobcore.tasks import Tasks

Step = tuple[str, float]
"""What an attempt does, and for how many seconds."""

QUEUES: Final = ("mail", "bulk")
STEPS: Final = (
    *("ok", "ok", "ok", "sleep", "sleep", "long", "fail", "fail"),
    *("stubborn", "big", "odd", "nul", "block", "note"),
)


class StepError(Exception):
    """What an attempt that is to fail fails with."""


async def act(context: JobContext, plan: list[Step]) -> object:
    """Do what the plan has for this attempt, or for the last one that it has."""
    step, seconds = plan[min(context.job.attempt, len(plan)) - 1]
    match step:
        case "fail":
            raise StepError(seconds)
        case "nul":
            raise StepError("\x00\ud800")
        case "big" | "odd":
            return "x" * 2000 if step == "big" else _NoJson()
        case "block":
            await block(seconds)
        case "note":
            await context.save(seconds)
        case "stubborn":
            await _stubbornly(seconds)
        case "ok":
            return seconds
    await asyncio.sleep(seconds)
    return seconds


class _NoJson:
    """What is no JSON, and looks the same in every process."""

    def __repr__(self) -> str:
        return "no JSON"


async def block(seconds: float) -> None:
    """Block the event loop of this process, as `time.sleep` would."""
    loop: Any = asyncio.get_running_loop()
    loop.pause(loop.running, seconds)
    await asyncio.sleep(0)


async def _stubbornly(seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        await asyncio.sleep(seconds)


def _tasks(*names: str) -> Tasks:
    tasks = Tasks()
    for name in names:
        tasks.task(name=name, context=True)(act)
    return tasks


def _with_a_schedule(tasks: Tasks) -> Tasks:
    every = Every(timedelta(seconds=2), overlap=Overlap.SKIP)

    @tasks.task(queue=QUEUES[0], schedule=every)
    async def beat() -> None:
        await asyncio.sleep(0.5)

    return tasks


ALL: Final = _tasks("greet", "send", "rare")
MOST: Final = _tasks("greet", "send")
RECURRING: Final = _with_a_schedule(_tasks("greet", "send", "rare"))
