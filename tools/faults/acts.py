"""What a manager can do to jobs: each act, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jobcore import Claim, Job, JobManager, Outcome, Report
from tools.faults.stage import (
    WORKER,
    Stage,
    claimed,
    completed,
    due,
    held,
    nothing,
    old,
    one_waiting,
    requested,
    stale,
    three_claimed,
    three_waiting,
    to_be_lifted,
    two_limited,
    waiting,
)

Ready = Callable[[Stage], Awaitable[Any]]
Do = Callable[[JobManager, Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to what *ready* has made, which is the stage where there
    is nothing to name. *do* answers with what it must answer whenever it is done."""

    ready: Ready
    do: Do


ACTS: Final[dict[str, Act]] = {}


def act(name: str, ready: Ready) -> Callable[[Do], Do]:
    def enter(do: Do) -> Do:
        ACTS[name] = Act(ready, do)
        return do

    return enter


@act("submit", nothing)
async def submit(jobs: JobManager, stage: Stage) -> object:
    return (await jobs.submit(stage.request(), queue=stage.queue)).is_duplicate


@act("submit with a unique key and labels", nothing)
async def submit_unique(jobs: JobManager, stage: Stage) -> object:
    job = await jobs.submit(
        stage.request(), queue=stage.queue, unique_key="key", labels={"of": "me"}
    )
    return job.is_duplicate


@act("submit with a delay", nothing)
async def submit_later(jobs: JobManager, stage: Stage) -> object:
    hour = timedelta(hours=1)
    return (await jobs.submit(stage.request(), queue=stage.queue, delay=hour)).status


@act("submit_many", nothing)
async def submit_many(jobs: JobManager, stage: Stage) -> object:
    requests = [stage.request() for _ in range(50)]
    submitted = await jobs.submit_many(requests, queue=stage.queue)
    return len({each.id for each in submitted})


@act("claim", three_waiting)
async def claim(jobs: JobManager, stage: Stage) -> object:
    return len((await jobs.claim(WORKER, [stage.queue], 2)).claims)


@act("claim of jobs with a limit", two_limited)
async def claim_limited(jobs: JobManager, stage: Stage) -> object:
    return len((await jobs.claim(WORKER, [stage.queue], 2)).claims)


@act("complete", claimed)
async def complete(jobs: JobManager, claim: Claim) -> object:
    return await jobs.complete(claim, {"is": "done"})


@act("report of three outcomes", three_claimed)
async def report(jobs: JobManager, claims: tuple[Claim, ...]) -> object:
    first, second, third = claims
    return await jobs.report(
        [
            Report(first, Outcome.SUCCEEDED, value=7),
            Report(second, Outcome.FAILED, error=ValueError("no")),
            Report(third, Outcome.RELEASED),
        ]
    )


@act("fail with a retry", claimed)
async def fail(jobs: JobManager, claim: Claim) -> object:
    return await jobs.fail(claim, ValueError("no"))


@act("release", claimed)
async def release(jobs: JobManager, claim: Claim) -> object:
    return await jobs.release(claim)


@act("snooze", claimed)
async def snooze(jobs: JobManager, claim: Claim) -> object:
    return await jobs.snooze(claim, timedelta(hours=1))


@act("renew", claimed)
async def renew(jobs: JobManager, claim: Claim) -> object:
    return await jobs.renew([claim])


@act("cancel of a job that waits", waiting)
async def cancel(jobs: JobManager, job: Job[Any]) -> object:
    return await jobs.cancel(job)


@act("cancel of a job that runs", claimed)
async def request_cancel(jobs: JobManager, claim: Claim) -> object:
    return await jobs.cancel(claim.job)


@act("acknowledge a cancellation", requested)
async def acknowledge(jobs: JobManager, claim: Claim) -> object:
    return await jobs.acknowledge(claim)


@act("complete after a request to cancel", requested)
async def complete_anyway(jobs: JobManager, claim: Claim) -> object:
    return await jobs.complete(claim)


@act("fail after a request to cancel", requested)
async def fail_canceled(jobs: JobManager, claim: Claim) -> object:
    return await jobs.fail(claim, ValueError("no"))


@act("retry", completed)
async def retry(jobs: JobManager, job: Job[Any]) -> object:
    return (await jobs.retry(job)).generation


@act("delete", completed)
async def delete(jobs: JobManager, job: Job[Any]) -> None:
    await jobs.delete(job)


@act("pause", one_waiting)
async def pause(jobs: JobManager, stage: Stage) -> None:
    await jobs.pause(queue=stage.queue)


@act("resume", held)
async def resume(jobs: JobManager, stage: Stage) -> None:
    await jobs.resume(task=stage.queue)


@act("lift", to_be_lifted)
async def lift(jobs: JobManager, _: Stage) -> None:
    await jobs.lift_held_jobs()


@act("promote", due)
async def promote(jobs: JobManager, _: Stage) -> None:
    await jobs.promote_due_jobs()


@act("release of stale claims", stale)
async def release_stale(jobs: JobManager, _: Stage) -> None:
    await jobs.release_stale_claims()


@act("prune", old)
async def prune(jobs: JobManager, _: Stage) -> None:
    await jobs.prune()
