"""The manager: what happens next to a job."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import iscoroutinefunction
from random import Random
from typing import Any

import pytest

from jobcore import (
    Claim,
    DefaultJobManager,
    Details,
    Every,
    Filter,
    InvalidJobError,
    Job,
    JobcoreConfig,
    JobManager,
    JobNotFoundError,
    JobRequest,
    JobStatus,
    Limit,
    NewJob,
    Outcome,
    Report,
    Statistics,
    StoreNotOpenError,
    Tasks,
    UnsupportedError,
    WorkerRecord,
    never,
    open_manager,
)
from tests.jobcore.faults import FaultyStore, PlainStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
QUEUES = ("default",)
tasks = Tasks()


@tasks.task()
async def count_to(number: int) -> frozenset[int]:
    return frozenset(range(number))


def a_request(**options: Any) -> JobRequest[Any]:
    return JobRequest("greet", options=options)  # type: ignore[arg-type]


async def a_claim(jobs: JobManager, **options: Any) -> Claim:
    await jobs.submit(a_request(**options))
    (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
    return claim


# result


async def test_result_has_the_type_of_the_task_and_get_by_id_has_not(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(count_to.job(3))
    (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
    await jobs.complete(claim, frozenset({0, 1, 2}), count_to.arguments.result_type)
    assert await jobs.result(job) == frozenset({0, 1, 2})
    assert (await jobs.get(job)).value == frozenset({0, 1, 2})
    plain = await jobs.get(job.id)
    assert isinstance(plain.value, list)
    assert sorted(plain.value) == sorted(await jobs.result(plain)) == [0, 1, 2]


async def test_result_of_a_duplicate_is_that_of_the_job_that_is_there(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(a_request(unique_key="u"))
    duplicate = await jobs.submit(a_request(unique_key="u"))
    (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
    await jobs.complete(claim, 7)
    assert await jobs.result(duplicate) == 7


async def test_result_of_another_process_is_polled(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    job = await jobs.submit(a_request())
    waiting = asyncio.create_task(jobs.result(job))
    async with DefaultJobManager(store) as elsewhere:
        (claim,) = (await elsewhere.claim("worker", QUEUES, 1)).claims
        await elsewhere.complete(claim, 7)
    assert await waiting == 7


async def test_result_that_is_too_large_or_no_json_is_not_an_error(
    store: FaultyStore,
) -> None:
    async with DefaultJobManager(store, JobcoreConfig(max_result_size=10)) as jobs:
        job = await jobs.submit(count_to.job(3))
        (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
        await jobs.complete(claim, frozenset(range(9)), count_to.arguments.result_type)
        ended = await jobs.get(job)
        assert (ended.status, ended.value) == (JobStatus.COMPLETED, None)
        assert ended.reason == "result has 19 bytes, and 10 is the limit"


async def test_result_gives_up_in_time(jobs: DefaultJobManager) -> None:
    job = await jobs.submit(a_request())
    for timeout in (timedelta(milliseconds=30), timedelta(0), -HOUR):
        with pytest.raises(TimeoutError):
            await jobs.result(job, timeout)
    assert (await jobs.get(job)).status is JobStatus.QUEUED


async def test_result_of_a_job_that_was_deleted_is_not_found(
    jobs: DefaultJobManager,
) -> None:
    job = await jobs.submit(a_request())
    waiting = asyncio.create_task(jobs.result(job))
    await asyncio.sleep(0)
    await jobs.delete(job)
    with pytest.raises(JobNotFoundError):
        await waiting


# questions


async def test_get_brings_attempts_where_they_are_wanted(
    jobs: DefaultJobManager,
) -> None:
    claim = await a_claim(jobs)
    await jobs.release(claim)
    assert (await jobs.get(claim.job_id)).attempts == ()
    (attempt,) = (await jobs.get(claim.job_id, attempts=True)).attempts
    assert attempt.outcome is Outcome.RELEASED


async def test_find_pages_through_what_matches(jobs: DefaultJobManager) -> None:
    await jobs.submit_many([a_request(labels={"a": "1"})] * 5 + [a_request()])
    wanted, cursor, seen = Filter(labels={"a": "1"}), None, list[Job]()
    while True:
        page = await jobs.find(wanted, cursor=cursor, limit=2)
        assert len(page.jobs) <= 2
        seen += page.jobs
        cursor = page.cursor
        if cursor is None:
            break
    ids = [job.id for job in seen]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 5
    assert len((await jobs.find()).jobs) == 6


ODD_LIMITS: list[Any] = [0, -1, 2**31, 10**9, True, 1.0, "5", None]


@pytest.mark.parametrize("limit", ODD_LIMITS, ids=repr)
async def test_a_limit_that_makes_no_sense_is_refused_everywhere(
    jobs: DefaultJobManager, limit: Any
) -> None:
    for act in (
        lambda: jobs.find(limit=limit),
        lambda: jobs.promote_due_jobs(limit),
        lambda: jobs.release_stale_claims(limit),
        lambda: jobs.lift_held_jobs(limit),
    ):
        with pytest.raises(InvalidJobError) as refused:
            await act()
        assert refused.value.field == "limit"


# pause, resume, limits


async def test_a_paused_queue_is_passed_by_and_its_jobs_stay_queued(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit(a_request())
    await jobs.pause(queue="default")
    assert (await jobs.claim("worker", QUEUES, 1)).claims == ()
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 1
    await jobs.resume(queue="default")
    assert len((await jobs.claim("worker", QUEUES, 1)).claims) == 1


async def test_jobs_of_a_paused_task_are_held_until_it_is_resumed(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit_many([a_request()] * 1200)
    await jobs.pause(task="greet")
    while (await jobs.claim("worker", QUEUES, 1000)).held:
        pass
    (held,) = (await jobs.find(limit=1)).jobs
    assert (held.status, held.held_by) == (JobStatus.HELD, "task:greet")
    assert (await jobs.statistics()).count(JobStatus.HELD) == 1200
    await jobs.resume(task="greet")
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 1200


@pytest.mark.parametrize(
    "named", [{}, {"queue": ""}, {"task": "a b"}, {"queue": "a", "task": "{b}"}]
)
async def test_a_pause_of_nothing_is_refused(
    jobs: DefaultJobManager, named: dict[str, str]
) -> None:
    for act in (jobs.pause, jobs.resume):
        with pytest.raises(InvalidJobError):
            await act(**named)


async def test_a_limit_stands_for_a_key_until_it_is_ended(
    jobs: DefaultJobManager,
) -> None:
    await jobs.submit_many([a_request(limit_key="smtp")] * 4)
    await jobs.limit("smtp", Limit(concurrency=1))
    result = await jobs.claim("worker", QUEUES, 4)
    assert (len(result.claims), result.held) == (1, 3)
    assert await jobs.lift_held_jobs() == 0
    await jobs.limit("smtp", Limit(concurrency=2))
    assert (await jobs.statistics()).count(JobStatus.QUEUED) == 1
    await jobs.limit("smtp", None)
    assert (await jobs.statistics()).count(JobStatus.HELD) == 0


@pytest.mark.parametrize(
    ("key", "limit"),
    [("", None), ("a\n", None), ("a", Limit(concurrency=0)), ("a", Limit(rate=0))],
)
async def test_a_limit_without_sense_is_refused(
    jobs: DefaultJobManager, key: str, limit: Limit | None
) -> None:
    with pytest.raises(InvalidJobError):
        await jobs.limit(key, limit)


async def test_what_the_store_cannot_do_is_said_by_name() -> None:
    async with PlainStore() as store, DefaultJobManager(store) as jobs:
        acts: list[Callable[[], Awaitable[object]]] = [
            lambda: jobs.pause(queue="a"),
            lambda: jobs.resume(queue="a"),
            lambda: jobs.limit("a", None),
            jobs.workers,
        ]
        for act in acts:
            with pytest.raises(UnsupportedError) as refused:
                await act()
            assert refused.value.store == "PlainStore"


async def test_a_plain_store_is_enough_for_all_else() -> None:
    async with PlainStore() as store, DefaultJobManager(store) as jobs:
        claim = await a_claim(jobs)
        assert await jobs.complete(claim) is JobStatus.COMPLETED
        assert await jobs.lift_held_jobs() == 0
        assert await jobs.turn("prune", HOUR)
        await jobs.seen(WorkerRecord(id="worker"))
        await jobs.gone("worker")


# workers


async def test_workers_are_known_for_three_leases(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.seen(WorkerRecord(id="b", queues=("mail",)))
    await jobs.seen(WorkerRecord(id="a"))
    assert [each.id for each in await jobs.workers()] == ["a", "b"]
    await jobs.gone("a")
    store.offset += 3 * HOUR - timedelta(minutes=1)
    assert [each.id for each in await jobs.workers()] == ["b"]
    store.offset += timedelta(minutes=2)
    assert await jobs.workers() == []


async def test_a_duty_is_of_one_caller_per_interval(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    turns = await asyncio.gather(*[jobs.turn("prune", HOUR) for _ in range(5)])
    assert sorted(turns) == [False] * 4 + [True]
    store.offset += 2 * HOUR
    assert await jobs.turn("prune", HOUR)


async def test_renew_tells_what_is_lost_and_what_is_to_be_canceled(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    kept, lost, canceled = [await a_claim(jobs) for _ in range(3)]
    await jobs.complete(lost)
    await jobs.cancel(canceled.job_id)
    store.offset += HOUR / 2
    renewal = await jobs.renew([kept, lost, canceled])
    assert renewal.lost == {lost.job_id}
    assert renewal.requested == {canceled.job_id}
    until = (await jobs.get(kept.job_id)).lease_until
    assert until is not None
    assert kept.job.lease_until is not None
    assert until > kept.job.lease_until


async def test_wait_returns_when_there_is_something_to_claim(
    jobs: DefaultJobManager,
) -> None:
    assert not await jobs.wait("worker", QUEUES, timedelta(0))
    await jobs.wait("worker", QUEUES, timedelta(seconds=1))
    waiting = asyncio.create_task(jobs.wait("worker", QUEUES, HOUR))
    await asyncio.sleep(0)
    await jobs.submit(a_request())
    assert await waiting


# upkeep


async def test_due_jobs_are_promoted(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit_many([a_request(delay=HOUR), a_request(delay=5 * HOUR)])
    promotion = await jobs.promote_due_jobs()
    assert promotion.promoted == 0
    store.offset += 2 * HOUR
    promotion = await jobs.promote_due_jobs()
    assert promotion.promoted == 1
    assert promotion.next_due_in is not None
    assert 2 * HOUR < promotion.next_due_in <= 3 * HOUR


async def test_upkeep_is_woken_by_what_this_manager_schedules(
    jobs: DefaultJobManager,
) -> None:
    async def deferred() -> None:
        limit = Limit(rate=1, period=HOUR)
        await jobs.submit_many([a_request(limit=limit)] * 2)
        assert (await jobs.claim("worker", QUEUES, 2)).deferred == 1

    async def snoozed() -> None:
        await jobs.snooze(await a_claim(jobs), HOUR)

    for schedule in (deferred, snoozed):
        await jobs.wait_for_scheduled(timedelta(milliseconds=1))
        waiting = asyncio.create_task(jobs.wait_for_scheduled(HOUR))
        await schedule()
        async with asyncio.timeout(5):
            await waiting


async def test_the_configuration_of_a_manager_is_to_be_read(
    jobs: DefaultJobManager, config: JobcoreConfig
) -> None:
    assert jobs.config is config


async def test_a_stale_claim_backs_off_and_fails_as_lost_at_last(
    store: FaultyStore, config: JobcoreConfig
) -> None:
    async with DefaultJobManager(store, config, retry=never()) as jobs:
        found: Job[Any] = await jobs.submit(a_request(max_retries=0))
        for loss in (1, 2, 3):
            (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
            assert await jobs.release_stale_claims() == 0
            store.offset += 2 * HOUR
            assert await jobs.release_stale_claims() == 1
            found = await jobs.get(found, attempts=True)
            assert (found.losses, found.failures) == (loss, 0)
            assert found.attempts[-1].outcome is Outcome.LOST
            if loss < 3:
                assert found.status is JobStatus.SCHEDULED
                store.offset += HOUR
                await jobs.promote_due_jobs()
            with pytest.raises(Exception, match="lost"):
                await jobs.complete(claim)
        assert (found.status, found.reason) == (JobStatus.FAILED, "lost")
        assert found.failure is not None
        assert found.failure.type == "LeaseExpired"
        assert [each.number for each in found.attempts] == [1, 2, 3]


async def test_the_backoff_of_losses_grows_with_jitter(store: FaultyStore) -> None:
    config = JobcoreConfig(max_lost=9)
    async with DefaultJobManager(store, config) as jobs:
        await jobs.submit_many([a_request()] * 50)
        await jobs.claim("worker", QUEUES, 50)
        store.offset += HOUR
        assert await jobs.release_stale_claims() == 50
        due = {job.due_at for job in (await jobs.find()).jobs}
        assert len(due) > 40
        assert timedelta(0) < max(due) - min(due) <= timedelta(seconds=1)


async def test_a_lost_reply_to_a_release_of_stale_claims_has_one_effect(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await a_claim(jobs)
    store.offset += 2 * HOUR
    store.lose_reply("apply")
    assert await jobs.release_stale_claims() == 1
    assert (await jobs.get(claim.job_id)).losses == 1


async def test_a_renewal_that_comes_first_saves_the_claim(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await a_claim(jobs)
    store.offset += 2 * HOUR
    gate = store.gate("apply")
    releasing = asyncio.create_task(jobs.release_stale_claims())
    await gate.reached.wait()
    await jobs.renew([claim])
    gate.opened.set()
    assert await releasing == 0
    assert (await jobs.get(claim.job_id)).losses == 0
    assert await jobs.complete(claim) is JobStatus.COMPLETED


async def test_a_stale_claim_with_a_request_to_cancel_ends_in_that(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    claim = await a_claim(jobs)
    await jobs.cancel(claim.job_id)
    store.offset += 2 * HOUR
    assert await jobs.release_stale_claims() == 1
    assert (await jobs.get(claim.job_id)).status is JobStatus.CANCELED


async def test_a_snoozed_job_that_is_canceled_shows_no_attempt_without_an_end(
    jobs: DefaultJobManager,
) -> None:
    claim = await a_claim(jobs)
    await jobs.snooze(claim, HOUR)
    await jobs.cancel(claim.job_id)
    assert (await jobs.get(claim.job_id, attempts=True)).attempts == ()


@pytest.mark.parametrize("delay", [timedelta.max, -HOUR, "soon"])
async def test_a_nonsense_delay_of_a_strategy_gives_way_to_the_default(
    jobs: DefaultJobManager, delay: Any
) -> None:
    class Nonsense:
        def retry_after(self, job: Job, exception: BaseException) -> timedelta:
            del job, exception
            answer: timedelta = delay
            return answer

    claim = await a_claim(jobs)
    assert await jobs.fail(claim, ValueError(), retry=Nonsense()) == "scheduled"


async def test_prune_deletes_what_is_older_than_its_retention(
    store: FaultyStore,
) -> None:
    config = JobcoreConfig(
        retention_completed=HOUR, retention_failed=3 * HOUR, retention_canceled=None
    )
    async with DefaultJobManager(store, config) as jobs:
        for _ in range(3):
            await jobs.complete(await a_claim(jobs))
        await jobs.fail(await a_claim(jobs), ValueError(), retry=never())
        await jobs.cancel(await jobs.submit(a_request()))
        await a_claim(jobs)
        await jobs.submit(a_request(delay=HOUR))
        assert await jobs.prune() == 0
        store.offset += 2 * HOUR
        assert await jobs.prune() == 3
        store.offset += 2 * HOUR
        assert await jobs.prune() == 1
        store.offset += 1000 * HOUR
        assert await jobs.prune() == 0
        left = {job.status for job in (await jobs.find()).jobs}
        assert left == {
            JobStatus.CANCELED,
            JobStatus.IN_PROGRESS,
            JobStatus.SCHEDULED,
        }


async def test_prune_takes_as_many_batches_as_it_needs(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit_many([a_request()] * 1100)
    claims = (await jobs.claim("worker", QUEUES, 1100)).claims
    await asyncio.gather(*map(jobs.complete, claims))
    store.offset += timedelta(days=8)
    assert await jobs.prune() == 1100
    assert await jobs.statistics() == Statistics()


# opening and closing


async def test_open_manager_opens_and_closes_both() -> None:
    async with open_manager("memory://") as jobs:
        job = await jobs.submit(a_request())
    with pytest.raises(StoreNotOpenError):
        await jobs.get(job)


def every_act(jobs: DefaultJobManager, claim: Claim) -> dict[str, Any]:
    """A call of every public coroutine."""
    return {
        "submit": lambda: jobs.submit(a_request()),
        "submit_many": lambda: jobs.submit_many([a_request()] * 3),
        "get": lambda: jobs.get(claim.job_id),
        "find": jobs.find,
        "statistics": jobs.statistics,
        "explain": lambda: jobs.explain(claim.job_id),
        "examine": jobs.examine,
        "result": lambda: jobs.result(claim.job, HOUR),
        "cancel": lambda: jobs.cancel(claim.job_id),
        "retry": lambda: jobs.retry(claim.job_id),
        "delete": lambda: jobs.delete(claim.job_id),
        "schedule": lambda: jobs.schedule("hourly", a_request(), Every(HOUR)),
        "schedules": jobs.schedules,
        "trigger": lambda: jobs.trigger("hourly"),
        "unschedule": lambda: jobs.unschedule("hourly"),
        "note": lambda: jobs.note(claim, Details()),
        "fire_due_schedules": jobs.fire_due_schedules,
        "wait_for_schedules": lambda: jobs.wait_for_schedules(HOUR / 3_600_000),
        "pause": lambda: jobs.pause(task="other"),
        "resume": lambda: jobs.resume(task="other"),
        "limit": lambda: jobs.limit("key", Limit(concurrency=5)),
        "claim": lambda: jobs.claim("worker", QUEUES, 2),
        "renew": lambda: jobs.renew([claim]),
        "report": lambda: jobs.report([Report(claim, Outcome.SUCCEEDED)]),
        "complete": lambda: jobs.complete(claim, 7),
        "fail": lambda: jobs.fail(claim, ValueError()),
        "release": lambda: jobs.release(claim),
        "snooze": lambda: jobs.snooze(claim, HOUR),
        "acknowledge": lambda: jobs.acknowledge(claim),
        "promote_due_jobs": jobs.promote_due_jobs,
        "wait_for_scheduled": lambda: jobs.wait_for_scheduled(HOUR / 3_600_000),
        "release_stale_claims": jobs.release_stale_claims,
        "lift_held_jobs": jobs.lift_held_jobs,
        "age": jobs.age,
        "prune": jobs.prune,
        "seen": lambda: jobs.seen(WorkerRecord(id="worker")),
        "gone": lambda: jobs.gone("worker"),
        "workers": jobs.workers,
        "turn": lambda: jobs.turn("prune", HOUR),
        "wait": lambda: jobs.wait("worker", QUEUES, timedelta(milliseconds=1)),
    }


async def test_every_public_coroutine_is_among_the_acts(
    jobs: DefaultJobManager,
) -> None:
    public = {
        name for name, act in vars(JobManager).items() if iscoroutinefunction(act)
    }
    acts = set(every_act(jobs, await a_claim(jobs)))
    assert acts == public - {"health"}, "which is told of a closed manager, too"


async def test_nothing_is_done_once_the_manager_is_closed(store: FaultyStore) -> None:
    async with DefaultJobManager(store) as jobs:
        acts = every_act(jobs, await a_claim(jobs))
    before = store.calls.copy()
    for name, act in acts.items():
        with pytest.raises(StoreNotOpenError) as refused:
            await act()
        assert refused.value.code == "store_not_open", name
    assert store.calls == before


async def test_nothing_is_done_from_another_process(
    jobs: DefaultJobManager, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts, parent = every_act(jobs, await a_claim(jobs)), os.getpid()
    before = store.calls.copy()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: parent + 1)
        for act in acts.values():
            with pytest.raises(StoreNotOpenError, match=f"process {parent}"):
                await act()
    assert store.calls == before


async def test_nothing_is_done_from_another_loop_even_while_something_flies(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    acts = every_act(jobs, await a_claim(jobs))
    gates = [store.gate("insert"), store.gate("apply")]
    flying = [asyncio.create_task(acts[name]()) for name in ("submit", "complete")]
    for gate in gates:
        await gate.reached.wait()

    async def elsewhere() -> None:
        for act in acts.values():
            with pytest.raises(StoreNotOpenError, match="another event loop"):
                async with asyncio.timeout(5):
                    await act()

    before = store.calls.copy()
    await asyncio.to_thread(asyncio.run, elsewhere())
    assert store.calls == before
    for gate in gates:
        gate.opened.set()
    await asyncio.gather(*flying)


async def test_closing_waits_for_what_flies(store: FaultyStore) -> None:
    jobs = DefaultJobManager(store)
    await jobs.__aenter__()
    claim = await a_claim(jobs)
    gates = [store.gate("insert"), store.gate("apply")]
    flying = [
        asyncio.create_task(jobs.submit(a_request())),
        asyncio.create_task(jobs.complete(claim)),
    ]
    for gate in gates:
        await gate.reached.wait()
    for caller in flying:
        caller.cancel()
    closing = asyncio.create_task(jobs.__aexit__(None, None, None))
    await asyncio.sleep(0)
    assert not closing.done()
    for gate in gates:
        gate.opened.set()
    await closing
    statistics = await store.statistics()
    assert statistics.count(JobStatus.COMPLETED) == 1
    assert statistics.count(JobStatus.QUEUED) == 1


async def test_what_waits_is_stored_though_closing_is_cancelled(
    store: FaultyStore,
) -> None:
    jobs = DefaultJobManager(store)
    await jobs.__aenter__()
    gate = store.gate("insert")
    first = asyncio.create_task(jobs.submit(a_request()))
    await gate.reached.wait()
    second = asyncio.create_task(jobs.submit(a_request()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(jobs.__aexit__(None, None, None))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    gate.opened.set()
    await asyncio.gather(first, second)
    assert (await store.statistics()).count(JobStatus.QUEUED) == 2


class SlowStore(FaultyStore):
    """Gives way to the event loop a few times in each call, some of them failing."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.chance = random

    async def _call(self, verb: str, act: Callable[[], Awaitable[Any]]) -> Any:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        if self.chance.random() < 0.02:
            self.lose_reply(verb)
        return await super()._call(verb, act)


