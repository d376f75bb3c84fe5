"""What becomes of a schedule when ticks have come: which make a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobcore import Cron, Every, Limit, Misfire, Overlap, Schedule

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def a_schedule(rule: Cron | Every, **fields: Any) -> Schedule:
    schedule = Schedule(
        name="nightly",
        task="greet",
        arguments={"name": "Ada"},
        options={},
        recurrence=rule,
        created_at=MADE,
    )
    return schedule.resumed(MADE).changed(**fields)


def fired(rule: Cron | Every, after: timedelta, **fields: Any) -> list[timedelta]:
    """The ticks that make a job when nobody came before, since it was made."""
    firing = a_schedule(rule, **fields).fired(MADE + after)
    return [tick - MADE for tick in firing.ticks]


@pytest.mark.parametrize("misfire", [Misfire.ONCE, Misfire.SKIP, Misfire.ALL])
def test_a_tick_that_just_came_makes_a_job(misfire: Misfire) -> None:
    schedule = a_schedule(Every(HOUR, misfire=misfire))
    firing = schedule.fired(MADE + HOUR + timedelta(seconds=59))
    assert firing.ticks == (MADE + HOUR,)
    assert not firing.skipped
    assert firing.schedule.due_at == MADE + 2 * HOUR
    assert (firing.schedule.runs, firing.schedule.last_at) == (1, MADE + HOUR)


@pytest.mark.parametrize("misfire", [Misfire.ONCE, Misfire.SKIP, Misfire.ALL])
def test_ticks_that_follow_one_another_quickly_all_make_a_job(misfire: Misfire) -> None:
    second = timedelta(seconds=1)
    told = fired(Every(second, misfire=misfire), 7.5 * second)
    assert told == [n * second for n in range(1, 8)]


@pytest.mark.parametrize(
    ("misfire", "hours"),
    [
        (Misfire.ONCE, [72]),
        (Misfire.SKIP, []),
        (Misfire.ALL, list(range(1, 73))),
        (Misfire(most=5), [68, 69, 70, 71, 72]),
        (Misfire.within(HOUR), [72]),
        (Misfire.within(HOUR / 4), []),
        (Misfire(3 * HOUR, 1000), [70, 71, 72]),
        (Misfire(3 * HOUR, 2), [71, 72]),
    ],
)
def test_a_jump_of_three_days_gives_what_the_policy_says(
    misfire: Misfire, hours: list[int]
) -> None:
    late = 3 * DAY + HOUR / 2
    for rule in (Every(HOUR, misfire=misfire), Cron("@hourly", misfire=misfire)):
        assert fired(rule, late) == [n * HOUR for n in hours]
        firing = a_schedule(rule).fired(MADE + late)
        assert firing.schedule.due_at == MADE + 73 * HOUR
        assert firing.skipped is (hours[:1] != [1])


def test_the_tick_that_just_came_makes_a_job_though_others_were_missed() -> None:
    late = 3 * DAY + timedelta(seconds=5)
    assert fired(Every(HOUR, misfire=Misfire.SKIP), late) == [72 * HOUR]


def test_a_thousand_missed_ticks_at_most_make_a_job_each() -> None:
    minute = timedelta(minutes=1)
    told = fired(Every(minute, misfire=Misfire.ALL), 3 * DAY + minute / 2)
    assert told == [n * minute for n in range(3321, 4321)]
    assert len(told) == 1000


def test_years_of_missed_ticks_are_not_all_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[datetime] = []
    ticks = Cron.ticks

    def watched(rule: Cron, after: datetime, since: datetime) -> Iterator[datetime]:
        for tick in ticks(rule, after, since):
            seen.append(tick)
            yield tick

    monkeypatch.setattr(Cron, "ticks", watched)
    assert len(fired(Cron("* * * * *", misfire=Misfire.ALL), 10_000 * DAY)) == 1000
    assert len(seen) < 20_000, "of fourteen million"
    assert len(fired(Cron("0 0 29 2 *", misfire=Misfire.ALL), 10_000 * DAY)) == 7


def test_it_ends_with_its_last_run() -> None:
    rule = Every(HOUR, max_runs=3, misfire=Misfire.ALL)
    firing = a_schedule(rule, runs=1).fired(MADE + 5 * HOUR)
    assert firing.ticks == (MADE + HOUR, MADE + 2 * HOUR)
    assert firing.schedule.due_at is None
    assert a_schedule(rule, runs=2).upcoming() == [MADE + HOUR]


def test_no_tick_comes_again_when_the_clock_was_set_back() -> None:
    schedule = a_schedule(Every(HOUR), last_at=MADE + 5 * HOUR)
    assert schedule.resumed(MADE + HOUR).due_at == MADE + 6 * HOUR


def test_it_ends_at_its_end() -> None:
    rule = Every(HOUR, end_at=MADE + 3 * HOUR)
    firing = a_schedule(rule).fired(MADE + 2 * HOUR)
    assert firing.schedule.due_at is None


def test_upcoming_ticks_are_told() -> None:
    schedule = a_schedule(Cron("0 3 * * *", "Europe/Berlin"))
    assert [each.hour for each in schedule.upcoming(200)][80:90] == [2] * 7 + [1] * 3
    assert schedule.changed(due_at=None).upcoming() == []


def test_jitter_is_drawn_once_for_each_tick() -> None:
    schedule = a_schedule(Every(HOUR, jitter=HOUR))
    due = [schedule.due_for(MADE + n * HOUR) for n in range(500)]
    assert due == [schedule.due_for(MADE + n * HOUR) for n in range(500)]
    delays = [each - MADE - n * HOUR for n, each in enumerate(due)]
    assert all(timedelta(0) <= each < HOUR for each in delays)
    assert min(delays) < HOUR / 20
    assert max(delays) > HOUR * 0.95


@pytest.mark.parametrize(
    "rule",
    [
        Every(HOUR, start_at=MADE, end_at=MADE + DAY, max_runs=5, jitter=HOUR / 7),
        Cron(
            "@daily", "Asia/Tokyo", overlap=Overlap.SKIP, misfire=Misfire.within(HOUR)
        ),
    ],
)
def test_it_stays_the_same_as_json(rule: Cron | Every) -> None:
    limit = Limit(concurrency=2, rate=3)
    options = {"queue": "mail", "limit": limit, "timeout": HOUR, "labels": {"a": "b"}}
    schedule = a_schedule(rule, options=options, last_at=MADE, runs=3, orphaned=True)
    again = Schedule.model_validate_json(schedule.model_dump_json())
    assert again == schedule
    assert type(again.recurrence) is type(rule)


def test_what_a_newer_release_adds_is_kept() -> None:
    text = a_schedule(Every(HOUR)).model_dump_json()[:-1] + ',"newer":1}'
    again = Schedule.model_validate_json(text)
    assert '"newer":1' in again.changed(runs=1).model_dump_json()


def test_another_rule_begins_anew_and_keeps_what_was() -> None:
    there = a_schedule(Every(HOUR), runs=4, last_at=MADE)
    told = a_schedule(Cron("@daily"), created_at=MADE + 9 * DAY)
    after = told.succeeding(there, MADE + DAY / 2)
    assert (after.runs, after.created_at) == (4, MADE)
    assert after.due_at == MADE + DAY


def test_the_same_rule_keeps_its_next_tick() -> None:
    there = a_schedule(Every(HOUR), runs=4)
    told = a_schedule(Every(HOUR), task="other", due_at=None)
    after = told.succeeding(there, MADE + DAY)
    assert (after.task, after.due_at) == ("other", MADE + HOUR)
