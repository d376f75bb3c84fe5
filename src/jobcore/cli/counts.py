"""Counting: the jobs of each queue, and the workers that live."""

from __future__ import annotations

from jobcore.cli.printing import Sheet, show
from jobcore.cli.store import StoreUrl, opened
from jobcore.cli.times import shown_age
from jobcore.job import JobStatus
from jobcore.query import Statistics


async def stats(*, store: StoreUrl = None) -> None:
    """Count the jobs of each queue by status."""
    async with opened(store) as manager:
        statistics = await manager.statistics()
    show(queue_sheet(statistics))


async def workers(*, store: StoreUrl = None) -> None:
    """List the workers that live."""
    async with opened(store) as manager:
        there = await manager.workers()
    headings = ("worker", "queues", "tasks", "concurrency", "version", "seen")
    rows = [
        (
            each.id,
            ", ".join(each.queues),
            ", ".join(each.tasks),
            str(each.concurrency),
            each.version,
            shown_age(each.seen_at),
        )
        for each in there
    ]
    show(Sheet(headings, rows))


def queue_sheet(statistics: Statistics) -> Sheet:
    """A row for each queue, and one for all: how many jobs there are by status, and for
    how long the oldest that is queued has been due."""
    rows = [
        (
            name,
            *(str(each.counts.get(status, 0)) for status in JobStatus),
            shown_age(each.oldest_due_at),
        )
        for name, each in sorted(statistics.queues.items())
    ]
    total = [str(statistics.count(status)) for status in JobStatus]
    headings = ("queue", *(status.value for status in JobStatus), "oldest")
    return Sheet(headings, [*rows, ("all", *total, "")])
