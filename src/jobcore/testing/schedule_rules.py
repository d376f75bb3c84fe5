"""What managers do to schedules, on stores with `ScheduleStore`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from jobcore.abilities import ScheduleRecord, ScheduleStore
from jobcore.identity import Tick
from jobcore.job import NewJob
from jobcore.testing.control_rules import ControlRules
from jobcore.testing.model import HOUR, QUEUES, SCHEDULES
from jobcore.testing.work import a_job, a_token

Rule = TypeVar("Rule", bound=Callable[..., Any])

names: st.SearchStrategy[str] = st.sampled_from(SCHEDULES)


def scheduled(act: Rule) -> Rule:
    """Let a rule be for stores with `ScheduleStore` only."""
    asked: Rule = precondition(lambda self: self.schedules is not None)(act)
    return asked


class ScheduleRules(ControlRules):
    """What makes, changes, fires and removes schedules."""

    @scheduled
    @precondition(lambda self: len(self.model.jobs) < 40)
    @rule(
        name=names,
        numbers=st.lists(st.integers(0, 3), max_size=2, unique=True),
        unique_key=st.sampled_from([None, None, "key"]),
        hours=st.none() | st.integers(0, 2),
    )
    def fire(
        self, name: str, numbers: list[int], unique_key: str | None, hours: int | None
    ) -> None:
        there = self.model.schedules.get(name)
        revision = there.revision if there else None
        due_at = None if hours is None else self.began + (self.model.now + hours) * HOUR
        new = ScheduleRecord(name=name, revision=a_token(), data=b"{}", due_at=due_at)
        jobs = [self._tick_job(name, number, unique_key) for number in numbers]
        outdated = replace(new, revision=a_token())
        late = self.run(self.keeper.fire(outdated, a_token(), jobs))
        assert late is None, "fire asks for the revision that was seen"
        for _ in range(2):
            fired = self.run(self.keeper.fire(new, revision, jobs))
            assert fired is not None, "fire writes what was seen, and again"
            self.are_inserted(jobs, fired)
        self.model.schedules[name] = new
        self._agree()

    @scheduled
    @rule(name=names)
    def unschedule(self, name: str) -> None:
        removed = self.run(self.keeper.unschedule(name))
        there = self.model.schedules.pop(name, None)
        assert removed is (there is not None), "unschedule says whether there was one"
        self._agree()

    @scheduled
    @rule(limit=st.integers(1, 3))
    def look_what_is_due(self, limit: int) -> None:
        now = self.began + self.model.now * HOUR
        timed = sorted(
            (each.due_at, name)
            for name, each in self.model.schedules.items()
            if each.due_at is not None
        )
        expected = [name for due_at, name in timed if due_at <= now][:limit]
        due = self.run(self.keeper.due_schedules(limit))
        assert [each.name for each in due.schedules] == expected, "the earliest first"
        waits = [due_at - now for due_at, _ in timed[len(expected) :]]
        told = due.next_due_in
        assert (told is None) is (not waits)
        if told is not None:
            hours = max(-(-told // HOUR), 0)
            assert hours == max(waits[0] // HOUR, 0), "says when the next is due"

    @property
    def keeper(self) -> ScheduleStore:
        assert self.schedules is not None
        return self.schedules

    def _tick_job(self, name: str, number: int, unique_key: str | None) -> NewJob:
        job = a_job(queue=QUEUES[0], unique_key=unique_key)
        tick = Tick(name, self.began + number * HOUR)
        return job.named(self.store.new_id(job, tick))

    def _agree(self) -> None:
        expected = [each for _, each in sorted(self.model.schedules.items())]
        assert self.run(self.keeper.schedules()) == expected, "schedules shows them all"
