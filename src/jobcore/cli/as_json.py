"""A job as JSON, for other programs to read."""

from __future__ import annotations

from typing import Any, Final

from jobcore.attempt import Attempt, ErrorDetail
from jobcore.job import Job

_DECODED: Final = {"payload", "result", "error", "extra", "attempts"}


def job_as_json(job: Job[Any]) -> dict[str, Any]:
    """Its fields as plain values, with what they carry decoded, but its attempts."""
    return {
        **job.model_dump(mode="json", exclude=_DECODED),
        "arguments": job.arguments,
        "result": job.value,
        "error": _error(job.failure),
        "details": job.details.model_dump(mode="json", exclude_defaults=True),
    }


def attempt_as_json(attempt: Attempt) -> dict[str, Any]:
    """Likewise."""
    ended_at = attempt.ended_at
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "started_at": attempt.started_at.isoformat(),
        "ended_at": ended_at and ended_at.isoformat(),
        "outcome": attempt.outcome,
        "error": _error(attempt.failure),
    }


def _error(error: ErrorDetail | None) -> dict[str, Any] | None:
    return None if error is None else error.model_dump()
