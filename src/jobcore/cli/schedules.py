"""Schedules: when each fires next, and firing one by hand."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, opened
from jobcore.cli.times import shown_instant, shown_length
from jobcore.recurrence import Cron, Every
from jobcore.schedule import Schedule


async def schedules(
    *,
    upcoming: Annotated[int, Parameter(name="--next", validator=Number(gte=1))] = 2,
    store: StoreUrl = None,
) -> None:
    """List the schedules and their next ticks.

    Parameters
    ----------
    upcoming
        How many ticks of each are shown, two unless told otherwise.
    """
    async with opened(store) as manager:
        there = await manager.schedules()
    headings = ("schedule", "task", "recurs", "state", "runs", "last", "next")
    show(Sheet(headings, [_row(each, upcoming) for each in there]))


async def trigger(
    name: str, /, *, key: str | None = None, store: StoreUrl = None
) -> None:
    """Submit a job of a schedule now, and print its id.

    Parameters
    ----------
    name
        Of the schedule.
    key
        However often it is triggered with the same key, there is one job.
    """
    async with opened(store) as manager:
        job = await manager.trigger(name, key=key)
    show(job.id)


def _row(schedule: Schedule, upcoming: int) -> tuple[str, ...]:
    return (
        schedule.name,
        schedule.task,
        _rule(schedule.recurrence),
        _state(schedule),
        str(schedule.runs),
        shown_instant(schedule.last_at),
        ", ".join(map(shown_instant, schedule.upcoming(upcoming))),
    )


def _rule(rule: Cron | Every) -> str:
    if isinstance(rule, Every):
        return f"every {shown_length(rule.interval)}"
    return f"{rule.expression} {rule.zone}"


def _state(schedule: Schedule) -> str:
    if schedule.paused:
        return "paused"
    if schedule.orphaned:
        return "orphaned"
    return "waits" if schedule.due_at else "ended"
