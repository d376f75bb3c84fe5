"""Between rows and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column

from jobcore import TERMINAL, Job, JobStatus
from jobcore_sql.tables import jobs

FIELDS: tuple[str, ...] = tuple(name for name in Job.model_fields if name != "attempts")
"""The fields of a job that are columns, in the order in which they are selected."""

JOB: Sequence[ColumnElement[Any]] = tuple(jobs.c[name] for name in FIELDS)
"""The columns that `job` reads; others may follow them in a SELECT."""


BLANK: dict[str, Any] = {**dict.fromkeys(FIELDS), "attempts": ()}
"""All fields of a job that nothing is known of."""


def job(row: Iterable[Any]) -> Job:
    """The job that *row* begins with."""
    known = BLANK.copy()
    known.update(zip(FIELDS, row, strict=False))
    return Job.trusted(known)


def word(status: JobStatus) -> ColumnElement[str]:
    """*status* in the text of a statement, where the planner sees it."""
    return literal_column(repr(status.value), Text)


def is_(*statuses: JobStatus) -> ColumnElement[bool]:
    """Whether a job has one of *statuses*. They stand in the statement's text, where
    the planner finds the partial index that they promise."""
    words = list(map(word, statuses))
    return jobs.c.status == words[0] if len(words) == 1 else jobs.c.status.in_(words)


IS_QUEUED = is_(JobStatus.QUEUED)
IS_SCHEDULED = is_(JobStatus.SCHEDULED)
IS_HELD = is_(JobStatus.HELD)
IS_IN_PROGRESS = is_(JobStatus.IN_PROGRESS)
IS_FINISHED = is_(*sorted(TERMINAL))


def lock(unique_key: str | None, scope: frozenset[JobStatus], status: JobStatus) -> Any:
    """The unique key that a job holds in *status*, None if it holds none."""
    return unique_key if status in scope else None
