"""In which of several stores a job lies: a rule says so once, and its id from then on.

What is promised of a key is kept within one store. So a rule has to lead all jobs of a
limit key to the same store, and all jobs of one task that have the same unique key; in
every process, and for as long as there are such jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias
from zlib import crc32

from jobcore.errors import InvalidJobError
from jobcore.job import NewJob

Rule: TypeAlias = Callable[[NewJob, int], int]
"""From a job, whose id is new, and the number of stores to the place of its store among
them, counted from 0."""

_MARK: Final = "."
"""Stands between an id and the place of its store."""


def keys_together(job: NewJob, stores: int) -> int:
    """Jobs that have a limit key or a unique key lie in the first store, all others are
    spread evenly. Whatever keys a job has, they are kept; and stores may be added at
    the end at any time."""
    if job.limit_key is None and job.unique_key is None:
        return _spread(job.id, stores)
    return 0


def by_key(job: NewJob, stores: int) -> int:
    """Jobs are spread by their limit key, else by their unique key, else evenly.

    A job that has both is refused: others may have the same unique key and another
    limit key, which leads elsewhere. The number of stores may change only while no job
    has a key.
    """
    if job.limit_key is None and job.unique_key is None:
        return _spread(job.id, stores)
    if job.unique_key is None:
        return _spread(f"limit:{job.limit_key}", stores)
    if job.limit_key is None:
        return _spread(f"unique:{job.task}:{job.unique_key}", stores)
    raise InvalidJobError(
        "unique_key", "cannot be kept beside a limit key where keys are spread"
    )


def marked(job_id: str, place: int) -> str:
    """*job_id*, telling the place of its store."""
    return f"{job_id}{_MARK}{place}"


def place_of(job_id: str, stores: int) -> int | None:
    """The place that *job_id* tells, if it is one."""
    _, _, place = job_id.rpartition(_MARK)
    return int(place) if place.isdecimal() and int(place) < stores else None


def _spread(text: str, stores: int) -> int:
    return crc32(text.encode()) % stores
