"""Claim in one statement, where all that is met may start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Interval, and_, any_, bindparam, func, or_, select, update

from jobcore import Claim, ClaimRequest, ClaimResult, Job, JobStatus
from jobcore_sql.claim import ANY_QUEUED
from jobcore_sql.move import LIMIT
from jobcore_sql.queries import Queries
from jobcore_sql.records import BLANK, FIELDS, IS_QUEUED, word
from jobcore_sql.single.parts import NOW, counted, ctid, kept_lock
from jobcore_sql.tables import jobs, pauses

_PLACE: Final = ("priority", "due_at", "id")
_SAME: Final = ("status", "worker", "ended_at", "outcome", "held_by", "finished_at")
"""What is the same of all jobs that a claim takes."""

_QUEUE = bindparam("queue", type_=jobs.c.queue.type)


def _claim() -> Any:
    met = (
        select(ctid.label("place"), jobs.c.task, jobs.c.limit_key)
        .where(IS_QUEUED, jobs.c.queue == _QUEUE)
        .order_by(*(jobs.c[name] for name in _PLACE))
        .limit(LIMIT)
        .with_for_update(skip_locked=True)
        .cte("met")
    )
    paused = select(pauses.c.name).where(
        or_(
            and_(pauses.c.kind == "queue", pauses.c.name == _QUEUE),
            and_(pauses.c.kind == "task", pauses.c.name.in_(select(met.c.task))),
        )
    )
    limited = select(met.c.place).where(met.c.limit_key.is_not(None))
    all_start = ~paused.exists() & ~limited.exists()
    places = select(met.c.place).where(all_start).scalar_subquery()
    taken = (
        update(jobs)
        .where(ctid == any_(func.array(places)))
        .values(
            status=word(JobStatus.IN_PROGRESS),
            attempt=jobs.c.attempt + 1,
            token=bindparam("holder"),
            worker=bindparam("by"),
            lease_until=NOW + bindparam("lease", type_=Interval),
            started_at=NOW,
            ended_at=None,
            outcome=None,
            unique_lock=kept_lock(JobStatus.IN_PROGRESS),
        )
        .returning(*(jobs.c[name] for name in FIELDS if name not in _SAME))
        .cte("taken")
    )
    count = counted(taken, JobStatus.QUEUED, JobStatus.IN_PROGRESS).cte("counted")
    return select(taken).order_by(*(taken.c[name] for name in _PLACE)).add_cte(count)


_CLAIM = _claim()


@dataclass(frozen=True, slots=True)
class UnfinishedClaim:
    """Some queues have given what they had, and the next one has to be looked at more
    closely: what is *taken*, and the request that is *left*."""

    taken: tuple[Claim, ...]
    left: ClaimRequest


async def claim(
    queries: Queries, request: ClaimRequest
) -> ClaimResult | UnfinishedClaim | None:
    """Take what *request* asks for. It is unfinished where it meets a job that may not
    start in another queue than the first."""
    if request.repeated:
        return None
    like = {**BLANK, "status": JobStatus.IN_PROGRESS, "worker": request.worker}
    taken: list[Claim] = []
    for place, queue in enumerate(request.queues):
        wanted = request.limit - len(taken)
        if not wanted:
            break
        found = await queries.records(
            _CLAIM,
            like,
            queue=queue,
            limit=wanted,
            holder=request.token,
            by=request.worker,
            lease=request.lease,
            offset=queries.offset,
        )
        if not found and await queries.first(ANY_QUEUED, queue=queue) is not None:
            if not taken:
                return None
            left = replace(request, queues=request.queues[place:], limit=wanted)
            return UnfinishedClaim(tuple(taken), left)
        taken += [Claim(Job.trusted(each), request.token) for each in found]
    return ClaimResult(tuple(taken), len(taken))
