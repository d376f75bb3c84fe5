"""The keys of the file: under which a job is stored, and under which it is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from jobcore import TERMINAL, Job, JobRecord, JobStatus

# What a key begins with, so that each kind lies together.
JOB, COUNT = b"j", b"c"
QUEUED, HELD, SCHEDULED, FINISHED = b"q", b"h", b"s", b"f"
LEASE, TOKEN, RUNNING, UNIQUE = b"l", b"t", b"r", b"u"
PAUSE, LIMIT, PACE = b"p", b"o", b"g"
SCHEDULE, TICK = b"n", b"d"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def places(record: JobRecord) -> Iterator[bytes]:
    """The keys that lead to this job. They follow from the record alone: who knows the
    old one and the new one knows what to delete and what to add."""
    job, name = record.job, record.job.id.encode()
    # The priority in 2 bytes that sort like the number.
    rank = (job.priority + 2**15).to_bytes(2) + instant(job.due_at) + name
    match job.status:
        case JobStatus.QUEUED:
            yield QUEUED + digest(job.queue) + rank
        case JobStatus.HELD:
            yield HELD + digest(job.held_by) + rank
        case JobStatus.SCHEDULED:
            yield SCHEDULED + instant(job.due_at) + name
        case JobStatus.IN_PROGRESS:
            yield LEASE + instant(job.lease_until) + name
            yield TOKEN + digest(record.token) + name
            if job.limit_key is not None:
                yield RUNNING + digest(job.limit_key) + name
        case status if status in TERMINAL:
            yield FINISHED + instant(job.finished_at) + name
    if record.has_unique_key:
        yield unique_place(job)


def unique_place(job: Job) -> bytes:
    """The place of whoever holds the unique key of *job*."""
    return UNIQUE + digest(job.task, job.unique_key)


def digest(*names: str | None) -> bytes:
    """Names in 16 bytes: keys of LMDB are short, and sort well with fixed widths."""
    return blake2b(json.dumps(names).encode(), digest_size=16).digest()


def instant(moment: datetime | None) -> bytes:
    """An instant in 8 bytes that sort like time. No job is from before 1970."""
    return (((moment or _EPOCH) - _EPOCH) // _MICROSECOND).to_bytes(8)
