"""Pausing queues, tasks and schedules, and going on with them."""

from __future__ import annotations

from jobcore.cli.printing import show
from jobcore.cli.store import StoreUrl, opened


async def pause(
    *,
    queue: str | None = None,
    task: str | None = None,
    schedule: str | None = None,
    store: StoreUrl = None,
) -> None:
    """Start no more jobs of a queue or a task, or let a schedule have no ticks.

    What runs goes on.

    Parameters
    ----------
    queue
        The queue that is paused.
    task
        The task that is paused.
    schedule
        The schedule that is paused.
    """
    async with opened(store) as manager:
        await manager.pause(queue=queue, task=task, schedule=schedule)
    show(f"pause: {_named(queue=queue, task=task, schedule=schedule)}")


async def resume(
    *,
    queue: str | None = None,
    task: str | None = None,
    schedule: str | None = None,
    store: StoreUrl = None,
) -> None:
    """End a pause; the jobs that it held are queued again.

    Parameters
    ----------
    queue
        The queue that goes on.
    task
        The task that goes on.
    schedule
        The schedule that goes on, with the first tick that is to come.
    """
    async with opened(store) as manager:
        await manager.resume(queue=queue, task=task, schedule=schedule)
    show(f"resume: {_named(queue=queue, task=task, schedule=schedule)}")


def _named(**names: str | None) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in names.items() if name)
