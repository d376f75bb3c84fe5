"""Schedules of a manager: kept, fired once for each tick, paused, triggered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    Cron,
    DefaultJobManager,
    Every,
    Filter,
    InvalidJobError,
    Job,
    JobRequest,
    JobStatus,
    Limit,
    Misfire,
    Overlap,
    ScheduleConflictError,
    ScheduleNotFoundError,
    ScheduleRecord,
    ScheduleStore,
    StoreUnavailableError,
    UnsupportedError,
    WorkerRecord,
)
from tests.jobcore.faults import FaultyStore, PlainStore

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
GREET = JobRequest("greet", {"name": "Ada"})
HOURLY = Every(HOUR)


def ability(store: FaultyStore) -> ScheduleStore:
    found = store.ability(ScheduleStore)
    assert found is not None
    return found


async def found(jobs: DefaultJobManager) -> list[Job]:
    page = await jobs.find(Filter(labels={"schedule": "hourly"}))
    return list(reversed(page.jobs))


async def ended(jobs: DefaultJobManager, number: int = 9) -> list[Job]:
    """Take jobs and complete them."""
    claims = (await jobs.claim("worker", ["default"], number)).claims
    for claim in claims:
        await jobs.complete(claim)
    return [claim.job for claim in claims]


async def test_a_tick_makes_a_job_of_the_request(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    request = GREET.with_options(queue="mail", priority=3, labels={"a": "b"})
    schedule = await jobs.schedule("hourly", request, HOURLY)
    assert schedule.due_at == schedule.created_at + HOUR
    assert (await jobs.fire_due_schedules()).jobs == 0
    store.offset += HOUR
    fired = await jobs.fire_due_schedules()
    assert fired.jobs == 1
    (job,) = await found(jobs)
    assert (job.task, job.queue, job.priority) == ("greet", "mail", 3)
    assert (job.arguments, job.status) == ({"name": "Ada"}, JobStatus.QUEUED)
    assert job.due_at == schedule.due_at
    assert schedule.due_at is not None
    tick = schedule.due_at.isoformat()
    assert job.labels == {"a": "b", "schedule": "hourly", "tick": tick}


async def test_managers_make_one_job_for_each_tick_between_them(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    async with (
        DefaultJobManager(store, jobs.config) as second,
        DefaultJobManager(store, jobs.config) as third,
    ):
        for _ in range(20):
            store.offset += HOUR
            fired = await asyncio.gather(
                *(each.fire_due_schedules() for each in (jobs, second, third))
            )
            assert sum(each.jobs for each in fired) == 1
    ticks = [job.labels["tick"] for job in await found(jobs)]
    assert len(set(ticks)) == len(ticks) == 20


async def test_a_call_that_is_repeated_makes_one_job(
    jobs: DefaultJobManager, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    store.offset += HOUR
    schedules = ability(store)
    fire = schedules.fire
    lost = [StoreUnavailableError("the reply was lost")]

    async def lose_reply(*arguments: Any) -> Any:
        answer = await fire(*arguments)
        if lost:
            raise lost.pop()
        return answer

    monkeypatch.setattr(schedules, "fire", lose_reply)
    assert (await jobs.fire_due_schedules()).jobs == 1
    assert lost == []
    assert len(await found(jobs)) == 1


async def test_it_is_told_how_long_nothing_is_due(jobs: DefaultJobManager) -> None:
    assert (await jobs.fire_due_schedules()).next_due_in is None
    await jobs.schedule("hourly", GREET, HOURLY)
    left = (await jobs.fire_due_schedules()).next_due_in
    assert left is not None
    assert HOUR - timedelta(minutes=1) < left <= HOUR


async def test_saying_the_same_again_changes_nothing(jobs: DefaultJobManager) -> None:
    first = await jobs.schedule("hourly", GREET, HOURLY)
    assert await jobs.schedule("hourly", GREET, HOURLY) == first
    assert await jobs.schedules() == [first]


async def test_a_schedule_is_changed_and_keeps_what_it_went_through(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    store.offset += HOUR
    await jobs.fire_due_schedules()
    changed = await jobs.schedule("hourly", JobRequest("send"), Every(2 * HOUR))
    assert (changed.task, changed.runs) == ("send", 1)
    assert changed.due_at == changed.created_at + 2 * HOUR


async def test_a_schedule_is_removed_and_its_jobs_stay(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    await jobs.trigger("hourly")
    await jobs.unschedule("hourly")
    assert await jobs.schedules() == []
    store.offset += HOUR
    assert (await jobs.fire_due_schedules()).jobs == 0
    assert len(await found(jobs)) == 1


async def test_what_is_not_there_is_told(jobs: DefaultJobManager) -> None:
    for call in (
        jobs.unschedule("hourly"),
        jobs.trigger("hourly"),
        jobs.pause(schedule="hourly"),
        jobs.resume(schedule="hourly"),
    ):
        with pytest.raises(ScheduleNotFoundError, match="no schedule 'hourly'"):
            await call


async def test_a_paused_schedule_has_no_ticks_until_it_is_resumed(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, Every(HOUR, misfire=Misfire.ALL))
    for _ in range(2):
        await jobs.pause(schedule="hourly")
    store.offset += 5.5 * HOUR
    assert (await jobs.fire_due_schedules()).jobs == 0
    (paused,) = await jobs.schedules()
    assert (paused.paused, paused.due_at) == (True, None)
    for _ in range(2):
        await jobs.resume(schedule="hourly")
    assert (await jobs.fire_due_schedules()).jobs == 0, "it goes on with what comes"
    (resumed,) = await jobs.schedules()
    assert resumed.due_at == resumed.created_at + 6 * HOUR


async def test_a_trigger_makes_a_job_at_once_and_leaves_the_ticks(
    jobs: DefaultJobManager,
) -> None:
    before = await jobs.schedule("hourly", GREET, HOURLY)
    options: dict[str, Any] = {"timeout": HOUR, "labels": {"by": "hand"}}
    job = await jobs.trigger("hourly", **options)
    assert (job.status, job.timeout) == (JobStatus.QUEUED, HOUR)
    assert job.labels == {"by": "hand", "schedule": "hourly"}
    assert await jobs.schedules() == [before]
    assert (await jobs.trigger("hourly")).id != job.id


async def test_a_double_click_with_a_key_makes_one_job(
    jobs: DefaultJobManager,
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    clicks = await asyncio.gather(
        *(jobs.trigger("hourly", key="click 7") for _ in range(9))
    )
    assert len({job.id for job in clicks}) == 1
    assert [job.is_duplicate for job in clicks].count(False) == 1
    await ended(jobs)
    assert (await jobs.trigger("hourly", key="click 7")).is_duplicate
    assert not (await jobs.trigger("hourly", key="click 8")).is_duplicate


async def test_overlap_skip_makes_no_job_beside_another(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, Every(HOUR, overlap=Overlap.SKIP))
    store.offset += HOUR
    assert (await jobs.fire_due_schedules()).jobs == 1
    store.offset += HOUR
    assert (await jobs.fire_due_schedules()).jobs == 0
    assert (await jobs.trigger("hourly")).is_duplicate, "the same for a click"
    assert len(await ended(jobs)) == 1
    store.offset += HOUR
    assert (await jobs.fire_due_schedules()).jobs == 1


async def test_overlap_wait_runs_one_job_after_another(
    jobs: DefaultJobManager, store: FaultyStore
) -> None:
    await jobs.schedule("hourly", GREET, Every(HOUR, overlap=Overlap.WAIT))
    for _ in range(2):
        store.offset += HOUR
        await jobs.fire_due_schedules()
    await jobs.trigger("hourly")
    claims = (await jobs.claim("worker", ["default"], 9)).claims
    assert len(claims) == 1
    assert (await jobs.statistics()).count(JobStatus.HELD) == 2
    await jobs.complete(claims[0])
    assert await jobs.lift_held_jobs() <= 1
    claims = (await jobs.claim("worker", ["default"], 9)).claims
    assert len(claims) == 1


@pytest.mark.parametrize(
    ("overlap", "options"),
    [
        (Overlap.SKIP, {"unique_key": "mine"}),
        (Overlap.WAIT, {"limit_key": "mine", "limit": Limit(concurrency=2)}),
    ],
)
async def test_what_an_overlap_takes_cannot_be_given(
    jobs: DefaultJobManager, overlap: Overlap, options: dict[str, Any]
) -> None:
    request = GREET.with_options(**options)
    with pytest.raises(InvalidJobError, match="is the schedule's own"):
        await jobs.schedule("hourly", request, Every(HOUR, overlap=overlap))
    assert await jobs.schedules() == []


@pytest.mark.parametrize("option", ["run_at", "delay"])
async def test_its_jobs_have_no_due_time_of_their_own(
    jobs: DefaultJobManager, option: str
) -> None:
    request = GREET.with_options(**{option: HOUR})  # type: ignore[arg-type]
    with pytest.raises(InvalidJobError, match="is told by the ticks"):
        await jobs.schedule("hourly", request, HOURLY)


async def test_bad_input_is_refused_before_anything_is_written(
    jobs: DefaultJobManager,
) -> None:
    odd: Any = 5
    for call in (
        jobs.schedule("no name", GREET, HOURLY),
        jobs.schedule("hourly", JobRequest("greet", {"x": float("nan")}), HOURLY),
        jobs.schedule("hourly", GREET.with_options(priority=1 << 40), HOURLY),
        jobs.schedule("hourly", GREET, odd),
        jobs.unschedule("no name"),
        jobs.trigger("no name"),
    ):
        with pytest.raises(InvalidJobError):
            await call
    await jobs.schedule("hourly", GREET, HOURLY)
    with pytest.raises(InvalidJobError):
        await jobs.trigger("hourly", key="\n")
    with pytest.raises(InvalidJobError):
        await jobs.trigger("hourly", priority=1 << 40)
    assert await found(jobs) == []


async def test_a_schedule_whose_task_no_worker_has_is_skipped_and_marked(
    jobs: DefaultJobManager, store: FaultyStore, caplog: pytest.LogCaptureFixture
) -> None:
    await jobs.schedule("hourly", GREET, HOURLY)
    await jobs.schedule("other", JobRequest("send"), HOURLY)
    for _ in range(3):
        store.offset += HOUR
        await jobs.seen(WorkerRecord(id="one", tasks=("send",)))
        assert (await jobs.fire_due_schedules()).jobs == 1, "the other goes on"
    hourly, other = await jobs.schedules()
    assert (hourly.orphaned, hourly.runs, other.orphaned) == (True, 0, False)
    assert caplog.text.count("schedule hourly schedule skipped: no worker has") == 3
    store.offset += HOUR
    await jobs.seen(WorkerRecord(id="two", tasks=("send", "greet")))
    assert (await jobs.fire_due_schedules()).jobs == 2
    assert not (await jobs.schedules())[0].orphaned


async def test_a_schedule_that_cannot_be_read_rests_and_holds_up_no_other(
    jobs: DefaultJobManager, store: FaultyStore, caplog: pytest.LogCaptureFixture
) -> None:
    schedules = ability(store)
    made = await jobs.schedule("hourly", GREET, HOURLY)
    odd = ScheduleRecord(name="a", revision="1", data=b"{", due_at=made.due_at)
    await schedules.fire(odd, None, [])
    store.offset += HOUR
    assert (await jobs.fire_due_schedules()).jobs == 1
    assert "schedule a rests: " in caplog.text
    (rested,) = await schedules.schedules(["a"])
    assert rested.data == b"{"
    assert rested.due_at is not None
    assert made.due_at is not None
    assert rested.due_at > made.due_at
    assert [each.name for each in await jobs.schedules()] == ["hourly"]
    with pytest.raises(ScheduleNotFoundError):
        await jobs.pause(schedule="a")
    await jobs.schedule("a", GREET, HOURLY)
    assert [each.name for each in await jobs.schedules()] == ["a", "hourly"]


async def test_a_schedule_that_others_always_change_is_given_up(
    jobs: DefaultJobManager, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules = ability(store)
    await jobs.schedule("hourly", GREET, HOURLY)
    fire = schedules.fire

    async def too_late(record: ScheduleRecord, expected: str, new: Any) -> Any:
        del expected
        return await fire(record, "another", new)

    monkeypatch.setattr(schedules, "fire", too_late)
    with pytest.raises(ScheduleConflictError, match="changed by others all the time"):
        await jobs.pause(schedule="hourly")


async def test_schedules_need_a_store_that_keeps_them() -> None:
    async with PlainStore() as store, DefaultJobManager(store) as jobs:
        with pytest.raises(UnsupportedError, match="ScheduleStore"):
            await jobs.schedule("hourly", GREET, HOURLY)
        with pytest.raises(UnsupportedError):
            await jobs.schedules()
        assert (await jobs.fire_due_schedules()).next_due_in is None


async def test_cron_is_kept_with_its_zone(jobs: DefaultJobManager) -> None:
    rule = Cron("0 3 * * mon-fri", "Europe/Berlin", jitter=HOUR)
    await jobs.schedule("hourly", GREET, rule)
    (schedule,) = await jobs.schedules()
    assert schedule.recurrence == rule
    assert schedule.due_at is not None
    assert schedule.due_at.minute == 0
