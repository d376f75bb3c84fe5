"""The invariants of schedules: S13, that they make each job once, and L6, that they do
so in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from jobcore.abilities import ScheduleRecord
from jobcore.job import Job
from jobcore.schedule import Schedule
from jobcore.testing.simulation.history import Call, Event, Firing, History
from jobcore.testing.simulation.liveness import SLACK, settled_at
from jobcore.testing.simulation.safety import Finding, time_of


def s13_a_tick_makes_one_job(history: History) -> Iterator[Finding]:
    """A schedule changes from the revision that was seen, and each of its ticks, which
    are those of its rule, makes one job by one write."""
    current: dict[str, str] = {}
    made: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for call in _effective(history):
        name, firing = _asked(call)
        if firing is None:
            made.pop(name, None)
            current.pop(name, None)
            continue
        revision = firing.schedule.revision
        if current.get(name) not in {firing.expected, revision}:
            problem = f"schedule {name} was written by who had not seen it"
            yield Finding(time_of(call), "", problem)
        current[name] = revision
        for job in _submitted(call):
            tick = job.labels.get("tick", "")
            if made[name].setdefault(tick, revision) != revision:
                problem = f"is another job of schedule {name} at {tick}"
                yield Finding(time_of(call), job.id, problem)
            if not _is_tick(firing.schedule, tick):
                problem = f"is of {tick}, which is no tick of schedule {name}"
                yield Finding(time_of(call), job.id, problem)


def l6_schedules_fire(history: History) -> Iterator[Finding]:
    """A schedule that is due is fired within the interval at which that is looked
    for."""
    pause = history.config.schedule_check_interval.total_seconds() + SLACK
    calm_at, stopping_at = settled_at(history), history.stopping_at
    for due_at, fired_at, name in _due(history):
        begin = max(due_at, calm_at)
        end = fired_at if stopping_at is None else min(fired_at, stopping_at)
        if end - begin > pause and _has_a_worker(history, begin, end):
            yield Finding(end, "", f"schedule {name} was due for {end - begin:.1f} s")


def _effective(history: History) -> Iterator[Call]:
    """The calls that wrote or removed a schedule, whatever their callers know."""
    for call in history.performed:
        if call.verb in {"fire", "unschedule"} and call.answer not in (None, False):
            yield call


def _asked(call: Call) -> tuple[str, Firing | None]:
    """Of which schedule it was, and what was written unless it was removed."""
    if isinstance(call.asked, Firing):
        return call.asked.schedule.name, call.asked
    return call.asked, None


def _submitted(call: Call) -> Iterator[Job]:
    for change in call.changes:
        if change.event is Event.SUBMIT and change.after is not None:
            yield change.after


def _is_tick(record: ScheduleRecord, tick: str) -> bool:
    schedule = Schedule.model_validate_json(record.data)
    instant = datetime.fromisoformat(tick)
    before = instant - timedelta(microseconds=1)
    ticks = schedule.recurrence.ticks(before, schedule.created_at)
    return next(ticks, None) == instant


def _due(history: History) -> Iterator[tuple[float, float, str]]:
    """From when to when which schedule was due, by the clock as it is in calm."""
    if history.ended_clock is None:
        return
    began_clock = history.ended_clock - timedelta(seconds=history.ended_at)
    due: dict[str, float] = {}
    for call in _effective(history):
        name, firing = _asked(call)
        if name in due:
            yield due.pop(name), time_of(call), name
        if firing is not None and firing.schedule.due_at is not None:
            due[name] = (firing.schedule.due_at - began_clock).total_seconds()
    for name, due_at in due.items():
        yield due_at, history.ended_at, name


def _has_a_worker(history: History, begin: float, end: float) -> bool:
    """Whether some worker was there all the time."""
    return any(
        life.began_at <= begin
        and end <= min(life.ended_at or end, life.stopping_at or end)
        for life in history.lives
    )
