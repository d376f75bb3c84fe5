"""Why a job is not running, or is: a cause, what it is made of, and one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from jobcore.attempt import Outcome
from jobcore.job import TERMINAL, Job, JobStatus, Limit
from jobcore.lifecycle import DEADLINE, EXPIRED, LOST

MOST_AHEAD: Final = 10_000
"""How far jobs are counted that come before another."""
_SHOWN: Final = 3
"""How many ids a sentence has."""

_SCHEDULE: Final = "schedule:"
"""How the limit key of a schedule begins whose jobs wait for each other."""


class Cause(StrEnum):
    """What must change first before a job runs, or what became of it. The codes never
    change between releases."""

    NOT_DUE = "not_due"
    BACKING_OFF = "backing_off"
    """An attempt failed or was lost, and the next one is not due yet."""
    OVER_RATE = "over_rate"
    """The rate of its limit key has no place for it before."""
    NOT_PROMOTED = "not_promoted"
    """It is due, and no upkeep has queued it yet."""
    NEEDS_APPROVAL = "needs_approval"
    LIMIT_FULL = "limit_full"
    """As many jobs of its limit key run as may."""
    SCHEDULE_BUSY = "schedule_busy"
    """An earlier job of its schedule has not ended."""
    TASK_PAUSED = "task_paused"
    HELD = "held"
    """Something else holds it, which only who made it knows."""
    NOT_LIFTED = "not_lifted"
    """What held it holds it no more, and no upkeep has queued it yet."""
    QUEUE_PAUSED = "queue_paused"
    NO_WORKER = "no_worker"
    """No live worker asks for its queue."""
    NO_WORKER_HAS_TASK = "no_worker_has_task"
    """Workers ask for its queue, none of which has its task."""
    BEHIND_OTHERS = "behind_others"
    CLAIMABLE = "claimable"
    """Nothing holds it up."""
    CLAIMED = "claimed"
    LEASE_RAN_OUT = "lease_ran_out"
    """Its worker did not renew it, and no upkeep has released it yet."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why *job*, which has its attempts, is where it is.

    *seen_at* is when that was looked at, by the store's clock. *limit* is what holds
    for its limit key, and *running* are jobs of that key that run. *workers* are live
    workers: the one that has the job, or those that ask for its queue and, where any
    does, have its task. *ahead* is how many queued jobs come before it, counted up to
    `MOST_AHEAD`. None is what the store cannot tell, or what does not matter to the
    cause.
    """

    job: Job[Any]
    cause: Cause
    seen_at: datetime | None = None
    limit: Limit | None = None
    running: tuple[str, ...] | None = None
    workers: tuple[str, ...] | None = None
    ahead: int | None = None

    @property
    def since(self) -> datetime | None:
        """When what is told began: it was due, was claimed, or ended."""
        match self.job.status:
            case JobStatus.IN_PROGRESS:
                return self.job.started_at
            case JobStatus.SCHEDULED if self.cause is not Cause.NOT_PROMOTED:
                return None
            case status if status in TERMINAL:
                return self.job.finished_at
            case _:
                return self.job.due_at

    @property
    def until(self) -> datetime | None:
        """When it ends by itself: the job is due, or its lease ends."""
        if self.cause in {Cause.NOT_DUE, Cause.BACKING_OFF, Cause.OVER_RATE}:
            return self.job.due_at if self.job.status is JobStatus.SCHEDULED else None
        return self.job.lease_until if self.cause is Cause.CLAIMED else None

    @property
    def schedule(self) -> str | None:
        """The schedule whose jobs wait for each other, where this is one of them."""
        key = self.job.limit_key or ""
        name = key.removeprefix(_SCHEDULE)
        return name if key != name and self.job.labels.get("schedule") == name else None

    @property
    def sentence(self) -> str:
        """All of it in words."""
        return _SENTENCES[self.cause](self)


def is_given_back(job: Job[Any]) -> bool:
    """Whether a worker had it, and nothing came of that attempt."""
    return job.attempt > 0 and job.outcome in {None, Outcome.RELEASED}


def _not_due(told: Explanation) -> str:
    job = told.job
    if is_given_back(job):
        return f"Worker {job.worker} gave it back until {_at(job.due_at)}."
    return f"It is due at {_at(job.due_at)}."


def _backing_off(told: Explanation) -> str:
    job = told.job
    if job.outcome is Outcome.LOST:
        ended = f"The claim of its attempt {job.attempt} was lost"
        again = f"loss {job.losses}"
    else:
        ended = f"Its attempt {job.attempt} failed{_error(job)}"
        again = f"retry {job.failures} of {job.max_retries}"
    return f"{ended}; it is tried again at {_at(job.due_at)} ({again})."


def _over_rate(told: Explanation) -> str:
    key, limit = told.job.limit_key, told.limit
    rate = "" if limit is None else f", {limit.rate} per {limit.period}"
    until = "now" if told.until is None else f"before {_at(told.until)}"
    return f"The rate of the limit key {key}{rate}, does not let it start {until}."


def _not_promoted(told: Explanation) -> str:
    return f"It has been due since {_at(told.job.due_at)}, and no upkeep has queued it."


def _needs_approval(told: Explanation) -> str:  # noqa: ARG001 - asked like the others
    return "It is held until somebody approves it."


def _limit_full(told: Explanation) -> str:
    running = told.running or ()
    places = None if told.limit is None else told.limit.concurrency
    return (
        f"It waits for the limit key {told.job.limit_key}, which has "
        f"{_number(places or 0, 'place')}; {_running(running)}."
    )


def _schedule_busy(told: Explanation) -> str:
    return (
        f"It waits for an earlier job of its schedule {told.schedule} to end; "
        f"{_running(told.running or ())}."
    )


def _task_paused(told: Explanation) -> str:
    return f"Its task {told.job.task} is paused."


def _held(told: Explanation) -> str:
    return f"It is held by {told.job.held_by}."


def _not_lifted(told: Explanation) -> str:
    return f"It was held by {told.job.held_by}, which is over; no upkeep has queued it."


def _queue_paused(told: Explanation) -> str:
    return f"Its queue {told.job.queue} is paused."


def _no_worker(told: Explanation) -> str:
    return f"No live worker is known that asks for its queue {told.job.queue}."


def _no_worker_has_task(told: Explanation) -> str:
    job, count = told.job, len(told.workers or ())
    asking = f"{_number(count, 'worker')} {'asks' if count == 1 else 'ask'}"
    return f"{asking} for its queue {job.queue}, and none has its task {job.task}."


def _behind_others(told: Explanation) -> str:
    ahead = told.ahead or 0
    least = "at least " if ahead >= MOST_AHEAD else ""
    others = f"{least}{_number(ahead, 'other')}"
    return f"It waits in queue {told.job.queue} behind {others}{_looked_after(told)}."


def _claimable(told: Explanation) -> str:
    job = told.job
    return f"It may be claimed from queue {job.queue} now{_looked_after(told)}."


def _claimed(told: Explanation) -> str:
    job = told.job
    is_gone = ", who is not among those that live," if told.workers == () else ""
    words = f"Worker {job.worker}{is_gone} has claimed it until {_at(job.lease_until)}"
    if job.cancel_requested_at is None:
        return f"{words}."
    return f"{words}; a cancellation was requested at {_at(job.cancel_requested_at)}."


def _lease_ran_out(told: Explanation) -> str:
    job = told.job
    return (
        f"The lease of worker {job.worker} ran out at {_at(job.lease_until)}, and no "
        "upkeep has released the claim."
    )


def _completed(told: Explanation) -> str:
    job = told.job
    return f"It completed at {_at(job.finished_at)}, in attempt {job.attempt}."


def _failed(told: Explanation) -> str:
    job = told.job
    why = _REASONS.get(job.reason or "", "")
    return f"It failed at {_at(job.finished_at)}{why}{_error(job)}."


def _canceled(told: Explanation) -> str:
    job = told.job
    why = _REASONS.get(job.reason or "", "")
    return f"It was canceled at {_at(job.finished_at)}{why}."


def _at(instant: datetime | None) -> str:
    return "some time" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _error(job: Job[Any]) -> str:
    failure = job.failure
    if failure is None:
        return ""
    first = failure.message.partition("\n")[0]
    return f" ({failure.type}: {first})" if first else f" ({failure.type})"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _running(ids: tuple[str, ...]) -> str:
    if not ids:
        return "none of its jobs runs"
    shown, others = ids[:_SHOWN], len(ids) - _SHOWN
    if others > 0:
        return f"{', '.join(shown)} and {_number(others, 'other')} run"
    return f"{' and '.join(shown)} {'runs' if len(ids) == 1 else 'run'}"


def _looked_after(told: Explanation) -> str:
    if told.workers is None:
        return ""
    count = len(told.workers)
    return f"; {_number(count, 'worker')} {'looks' if count == 1 else 'look'} after it"


_REASONS: Final = {
    DEADLINE: ", as its deadline let no other attempt begin",
    EXPIRED: ", as it was not started in time",
    LOST: ", as its claims were lost too often",
    Outcome.TIMED_OUT.value: ", as its last attempt took too long",
}

_SENTENCES: Final[Mapping[Cause, Callable[[Explanation], str]]] = {
    Cause.NOT_DUE: _not_due,
    Cause.BACKING_OFF: _backing_off,
    Cause.OVER_RATE: _over_rate,
    Cause.NOT_PROMOTED: _not_promoted,
    Cause.NEEDS_APPROVAL: _needs_approval,
    Cause.LIMIT_FULL: _limit_full,
    Cause.SCHEDULE_BUSY: _schedule_busy,
    Cause.TASK_PAUSED: _task_paused,
    Cause.HELD: _held,
    Cause.NOT_LIFTED: _not_lifted,
    Cause.QUEUE_PAUSED: _queue_paused,
    Cause.NO_WORKER: _no_worker,
    Cause.NO_WORKER_HAS_TASK: _no_worker_has_task,
    Cause.BEHIND_OTHERS: _behind_others,
    Cause.CLAIMABLE: _claimable,
    Cause.CLAIMED: _claimed,
    Cause.LEASE_RAN_OUT: _lease_ran_out,
    Cause.COMPLETED: _completed,
    Cause.FAILED: _failed,
    Cause.CANCELED: _canceled,
}
