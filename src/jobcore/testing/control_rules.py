"""What an operator does to queues, tasks and keys, on stores with `QueueControl`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from jobcore.abilities import Paused, QueueControl
from jobcore.job import JobStatus, Limit
from jobcore.lifecycle import APPROVAL
from jobcore.testing.comparison import Comparison
from jobcore.testing.model import KEYS, QUEUES, TASKS, ModelJob

Rule = TypeVar("Rule", bound=Callable[..., Any])

holders: list[str] = [f"task:{task}" for task in TASKS] + [
    f"limit:{key}" for key in KEYS
]


def controlled(act: Rule) -> Rule:
    """Let a rule be for stores with `QueueControl` only."""
    asked: Rule = precondition(lambda self: self.control is not None)(act)
    return asked


class ControlRules(Comparison):
    """Pauses, limits and lifts."""

    @controlled
    @rule(
        task=st.sampled_from([None, *TASKS]),
        queue=st.sampled_from([None, None, *QUEUES]),
    )
    def pause(self, task: str | None, queue: str | None) -> None:
        self.run(self.controls.pause(task=task, queue=queue))
        self.model.paused_tasks |= {task} if task else set()
        self.model.paused_queues |= {queue} if queue else set()

    @controlled
    @rule(task=st.sampled_from(TASKS), queue=st.sampled_from(QUEUES))
    def resume(self, task: str, queue: str) -> None:
        self.run(self.controls.resume(task=task, queue=queue))
        self.model.paused_tasks.discard(task)
        self.model.paused_queues.discard(queue)
        queues, tasks = self.model.paused_queues, self.model.paused_tasks
        paused = self.run(self.controls.paused())
        assert paused == Paused(frozenset(queues), frozenset(tasks))

    @controlled
    @rule(
        key=st.sampled_from(sorted(KEYS)),
        figures=st.sampled_from(
            [None, Limit(), Limit(concurrency=0), Limit(concurrency=3)]
        ),
    )
    def limit(self, key: str, figures: Limit | None) -> None:
        self.run(self.controls.limit(key, figures))
        self.model.override(key, figures)

    @controlled
    @rule(
        chosen=st.none() | st.lists(st.sampled_from(holders), min_size=1, unique=True),
        limit=st.integers(1, 4),
    )
    def lift(self, chosen: list[str] | None, limit: int) -> None:
        before = self.model.having(JobStatus.HELD)
        free = {job.held_by: self._free(job) for job in before}
        count = self.run(self.controls.lift(chosen, limit))
        stored = self.stored(*(job.new.id for job in before))
        lifted = {job.id for job in stored if job.status is JobStatus.QUEUED}
        assert count == len(lifted) <= limit, "lift says how many, within its limit"
        for holder, places in free.items():
            line = [job for job in before if job.held_by == holder]
            gone = [job for job in line if job.new.id in lifted]
            allowed = places if chosen is None or holder in chosen else 0
            assert len(gone) <= allowed, f"lift fills the free places of {holder}"
            for queue in QUEUES:
                mine = [job for job in line if job.new.queue == queue]
                first = [job for job in gone if job.new.queue == queue]
                in_order = first == mine[: len(first)] or self.partitioned
                assert in_order, "lift goes by the order of claims"
        for job in before:
            if job.new.id in lifted:
                self.model.move(job, JobStatus.QUEUED)

    @property
    def controls(self) -> QueueControl:
        assert self.control is not None
        return self.control

    def _free(self, job: ModelJob) -> int:
        """How many jobs may start that are held as *job* is."""
        if job.held_by == APPROVAL:
            return 0
        if job.held_by == f"task:{job.new.task}":
            return 0 if job.new.task in self.model.paused_tasks else 1000
        return max(self.model.places(job), 0)
