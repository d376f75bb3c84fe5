"""One answer made of those of several partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import TypeAlias

from jobcore import (
    Claim,
    ClaimResult,
    DueSchedules,
    JobStatus,
    Page,
    Paused,
    QueueStatistics,
    Statistics,
)
from jobcore_redis.problems import reading

Counted: TypeAlias = tuple[Mapping[bytes, int], Mapping[bytes, datetime]]
"""How many jobs there are, by queue and status, and since when the oldest waits, by
queue."""

_until = attrgetter("job.lease_until", "job_id")
_due = attrgetter("due_at", "name")


def added_up(results: Sequence[ClaimResult]) -> ClaimResult:
    """All that was claimed."""
    return ClaimResult(
        tuple(claim for each in results for claim in each.claims),
        sum(each.examined for each in results),
        bounded=any(each.bounded for each in results),
        held=sum(each.held for each in results),
        deferred=sum(each.deferred for each in results),
    )


def oldest(claims: Sequence[Sequence[Claim]], limit: int) -> list[Claim]:
    """Those whose leases ended first."""
    return list(islice(merge(*claims, key=_until), limit))


@reading()
def all_due(
    answers: Sequence[DueSchedules], later: Sequence[datetime], limit: int
) -> DueSchedules:
    """Those that are due first, where the others are due *later*. It is as late as it
    is anywhere: what has come on one machine would else be yet to come."""
    now = max(each.now for each in answers)
    line = list(merge(*(each.schedules for each in answers), key=_due))
    left = [each.due_at for each in line[limit:] if each.due_at is not None]
    next_at = min((*left, *later), default=None)
    next_due_in = None if next_at is None else max(next_at - now, timedelta(0))
    return DueSchedules(now=now, schedules=tuple(line[:limit]), next_due_in=next_due_in)


def one_page(pages: Sequence[Page], limit: int) -> Page:
    """The jobs on *pages* down to where all of them have been looked at."""
    seen = max((each.cursor for each in pages if each.cursor), default=None)
    jobs = merge(*(each.jobs for each in pages), key=attrgetter("id"), reverse=True)
    sure = [each for each in jobs if seen is None or each.id >= seen]
    if len(sure) > limit:
        return Page(tuple(sure[:limit]), sure[limit - 1].id)
    return Page(tuple(sure), seen)


@reading()
def all_counted(counted: Sequence[Counted]) -> Statistics:
    """The counts of all queues."""
    counts: defaultdict[str, dict[JobStatus, int]] = defaultdict(dict)
    since: dict[str, datetime] = {}
    for numbers, oldest_due in counted:
        for name, n in numbers.items():
            queue, _, text = name.decode().partition("\t")
            status = JobStatus(text)
            counts[queue][status] = counts[queue].get(status, 0) + n
        for name, due_at in oldest_due.items():
            queue = name.decode()
            since[queue] = min(due_at, since.get(queue, due_at))
    return Statistics(
        {
            queue: QueueStatistics(by_status, since.get(queue))
            for queue, by_status in counts.items()
        }
    )


def all_paused(names: frozenset[str]) -> Paused:
    """What *names* say, each a kind and a name."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for each in names:
        kind, _, name = each.partition(":")
        kinds[kind].add(name)
    return Paused(frozenset(kinds["queue"]), frozenset(kinds["task"]))
