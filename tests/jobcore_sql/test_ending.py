"""Ending claims in groups, whatever one of a group meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.job import JobStatus
from jobcore.lifecycle import cancel, complete, fail, release
from jobcore.testing import a_job, a_request, named
from jobcore.transition import Answer, Transition
from jobcore_sql import SQLJobStore, apply

pytestmark = pytest.mark.anyio

APPLIED = Answer.APPLIED


async def claimed(store: SQLJobStore, number: int, **fields: object) -> Sequence[Claim]:
    new = [named(store, a_job(**fields)) for _ in range(number)]
    await store.insert(new)
    return (await store.claim(a_request(limit=number))).claims


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs whose writes were judged one by one."""
    seen: list[str] = []
    answer = apply._Batch.answer

    def noting(batch: apply._Batch, transition: Transition) -> Answer:
        seen.append(transition.job_id)
        return answer(batch, transition)

    monkeypatch.setattr(apply._Batch, "answer", noting)
    return seen


async def test_a_group_that_holds_is_written_unread(
    store: SQLJobStore, judged: list[str]
) -> None:
    claims = await claimed(store, 70)
    ends = [complete(each, b"1") for each in claims[:40]]
    ends += [fail(each, b"{}", Outcome.FAILED, None) for each in claims[40:]]
    assert await store.apply(ends) == [APPLIED] * 70
    assert not judged
    found = await store.get([each.job_id for each in claims])
    statuses = [each and each.status for each in found]
    assert statuses == [JobStatus.COMPLETED] * 40 + [JobStatus.FAILED] * 30
    assert (await store.verify()).sound


async def test_one_lost_claim_costs_its_group_nothing_but_time(
    store: SQLJobStore, judged: list[str]
) -> None:
    claims = await claimed(store, 5)
    await store.apply([release(claims[2])])
    judged.clear()
    answers = await store.apply([complete(each, b"1") for each in claims])
    assert answers == [APPLIED, APPLIED, Answer.TOKEN, APPLIED, APPLIED]
    assert judged == [each.job_id for each in claims]
    assert (await store.verify()).sound


async def test_what_a_request_to_cancel_forbids_is_left_out(
    store: SQLJobStore,
) -> None:
    claims = await claimed(store, 3)
    await store.apply([cancel(claims[1].job, "an operator's token")])
    ends = [fail(each, b"{}", Outcome.FAILED, None) for each in claims]
    answers = await store.apply(ends)
    assert answers == [APPLIED, Answer.CANCEL_REQUEST, APPLIED]
    assert await store.apply([complete(claims[1], b"1")]) == [APPLIED]
    assert (await store.verify()).sound


async def test_an_end_that_moves_its_job_is_counted_where_it_went(
    store: SQLJobStore,
) -> None:
    first, second = await claimed(store, 2)
    moving = replace(complete(first, b"1"), changes={"queue": "else"})
    assert await store.apply([moving, complete(second, b"1")]) == [APPLIED, APPLIED]
    assert (await store.statistics()).count(JobStatus.COMPLETED, "else") == 1
    assert (await store.verify()).sound


async def test_two_writes_for_one_job_follow_each_other(store: SQLJobStore) -> None:
    (claim,) = await claimed(store, 1)
    ends = [complete(claim, b"1"), fail(claim, b"{}", Outcome.FAILED, None)]
    assert await store.apply(ends) == [APPLIED, Answer.TOKEN]
    assert (await store.verify()).sound


async def test_unique_keys_are_freed_by_the_statuses_outside_their_scope(
    store: SQLJobStore,
) -> None:
    scope = frozenset({JobStatus.QUEUED, JobStatus.IN_PROGRESS, JobStatus.COMPLETED})
    new = [named(store, a_job(unique_key=key, unique_scope=scope)) for key in "ab"]
    await store.insert(new)
    completed, failed = (await store.claim(a_request(limit=2))).claims
    ends = [complete(completed, b"1"), fail(failed, b"{}", Outcome.FAILED, None)]
    assert await store.apply(ends) == [APPLIED, APPLIED]
    again = [named(store, a_job(unique_key=key, unique_scope=scope)) for key in "ab"]
    created = [each.created for each in await store.insert(again)]
    assert created == [False, True]
    assert (await store.verify()).sound
