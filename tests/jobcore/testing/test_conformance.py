"""The kit is complete, speaks the words of the contract, and finds broken stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jobcore.abilities import (
    Explainable,
    QueueControl,
    ScheduleRecord,
    ScheduleStore,
    TrialStore,
    Verifiable,
    WorkerDirectory,
)
from jobcore.claim import Claim, ClaimRequest, ClaimResult, Renewal
from jobcore.job import Inserted, NewJob
from jobcore.memory import InMemoryJobStore
from jobcore.memory.schedules import InMemorySchedules
from jobcore.store import JobStore
from jobcore.testing import (
    ExplainableConformance,
    QueueControlConformance,
    ScheduleConformance,
    StoreConformance,
    TrialConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
    store_state_machine,
)
from jobcore.transition import Answer, Transition

PROOFS: dict[type, type] = {
    StoreConformance: JobStore,
    QueueControlConformance: QueueControl,
    WorkerDirectoryConformance: WorkerDirectory,
    ScheduleConformance: ScheduleStore,
    ExplainableConformance: Explainable,
    VerifiableConformance: Verifiable,
    TrialConformance: TrialStore,
}


def verbs_of(contract: type) -> set[str]:
    return {name for name in vars(contract) if not name.startswith("_")} - {"random"}


def headings_of(proof: type) -> list[str]:
    return [name[5:] for name in dir(proof) if name.startswith("test_")]


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_every_method_has_tests_and_every_test_names_a_method(proof: type) -> None:
    verbs = verbs_of(PROOFS[proof])
    known = {verb for contract in PROOFS.values() for verb in verbs_of(contract)}
    names = headings_of(proof)
    tested = {verb for verb in verbs for name in names if name.startswith(f"{verb}_")}
    assert tested == verbs
    assert not [name for name in names if not name.startswith(tuple(known))]


class Forgetful(InMemoryJobStore):
    """Does not know who holds a job."""

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        blind = [
            replace(each, expect=replace(each.expect, token=None))
            for each in transitions
        ]
        return await super().apply(blind)


class Greedy(InMemoryJobStore):
    """Takes more than it was asked for."""

    async def claim(self, request: ClaimRequest) -> ClaimResult:
        return await super().claim(replace(request, limit=request.limit + 1))


class Impatient(InMemoryJobStore):
    """Shortens leases."""

    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        return await super().renew(claims, lease / 4)


class Immovable(InMemoryJobStore):
    """Leaves jobs in their queues."""

    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        for each in transitions:
            each.changes.pop("queue", None)
        return await super().apply(transitions)


class Credulous(InMemoryJobStore):
    """Takes the word of whoever fires a schedule."""

    def __init__(self) -> None:
        super().__init__()
        self._schedules = _Overwritten(self._now, self._insert_all)


class _Overwritten(InMemorySchedules):
    async def fire(
        self, schedule: ScheduleRecord, expected: str | None, jobs: Sequence[NewJob]
    ) -> list[Inserted] | None:
        there = await self.schedules([schedule.name])
        seen = there[0].revision if there else None
        return await super().fire(schedule, seen or expected, jobs)


@pytest.mark.parametrize(
    "open_store", [Forgetful, Greedy, Impatient, Immovable, Credulous]
)
def test_the_machine_finds_a_broken_store(
    open_store: Callable[[], InMemoryJobStore],
) -> None:
    machine = store_state_machine(open_store)
    quick = settings(
        max_examples=200,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=quick)
