"""The rules of `ScheduleStore`: a schedule changes with the jobs of its ticks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobcore.abilities import ScheduleRecord, ScheduleStore
from jobcore.identity import Tick
from jobcore.job import JobStatus, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import a_job, claimed, close, found, pass_time

HOUR = timedelta(hours=1)
NIGHTLY = ScheduleRecord(name="nightly", revision="first", data=b'{"\xc3\xa9": 0}')


class ScheduleConformance(Conformance):
    """The tests of `ScheduleStore`; see `jobcore.testing`."""

    @pytest.fixture
    def schedules(self, store: JobStore) -> ScheduleStore:
        """The ability of the store under test."""
        ability = store.ability(ScheduleStore)
        assert ability is not None, "the store has the ability ScheduleStore"
        return ability

    async def test_schedules_are_none_at_first(self, schedules: ScheduleStore) -> None:
        assert await schedules.schedules() == []
        assert await schedules.schedules(["nightly"]) == []
        due = await schedules.due_schedules(9)
        assert (due.schedules, due.next_due_in) == ((), None)

    async def test_due_schedules_tell_what_the_clock_shows(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        pass_time(store, 50 * HOUR)
        now = (await schedules.due_schedules(1)).now
        assert close(now, datetime.now(UTC) + 50 * HOUR)

    async def test_fire_enters_a_schedule_as_it_is(
        self, schedules: ScheduleStore
    ) -> None:
        now = (await schedules.due_schedules(1)).now
        timed = replace(NIGHTLY, name="timed", due_at=now + HOUR)
        assert await schedules.fire(NIGHTLY, None, []) == []
        assert await schedules.fire(timed, None, []) == []
        assert await schedules.schedules() == [NIGHTLY, timed]

    async def test_schedules_come_by_name(self, schedules: ScheduleStore) -> None:
        for name in ("b", "a-2", "Z", "a-1"):
            await schedules.fire(replace(NIGHTLY, name=name), None, [])
        names = [each.name for each in await schedules.schedules()]
        assert names == ["Z", "a-1", "a-2", "b"]
        some = await schedules.schedules(["b", "none", "Z", "b"])
        assert [each.name for each in some] == ["Z", "b"]
        assert await schedules.schedules([]) == []

    async def test_fire_replaces_what_has_the_expected_revision(
        self, schedules: ScheduleStore
    ) -> None:
        await schedules.fire(NIGHTLY, None, [])
        other = replace(NIGHTLY, revision="second", data=b"other")
        assert await schedules.fire(other, "first", []) == []
        assert await schedules.schedules() == [other]

    async def test_fire_changes_nothing_where_another_revision_is_there(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        job = _tick_job(store, "nightly", 1)
        other = replace(NIGHTLY, revision="other", data=b"other")
        assert await schedules.fire(other, "first", [job]) is None, "there is none"
        await schedules.fire(NIGHTLY, None, [])
        assert await schedules.fire(other, None, [job]) is None, "there is one"
        assert await schedules.fire(other, "odd", [job]) is None
        assert await schedules.schedules() == [NIGHTLY]
        assert await found(store) == []

    async def test_fire_inserts_jobs(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        first, second = (_tick_job(store, "nightly", n) for n in (1, 2))
        answers = await schedules.fire(NIGHTLY, None, [first, second])
        assert answers is not None
        assert [each.created for each in answers] == [True, True]
        assert [each.job.id for each in answers] == [first.id, second.id]
        assert {job.id for job in await found(store)} == {first.id, second.id}
        assert (await store.statistics()).count(JobStatus.QUEUED) == 2
        claims = await claimed(store, limit=2)
        assert {claim.job_id for claim in claims} == {first.id, second.id}

    async def test_fire_inserts_jobs_with_keys_and_limits(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        keyed = _tick_job(store, "nightly", 1, unique_key="schedule:nightly")
        again = _tick_job(store, "nightly", 2, unique_key="schedule:nightly")
        await schedules.fire(NIGHTLY, None, [keyed])
        second = replace(NIGHTLY, revision="second")
        answers = await schedules.fire(second, "first", [again])
        assert answers is not None
        assert (answers[0].created, answers[0].job.id) == (False, keyed.id)
        assert await schedules.schedules() == [second], "the tick has passed"

    async def test_fire_answers_a_repeat_and_makes_no_second_job(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        job = _tick_job(store, "nightly", 1)
        await schedules.fire(NIGHTLY, None, [job])
        for _ in range(2):
            answers = await schedules.fire(NIGHTLY, None, [job])
            assert answers is not None
            assert answers[0].job.id == job.id
        second = replace(NIGHTLY, revision="second")
        await schedules.fire(second, "first", [])
        assert await schedules.fire(NIGHTLY, None, [job]) is None, "it is outdated"
        assert len(await found(store)) == 1

    async def test_fire_is_won_by_one_of_concurrent_callers(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        await schedules.fire(NIGHTLY, None, [])
        expected = "first"
        for number in range(3):
            job = _tick_job(store, "nightly", number)
            tries = [
                schedules.fire(
                    replace(NIGHTLY, revision=f"{number}-{each}"), expected, [job]
                )
                for each in range(6)
            ]
            answers = await asyncio.gather(*tries)
            won = [place for place, each in enumerate(answers) if each is not None]
            assert len(won) == 1
            expected = f"{number}-{won[0]}"
        assert len(await found(store)) == 3

    async def test_new_id_is_the_same_for_the_same_tick(self, store: JobStore) -> None:
        one, same = (_tick_job(store, "nightly", 1) for _ in range(2))
        other = _tick_job(store, "nightly", 2)
        else_ = _tick_job(store, "hourly", 1)
        assert one.id == same.id
        assert len({one.id, other.id, else_.id}) == 3
        limited = [_tick_job(store, "nightly", 1, limit_key=key) for key in ("a", "a")]
        assert limited[0].id == limited[1].id

    async def test_due_schedules_are_those_whose_time_has_come(
        self, schedules: ScheduleStore, store: JobStore
    ) -> None:
        now = (await schedules.due_schedules(1)).now
        for name, hours in {"c": 1, "a": 2, "b": 3, "d": 5}.items():
            timed = replace(NIGHTLY, name=name, due_at=now + hours * HOUR)
            await schedules.fire(timed, None, [])
        await schedules.fire(replace(NIGHTLY, name="never"), None, [])
        first = await schedules.due_schedules(9)
        assert first.schedules == ()
        assert close(now + (first.next_due_in or HOUR), now + HOUR)
        pass_time(store, 3 * HOUR)
        due = await schedules.due_schedules(9)
        assert [each.name for each in due.schedules] == ["c", "a", "b"]
        assert close(now + (due.next_due_in or HOUR), now + 2 * HOUR)
        some = await schedules.due_schedules(2)
        assert [each.name for each in some.schedules] == ["c", "a"]
        assert some.next_due_in == timedelta(0), "more are due"

    async def test_fire_moves_a_schedule_in_time(
        self, schedules: ScheduleStore, store: JobStore
    ) -> None:
        now = (await schedules.due_schedules(1)).now
        await schedules.fire(replace(NIGHTLY, due_at=now + HOUR), None, [])
        pass_time(store, HOUR)
        (due,) = (await schedules.due_schedules(9)).schedules
        moved = replace(due, revision="second", due_at=now + 2 * HOUR)
        await schedules.fire(moved, "first", [])
        assert (await schedules.due_schedules(9)).schedules == ()
        pass_time(store, HOUR)
        assert (await schedules.due_schedules(9)).schedules == (moved,)
        ended = replace(moved, revision="third", due_at=None)
        await schedules.fire(ended, "second", [])
        last = await schedules.due_schedules(9)
        assert (last.schedules, last.next_due_in) == ((), None)

    async def test_unschedule_removes_a_schedule_and_leaves_its_jobs(
        self, store: JobStore, schedules: ScheduleStore
    ) -> None:
        now = (await schedules.due_schedules(1)).now
        job = _tick_job(store, "nightly", 1)
        await schedules.fire(replace(NIGHTLY, due_at=now), None, [job])
        await schedules.fire(replace(NIGHTLY, name="other"), None, [])
        assert await schedules.unschedule("nightly")
        assert not await schedules.unschedule("nightly")
        assert [each.name for each in await schedules.schedules()] == ["other"]
        assert (await schedules.due_schedules(9)).schedules == ()
        assert [each.id for each in await found(store, Filter())] == [job.id]
        late = replace(NIGHTLY, revision="second")
        assert await schedules.fire(late, "first", []) is None, "it is gone"
        assert await schedules.fire(late, None, []) == []


def _tick_job(store: JobStore, schedule: str, number: int, **fields: object) -> NewJob:
    job = a_job(**fields)
    at = datetime(2026, 1, 1, tzinfo=UTC) + number * HOUR
    return job.named(store.new_id(job, Tick(schedule, at)))