@pytest.mark.parametrize("seed", range(4))
async def test_cancelling_any_call_at_any_moment_keeps_the_manager_whole(
    seed: int, config: JobcoreConfig
) -> None:
    random = Random(seed)
    store = SlowStore(random)
    async with DefaultJobManager(store, config) as jobs:
        for _ in range(8):
            claim = await a_claim(jobs, queue="default", priority=-1)
            for name, act in every_act(jobs, claim).items():
                call = asyncio.create_task(act(), name=name)
                for _ in range(random.randrange(9)):
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.wait({call})
        assert await jobs.result(await _run(jobs), HOUR) == 7
    assert (await store.verify()).sound
    left = [task for task in asyncio.all_tasks() if "jobcore" in task.get_name()]
    assert left == []


async def _run(jobs: DefaultJobManager) -> Job[Any]:
    job = await jobs.submit(a_request(queue="last"))
    (claim,) = (await jobs.claim("worker", ("last",), 1)).claims
    await jobs.complete(claim, 7)
    return job


# the seed design's two interfaces, as DESIGN §5 maps them


async def test_every_act_of_the_seed_design_on_a_store(store: FaultyStore) -> None:
    async with DefaultJobManager(store) as jobs:
        new = NewJob(task="greet", id="7")
        (created,) = await store.insert([new])  # CreateJob
        assert created.created
        assert await store.get(["7"]) == [created.job]  # GetJobById
        (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims  # ClaimJobsForWorker
        running = Filter(statuses=frozenset({JobStatus.IN_PROGRESS}))
        assert [job.id for job in (await jobs.find(running)).jobs] == ["7"]
        assert await jobs.release(claim) is JobStatus.QUEUED  # ReleaseJobToPool
        later = await jobs.submit(a_request(delay=HOUR))
        store.offset += 2 * HOUR
        due = Filter(statuses=frozenset({JobStatus.SCHEDULED}), due=True)
        found = await jobs.find(due)  # GetDueScheduledJobs
        assert [job.id for job in found.jobs] == [later.id]
        assert (await jobs.statistics()).count(JobStatus.SCHEDULED) == 1
        await jobs.delete(later)  # DeleteJob
        (claim,) = (await jobs.claim("worker", QUEUES, 1)).claims
        await jobs.complete(claim, 7)  # UpdateJob, …Status, …Result, …Exception
        store.offset += timedelta(days=8)
        assert await jobs.prune() == 1  # CleanupCompletedJobs
        assert await jobs.statistics() == Statistics()  # GetJobStatistics


async def test_every_act_of_the_seed_design_on_a_manager(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.submit_many([a_request(max_retries=0)] * 4)  # SubmitJob
    result = await jobs.claim("worker", QUEUES, 4)  # ClaimJobsForProcessing
    good, bad, stopped, stale = result.claims
    assert await jobs.complete(good) is JobStatus.COMPLETED  # ProcessJobSuccess
    assert await jobs.fail(bad, ValueError()) is JobStatus.FAILED  # …Failure
    assert await jobs.cancel(stopped.job_id) is JobStatus.IN_PROGRESS  # CancelJob
    assert await jobs.acknowledge(stopped) is JobStatus.CANCELED  # …Cancellation
    store.offset += 2 * HOUR
    assert await jobs.release_stale_claims() == 1  # ProcessStaleJobClaims
    store.offset += 2 * HOUR
    assert (await jobs.promote_due_jobs()).promoted == 1  # ProcessScheduledJobs
    assert (await jobs.get(stale.job_id)).status is JobStatus.QUEUED
