"""What operators do to single jobs: cancel, retry, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from jobcore import lifecycle
from jobcore.errors import JobConflictError, JobNotFoundError, TransitionError
from jobcore.job import Job, JobStatus
from jobcore.transition import Answer, Transition

_CHANGED: Final = {Answer.STATUS, Answer.GENERATION}
_TRIES: Final = 20

Get = Callable[[str], Awaitable[Job]]
Apply = Callable[[Transition], Awaitable[Answer]]
Made = Callable[[Job, Transition], None]
"""Is told of a write that was made, and of the job as it was before."""


async def cancel(
    job_id: str, token: str, get: Get, apply: Apply, made: Made
) -> JobStatus:
    """Call the job off, or request it; canceling twice is canceling once."""
    job = await get(job_id)
    try:
        return await _write("cancel", job, token, get, apply, lifecycle.cancel, made)
    except JobConflictError:
        if (await get(job_id)).status is not JobStatus.CANCELED:
            raise
        return JobStatus.CANCELED


async def retry(  # noqa: PLR0913, PLR0917 - the parts of one guarded write
    job_id: str,
    token: str,
    get: Get,
    apply: Apply,
    made: Made,
    payload: bytes | None = None,
) -> JobStatus:
    """Start the job anew, but not once more where somebody did meanwhile; with another
    *payload* if one is given."""
    seen = await get(job_id)

    def write(job: Job, token: str) -> Transition:
        if job.generation != seen.generation:
            raise JobConflictError(job.id, "retry", Answer.GENERATION)
        return lifecycle.retry(job, token, payload)

    return await _write("retry", seen, token, get, apply, write, made)


async def _write(  # noqa: PLR0913, PLR0917 - the parts of one guarded write
    act: str,
    job: Job,
    token: str,
    get: Get,
    apply: Apply,
    write: Callable[[Job, str], Transition],
    made: Made,
) -> JobStatus:
    for _ in range(_TRIES):
        try:
            transition = write(job, token)
        except TransitionError:
            raise JobConflictError(job.id, act, f"status {job.status}") from None
        answer = await apply(transition)
        if answer is Answer.APPLIED:
            made(job, transition)
            return transition.status
        if answer is Answer.MISSING:
            raise JobNotFoundError(job.id)
        if answer not in _CHANGED:
            raise JobConflictError(job.id, act, answer)
        job = await get(job.id)
    raise JobConflictError(job.id, act, "its constant change")
