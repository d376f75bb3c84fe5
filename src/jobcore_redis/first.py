"""What a job was when it was inserted, as one text, which only an operator changes.

It has two instants, a letter for the status, and the head, which scripts read as
`lua/_record.lua` tells; then the rest of its fields as JSON, and its payload, each
after a newline.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from jobcore import UNFINISHED, Job, JobStatus, Limit, NewJob
from jobcore_redis.units import instant, microseconds, since_epoch

_LEAST_PRIORITY: Final = -(2**15)
_BLANK: Final[dict[str, Any]] = {
    name: field.default for name, field in Job.model_fields.items()
}
_shape = attrgetter(
    *("queue", "task", "priority", "limit_key", "limit", "unique_key", "unique_scope"),
    *("max_retries", "timeout", "extra"),
)


def figures(limit: Limit | None) -> str:
    """How scripts read a limit: how many may run, the microseconds between two starts,
    and how many may start at once."""
    if limit is None:
        return "::"
    concurrency = "" if limit.concurrency is None else limit.concurrency
    if limit.rate is None:
        return f"{concurrency}::"
    return f"{concurrency}:{microseconds(limit.period / limit.rate)}:{limit.burst}"


def limit_of(told: bytes) -> Limit:
    """A limit of the same effect as the one that *told* are the figures of."""
    concurrency, step, burst = (
        int(each) if each else None for each in told.split(b":")
    )
    if step is None:
        return Limit(concurrency=concurrency)
    length = timedelta(microseconds=step)
    return Limit(concurrency=concurrency, rate=1, period=length, burst=burst or 1)


def ranked(priority: int) -> str:
    """How scripts compare a priority: as text."""
    return f"{priority - _LEAST_PRIORITY:05}"


class Written(NamedTuple):
    """A new job as the script that inserts it is told of it: when it is due and what
    holds it, the queue and priority, and the rest of its text."""

    new: NewJob
    when: str
    line: str
    rest: bytes

    @classmethod
    def of(cls, new: NewJob, *, is_far: bool) -> Written:
        """*new*, which *is_far* where another partition keeps who has its unique
        key."""
        when = ""
        if new.due_at is not None:
            when = str(since_epoch(new.due_at))
        elif new.delay:
            when = f"+{microseconds(new.delay)}"
        if new.held_by is not None:
            when = f"={new.held_by}\t{when or '+0'}"
        shape = _shape(new)
        write = _text if new.labels else _written
        line, rest = write(shape, is_far, new.labels or None)
        return cls(new, when, line, rest + new.payload)

    @property
    def id(self) -> str:
        return self.new.id


def _text(
    shape: tuple[Any, ...],
    is_far: bool,  # noqa: FBT001 - the part of a key
    labels: Mapping[str, str] | None,
) -> tuple[str, bytes]:
    queue, task, priority, limit_key, limit, unique_key, scope, *others = shape
    retries, timeout, extra = others
    rank = ranked(priority)
    key_flag = "-" if unique_key is None else "F" if is_far else "U"
    flags = key_flag + ("-" if limit_key is None else "L")
    head = (
        *(flags, rank, queue, task, limit_key or "", figures(limit), unique_key or ""),
        "" if scope == UNFINISHED else ",".join(sorted(scope)) or "-",
    )
    known = {
        "labels": labels,
        "limit": limit and _limit_parts(limit),
        "max_retries": retries or None,
        "timeout": timeout and microseconds(timeout),
        "extra": extra if extra is None else b64encode(extra).decode(),
    }
    told = {name: value for name, value in known.items() if value is not None}
    return f"{queue}\t{rank}", "\t".join(head).encode() + b"\n" + to_json(told) + b"\n"


_written = lru_cache(maxsize=1024)(_text)


def _limit_parts(limit: Limit) -> list[int | None]:
    period = microseconds(limit.period)
    return [limit.concurrency, limit.rate, period, limit.burst]


def first(job_id: bytes, text: bytes) -> dict[str, Any]:
    """The fields of a job as it was inserted."""
    start, known, payload = text.split(b"\n", 2)
    fields = _of_head(start[36:], known).copy()
    fields["id"] = job_id.decode()
    fields["payload"] = payload
    fields["created_at"] = instant(start[:16])
    fields["due_at"] = (
        fields["created_at"] if start[:16] == start[17:33] else instant(start[17:33])
    )
    fields["status"] = JobStatus.QUEUED if start[34:35] == b"q" else JobStatus.SCHEDULED
    return fields


@lru_cache(maxsize=1024)
def _of_head(head: bytes, known: bytes) -> dict[str, Any]:
    _, rank, queue, task, limit_key, _, unique_key, scope = head.decode().split("\t")
    told = from_json(known)
    fields = _BLANK.copy()
    fields["queue"], fields["task"] = queue, task
    fields["priority"] = int(rank) + _LEAST_PRIORITY
    fields["limit_key"], fields["unique_key"] = limit_key or None, unique_key or None
    fields["unique_scope"] = _scope(scope)
    fields["labels"] = told.get("labels") or {}
    fields["max_retries"] = told.get("max_retries", 0)
    if "limit" in told:
        concurrency, rate, period, burst = told["limit"]
        length = timedelta(microseconds=period)
        fields["limit"] = Limit(
            concurrency=concurrency, rate=rate, period=length, burst=burst
        )
    if "timeout" in told:
        fields["timeout"] = timedelta(microseconds=told["timeout"])
    if "extra" in told:
        fields["extra"] = b64decode(told["extra"])
    return fields


@lru_cache(maxsize=256)
def _scope(text: str) -> frozenset[JobStatus]:
    if not text:
        return UNFINISHED
    return frozenset(map(JobStatus, text.split(","))) if text != "-" else frozenset()
