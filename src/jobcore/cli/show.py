"""Showing one job with everything that is known of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from json import dumps as as_text
from typing import Any

from jobcore.attempt import Attempt, ErrorDetail
from jobcore.cli.as_json import attempt_as_json, job_as_json
from jobcore.cli.printing import Sheet
from jobcore.cli.printing import show as print_parts
from jobcore.cli.store import StoreUrl, opened
from jobcore.cli.times import shown_instant, shown_length
from jobcore.details import Progress
from jobcore.explanation import Explanation
from jobcore.job import Job

_Facts = dict[str, str]


async def show(id: str, /, *, json: bool = False, store: StoreUrl = None) -> None:  # noqa: A002 - what it is
    """Show a job: its state, its attempts, and why it is where it is.

    Parameters
    ----------
    id
        Of the job.
    json
        Print it as JSON.
    """
    async with opened(store) as manager:
        told = await manager.explain(id)
    if json:
        sys.stdout.write(f"{as_text(_as_json(told))}\n")
    else:
        print_parts(*_parts(told.job, told.sentence))


def _as_json(told: Explanation) -> dict[str, Any]:
    return {
        **job_as_json(told.job),
        "attempts": list(map(attempt_as_json, told.job.attempts)),
        "cause": told.cause,
        "sentence": told.sentence,
    }


def _parts(job: Job[Any], sentence: str) -> Iterator[Sheet | str]:
    told = {**_state(job), **_request(job), **_details(job), "why": sentence}
    yield Sheet((), [(name, text) for name, text in told.items() if text])
    if job.attempts:
        headings = ("attempt", "outcome", "worker", "began", "took", "error")
        yield ""
        yield Sheet(headings, [_row(each) for each in job.attempts])
    if job.failure is not None and job.failure.traceback:
        yield ""
        yield from job.failure.traceback.rstrip().splitlines()
    if job.details.log:
        yield ""
        lines = [(str(each.attempt), each.text) for each in job.details.log]
        yield Sheet(("attempt", "log"), lines)
    if job.details.acts:
        yield ""
        acts = [(str(each.attempt), each.verb, each.actor) for each in job.details.acts]
        yield Sheet(("after attempt", "act", "by"), acts)


def _state(job: Job[Any]) -> _Facts:
    reason = job.reason or (job.held_by and f"held by {job.held_by}") or ""
    return {
        "job": job.id,
        "status": job.status,
        "reason": reason,
        "created": shown_instant(job.created_at),
        "due": shown_instant(job.due_at),
        "lease until": shown_instant(job.lease_until),
        "cancel requested": shown_instant(job.cancel_requested_at),
        "finished": shown_instant(job.finished_at),
        "result": "" if job.result is None else job.result.decode(),
        "error": _error(job.failure),
    }


def _request(job: Job[Any]) -> _Facts:
    spent = min(job.failures, job.max_retries)
    return {
        "task": job.task,
        "arguments": job.payload.decode(),
        "queue": job.queue,
        "priority": str(job.priority),
        "retries": f"{spent} of {job.max_retries} spent",
        "losses": str(job.losses or ""),
        "labels": ", ".join(f"{name}={text}" for name, text in job.labels.items()),
        "unique key": job.unique_key or "",
        "limit key": job.limit_key or "",
        "timeout": _length(job.timeout),
    }


def _details(job: Job[Any]) -> _Facts:
    details = job.details
    checkpoint = "" if details.checkpoint is None else as_text(details.checkpoint)
    return {
        "deadline": _length(details.deadline),
        "expires in": _length(details.expires_in),
        "correlation id": details.correlation_id or "",
        "traceparent": details.traceparent or "",
        "progress": _progress(details.progress),
        "checkpoint": checkpoint,
    }


def _progress(progress: Progress | None) -> str:
    if progress is None:
        return ""
    fraction = "" if progress.fraction is None else f"{progress.fraction:.0%} "
    return f"{fraction}{progress.message}".strip()


def _row(attempt: Attempt) -> tuple[str, ...]:
    ended_at = attempt.ended_at
    took = "" if ended_at is None else shown_length(ended_at - attempt.started_at)
    return (
        str(attempt.number),
        attempt.outcome or "running",
        attempt.worker,
        shown_instant(attempt.started_at),
        took,
        _error(attempt.failure),
    )


def _error(error: ErrorDetail | None) -> str:
    return "" if error is None else str(error)


def _length(length: timedelta | None) -> str:
    return "" if length is None else shown_length(length)
