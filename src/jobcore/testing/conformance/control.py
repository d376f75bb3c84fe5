"""What the tests of `QueueControl` share: the ability, and looks at what is held."""

from __future__ import annotations

import pytest

from jobcore.abilities import QueueControl
from jobcore.job import Job, JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import found


class ControlConformance(Conformance):
    @pytest.fixture
    def control(self, store: JobStore) -> QueueControl:
        """The ability of the store under test."""
        ability = store.ability(QueueControl)
        assert ability is not None, "the store has the ability QueueControl"
        return ability


async def with_status(store: JobStore, status: JobStatus) -> list[Job]:
    """The jobs that have *status*, in the order of claims."""
    jobs = await found(store, Filter(statuses=frozenset({status})))
    return sorted(jobs, key=lambda job: (job.priority, job.due_at, job.id))


async def held(store: JobStore) -> list[Job]:
    """The jobs that are held, in the order of claims."""
    return await with_status(store, JobStatus.HELD)
