"""Listing jobs, page by page."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from json import dumps as as_text
from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from jobcore.cli.as_json import job_as_json
from jobcore.cli.printing import Sheet, remark, show
from jobcore.cli.selection import ALL, Selection
from jobcore.cli.store import StoreUrl, opened
from jobcore.cli.times import shown_age
from jobcore.job import Job, JobStatus
from jobcore.manager import JobManager
from jobcore.query import Filter

_PAGE: Final = 1000


async def jobs(
    *,
    which: Selection = ALL,
    since: timedelta | datetime | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1))] = 50,
    cursor: str | None = None,
    json: bool = False,
    store: StoreUrl = None,
) -> None:
    """List jobs, the newest first.

    Parameters
    ----------
    since
        Jobs that are no older than this, as in 2h or 2026-11-27.
    limit
        How many, 50 unless told otherwise.
    cursor
        Go on where an earlier list ended, which has told this.
    json
        Print a line of JSON for each job, with all that it has.
    """
    async with opened(store) as manager:
        found, following = await _listed(
            manager, which.filter(), _instant(since), limit, cursor
        )
    if json:
        lines = (as_text(job_as_json(each)) for each in found)
        sys.stdout.writelines(f"{line}\n" for line in lines)
    else:
        show(_sheet(found))
    if following is not None:
        remark(f"there may be more: --cursor {following}")


async def _listed(
    manager: JobManager,
    filter: Filter,  # noqa: A002 - the word of the contract
    since: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[Job[Any]], str | None]:
    """Up to *limit* jobs, and the cursor for those that follow. Ids rise with time, so
    that nothing young follows a page of nothing but old jobs."""
    found: list[Job[Any]] = []
    while len(found) < limit:
        size = min(limit - len(found), _PAGE)
        page = await manager.find(filter, cursor=cursor, limit=size)
        young = [each for each in page.jobs if not since or each.created_at >= since]
        found += young
        cursor = page.cursor if young or not page.jobs else None
        if cursor is None:
            break
    return found, cursor


def _instant(since: timedelta | datetime | None) -> datetime | None:
    if isinstance(since, timedelta):
        return datetime.now(UTC) - since
    return since and (since if since.tzinfo else since.replace(tzinfo=UTC))


def _sheet(found: list[Job[Any]]) -> Sheet:
    headings = ("id", "status", "task", "queue", "attempt", "age", "due", "why")
    return Sheet(headings, [_row(job) for job in found])


def _row(job: Job[Any]) -> tuple[str, ...]:
    age, due = shown_age(job.created_at), shown_age(job.due_at)
    return (
        *(job.id, job.status, job.task, job.queue, str(job.attempt), age),
        due if job.status is JobStatus.SCHEDULED else "",
        _why(job),
    )


def _why(job: Job[Any]) -> str:
    if job.status is JobStatus.COMPLETED:
        return ""
    error = "" if job.failure is None else str(job.failure)
    return job.held_by or error or job.reason or ""
