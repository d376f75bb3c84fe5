"""What operators do to all jobs that match a filter, and to no other."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    Details,
    Filter,
    InvalidJobError,
    Job,
    JobRequest,
    JobStatus,
    TooLargeError,
    never,
)
from jobcore.transition import Answer
from tests.jobcore.faults import FaultyStore
from tests.jobcore.test_operating import a_job

pytestmark = pytest.mark.anyio

FAILED = Filter(statuses=frozenset({JobStatus.FAILED}))
GREET = JobRequest("greet")
NUMBER = 1130
"""More than two batches."""


async def many(jobs: DefaultJobManager, **options: Any) -> list[Job]:
    request = JobRequest("greet", {"name": "Ada"})
    return await jobs.submit_many([request] * NUMBER, **options)


async def count(jobs: DefaultJobManager, status: JobStatus) -> int:
    return (await jobs.statistics()).count(status)


async def fail_all(jobs: DefaultJobManager) -> None:
    while claims := (await jobs.claim("worker", ["default"], 500)).claims:
        for claim in claims:
            await jobs.fail(claim, ValueError("no"), retry=never())


async def test_count_tells_how_many_match(jobs: DefaultJobManager) -> None:
    await many(jobs)
    await jobs.submit(JobRequest("send"))
    assert await jobs.matching(Filter()).count() == NUMBER + 1
    assert await jobs.matching(Filter(task="send")).count() == 1
    assert await jobs.matching(Filter(task="none")).count() == 0


async def test_each_verb_tells_how_far_it_is(jobs: DefaultJobManager) -> None:
    await many(jobs, approval=True)
    for verb in ("approve", "cancel", "retry", "delete"):
        told: list[int] = []
        matching = jobs.matching(Filter(task="greet"), on_progress=told.append)
        if verb == "delete":
            await jobs.matching(Filter()).cancel()
        number = await getattr(matching, verb)()
        assert number == NUMBER
        size = 500 if verb == "delete" else 10
        assert told == [*range(size, NUMBER, size), NUMBER]


async def test_a_job_tells_what_operators_did_to_it(jobs: DefaultJobManager) -> None:
    job = await jobs.submit(JobRequest("greet"), approval=True, correlation_id="42")
    for actor, verb in (("ada", "approve"), ("bob", "cancel"), ("eve", "retry")):
        await getattr(jobs.matching(Filter(), actor=actor), verb)()
    await jobs.matching(Filter(), actor="ada").move(priority=9)
    await jobs.matching(Filter()).cancel()
    details = (await jobs.get(job)).details
    assert [(each.actor, each.verb) for each in details.acts] == [
        *(("ada", "approve"), ("bob", "cancel"), ("eve", "retry"), ("ada", "move")),
    ]
    assert details.correlation_id == "42"


async def test_a_job_keeps_the_latest_acts_of_operators(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(JobRequest("greet"))
    for priority in range(25):
        matching = jobs.matching(Filter(), actor=f"operator {priority}")
        await matching.move(priority=priority)
    acts = (await jobs.get(job)).details.acts
    assert [each.actor for each in acts] == [
        f"operator {each}" for each in range(5, 25)
    ]


async def test_what_a_running_job_carries_is_left_to_its_worker(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(JobRequest("greet"))
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    await jobs.note(claim, Details(checkpoint=7))
    assert await jobs.matching(Filter(), actor="ada").cancel() == 1
    assert (await jobs.get(job)).details == Details(checkpoint=7)


@pytest.mark.parametrize("actor", ["", " ada", "a\nb", 7])
async def test_an_odd_actor_is_refused(jobs: DefaultJobManager, actor: Any) -> None:
    with pytest.raises(InvalidJobError, match="actor"):
        jobs.matching(Filter(), actor=actor)


async def test_cancel_calls_off_what_matches(jobs: DefaultJobManager) -> None:
    await many(jobs)
    other = await jobs.submit(JobRequest("send"))
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    waiting = asyncio.create_task(jobs.result(await jobs.get(claim.job_id)))
    assert await jobs.matching(Filter(task="greet")).cancel() == NUMBER
    assert await count(jobs, JobStatus.CANCELED) == NUMBER - 1
    assert (await jobs.get(other)).status is JobStatus.QUEUED
    running = await jobs.get(claim.job_id)
    assert running.status is JobStatus.IN_PROGRESS
    assert running.cancel_requested_at is not None
    assert await jobs.matching(Filter(task="greet")).cancel() == 0, "once is enough"
    waiting.cancel()


async def test_retry_starts_anew_what_failed(jobs: DefaultJobManager) -> None:
    await many(jobs)
    await fail_all(jobs)
    assert await jobs.matching(FAILED).count() == NUMBER
    assert await jobs.matching(Filter()).retry() == NUMBER
    (claim,) = (await jobs.claim("worker", ["default"], 1)).claims
    assert (claim.job.generation, claim.job.failures) == (1, 0)
    assert claim.job.arguments == {"name": "Ada"}
    assert await jobs.matching(Filter()).retry() == 0


async def test_retry_may_give_other_arguments(jobs: DefaultJobManager) -> None:
    await many(jobs)
    await fail_all(jobs)
    await jobs.matching(FAILED).retry({"name": "Alan"})
    page = await jobs.find(limit=1000)
    assert {job.arguments["name"] for job in page.jobs} == {"Alan"}
    job = await jobs.get(page.jobs[0])
    await jobs.cancel(job)
    assert (await jobs.retry(job, {"name": "Eve"})).arguments == {"name": "Eve"}


async def test_arguments_that_cannot_be_stored_are_refused(
    jobs: DefaultJobManager,
) -> None:
    job = await a_job(jobs, JobStatus.FAILED)
    matching = jobs.matching(Filter())
    for call in (matching.retry, lambda odd: jobs.retry(job, odd)):
        with pytest.raises(InvalidJobError):
            await call({"x": float("nan")})
        with pytest.raises(TooLargeError):
            await call({"x": "x" * jobs.config.max_payload_size})
    assert (await jobs.get(job)).status is JobStatus.FAILED


async def test_retry_leaves_what_has_lost_its_unique_key(
    jobs: DefaultJobManager,
) -> None:
    first = await jobs.submit(JobRequest("greet"), unique_key="one")
    await fail_all(jobs)
    await jobs.submit(JobRequest("greet"), unique_key="one")
    assert await jobs.matching(FAILED).retry() == 0
    assert (await jobs.get(first)).status is JobStatus.FAILED


async def test_move_gives_another_queue_and_priority(jobs: DefaultJobManager) -> None:
    await many(jobs)
    assert await jobs.matching(Filter(task="greet")).move(queue="slow") == NUMBER
    statistics = await jobs.statistics()
    assert statistics.count(JobStatus.QUEUED, "slow") == NUMBER
    assert statistics.count(JobStatus.QUEUED, "default") == 0
    assert await jobs.matching(Filter(queue="slow")).move(priority=-5) == NUMBER
    (claim,) = (await jobs.claim("worker", ["slow"], 1)).claims
    assert claim.job.priority == -5


async def test_move_leaves_what_runs_or_has_ended(jobs: DefaultJobManager) -> None:
    job = await a_job(jobs, JobStatus.IN_PROGRESS)
    assert await jobs.matching(Filter()).move(queue="slow") == 0
    assert (await jobs.get(job)).queue == "default"


@pytest.mark.parametrize(
    "odd", [{}, {"queue": "no queue"}, {"priority": 1 << 40}, {"priority": True}]
)
async def test_odd_moves_are_refused(
    jobs: DefaultJobManager, odd: dict[str, Any]
) -> None:
    with pytest.raises(InvalidJobError):
        await jobs.matching(Filter()).move(**odd)


async def test_odd_filters_are_refused(jobs: DefaultJobManager) -> None:
    with pytest.raises(InvalidJobError):
        jobs.matching(Filter(labels={"no name": "x"}))
    with pytest.raises(InvalidJobError):
        jobs.matching(Filter(ids=("\n",)))


async def test_what_needs_approval_runs_once_it_has_it(jobs: DefaultJobManager) -> None:
    job = await jobs.submit(JobRequest("greet"), approval=True)
    assert (job.status, job.held_by) == (JobStatus.HELD, "approval")
    assert await jobs.lift_held_jobs() == 0
    assert (await jobs.claim("worker", ["default"], 1)).claims == ()
    assert await jobs.matching(Filter(ids=(job.id,))).approve() == 1
    assert (await jobs.promote_due_jobs()).promoted == 1
    assert len((await jobs.claim("worker", ["default"], 1)).claims) == 1


async def test_what_is_approved_early_runs_when_it_is_due(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    hour = timedelta(hours=1)
    await jobs.submit(JobRequest("greet"), approval=True, delay=hour)
    assert await jobs.matching(Filter()).approve() == 1
    await jobs.wait_for_scheduled(hour)
    assert (await jobs.promote_due_jobs()).promoted == 0
    store.offset = hour
    assert (await jobs.promote_due_jobs()).promoted == 1


async def test_what_changes_meanwhile_is_looked_at_again(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit(JobRequest("greet"))
    store.answer(Answer.STATUS, Answer.LOCKED, Answer.GENERATION)
    assert await jobs.matching(Filter()).cancel() == 1


async def test_what_always_changes_is_left(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit(JobRequest("greet"))
    store.answer(*[Answer.STATUS] * 99)
    assert await jobs.matching(Filter()).cancel() == 0


async def test_it_is_logged_who_did_what(
    jobs: DefaultJobManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "jobcore.operator")
    await jobs.submit(JobRequest("greet"))
    await jobs.matching(Filter(), actor="ada").cancel()
    await jobs.matching(Filter()).delete()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["cancel: 1 jobs by ada", "delete: 1 jobs"]


async def test_workers_come_by_between_batches(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await many(jobs)
    gate = store.gate("apply")
    sweep: asyncio.Task[int] = asyncio.create_task(jobs.matching(Filter()).cancel())
    await gate.reached.wait()
    assert len((await jobs.claim("worker", ["default"], 1)).claims) == 1
    gate.opened.set()
    assert await sweep == NUMBER


async def test_a_job_to_be_approved_keeps_its_unique_key_while_it_is_held(
    jobs: DefaultJobManager,
) -> None:
    scope = frozenset({JobStatus.SCHEDULED, JobStatus.QUEUED})
    with pytest.raises(InvalidJobError, match="held in it"):
        await jobs.submit(GREET, approval=True, unique_key="one", unique_scope=scope)
    first = await jobs.submit(GREET, approval=True, unique_key="one")
    assert (await jobs.submit(GREET, unique_key="one")).id == first.id
