"""Pruning deletes what has had its time or is too many, and leaves a store to others
between its batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from jobcore import (
    DefaultJobManager,
    Filter,
    InMemoryJobStore,
    Job,
    JobcoreConfig,
    JobRequest,
    JobStatus,
    RetentionRule,
)
from jobcore.calls import StoreCalls
from jobcore.pruning import Pruning
from jobcore.sweeping import Archive

pytestmark = pytest.mark.anyio

SLOW = 0.02


class _SlowStore(InMemoryJobStore):
    """Says that each of its first batches was full."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.calls: list[tuple[float, float]] = []
        self._batches = batches

    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002, ARG002 - the contract's
        now = asyncio.get_running_loop().time
        began_at = now()
        await asyncio.sleep(SLOW)
        self.calls.append((began_at, now()))
        return limit if len(self.calls) <= self._batches else 0


async def test_it_rests_after_a_batch_for_as_long_as_that_took() -> None:
    store, calls = _SlowStore(batches=3), StoreCalls(timedelta(0))
    config = JobcoreConfig(retention_failed=None, retention_canceled=None)
    calls.open()
    async with store:
        assert await Pruning(store, calls, config).prune() == 3 * 500
    await calls.close()
    assert len(store.calls) == 4
    ended = [end for _, end in store.calls]
    following = [begin for begin, _ in store.calls[1:]]
    rests = [begin - end for begin, end in zip(following, ended, strict=False)]
    assert min(rests) >= SLOW


HOUR = timedelta(hours=1)


async def finished(jobs: DefaultJobManager, queue: str, number: int) -> list[str]:
    """Jobs that were completed one after the other."""
    requests = [JobRequest("greet")] * number
    await jobs.submit_many(requests, queue=queue)
    claims = (await jobs.claim("worker", [queue], number)).claims
    for claim in claims:
        await jobs.complete(claim)
    return [claim.job_id for claim in claims]


async def left(jobs: DefaultJobManager, queue: str) -> set[str]:
    return {job.id for job in (await jobs.find(Filter(queue=queue), limit=1000)).jobs}


@asynccontextmanager
async def pruned_by(
    *rules: RetentionRule, archive: Archive | None = None
) -> AsyncIterator[tuple[DefaultJobManager, InMemoryJobStore]]:
    config = JobcoreConfig(retention=rules)
    async with (
        InMemoryJobStore() as store,
        DefaultJobManager(store, config, archive=archive) as jobs,
    ):
        yield jobs, store


async def test_a_queue_may_have_a_time_of_its_own() -> None:
    rules = RetentionRule(queue="mail", age=HOUR), RetentionRule(queue="kept")
    async with pruned_by(*rules) as (jobs, store):
        for queue in ("mail", "kept", "usual"):
            await finished(jobs, queue, 2)
        store.offset = HOUR
        assert await jobs.prune() == 2
        assert await left(jobs, "mail") == set()
        store.offset = timedelta(days=999)
        assert await jobs.prune() == 2, "seven days are the usual time"
        assert len(await left(jobs, "kept")) == 2


async def test_a_rule_may_be_about_some_statuses_only() -> None:
    rule = RetentionRule(statuses=frozenset({JobStatus.FAILED}), age=HOUR)
    async with pruned_by(rule) as (jobs, store):
        await finished(jobs, "mail", 2)
        store.offset = HOUR
        assert await jobs.prune() == 0


async def test_the_latest_are_kept_where_that_many_are() -> None:
    async with pruned_by(RetentionRule(queue="mail", most=3)) as (jobs, _):
        ids = await finished(jobs, "mail", 1010)
        await finished(jobs, "other", 5)
        assert await jobs.prune() == 1007
        assert await left(jobs, "mail") == set(ids[-3:])
        assert len(await left(jobs, "other")) == 5
        assert await jobs.prune() == 0


@pytest.mark.parametrize("rule", [{"most": 3}, {"age": HOUR}])
async def test_what_is_deleted_was_archived_with_its_attempts(
    rule: dict[str, Any],
) -> None:
    archived: list[Job] = []

    async def archive(jobs: Sequence[Job]) -> None:
        archived.extend(jobs)

    chosen = RetentionRule(queue="mail", **rule)
    async with pruned_by(chosen, archive=archive) as (jobs, store):
        ids = await finished(jobs, "mail", 1010)
        store.offset = HOUR
        pruned = await jobs.prune()
        assert pruned == len(archived)
        assert {job.id for job in archived} == set(ids) - await left(jobs, "mail")
        assert {len(job.attempts) for job in archived} == {1}
        assert await left(jobs, "mail") == set(ids[1010 - rule.get("most", 0) :])


async def test_nothing_is_deleted_that_was_not_archived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def archive(jobs: Sequence[Job]) -> None:
        raise OSError(len(jobs))

    async with pruned_by(RetentionRule(age=HOUR), archive=archive) as (jobs, store):
        await finished(jobs, "mail", 3)
        store.offset = HOUR
        assert await jobs.prune() == 0
        assert len(await left(jobs, "mail")) == 3
    assert "the archive failed" in caplog.text


def test_rules_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[{"queue":"mail","age":"PT1H","most":5}]'
    monkeypatch.setenv("JOBCORE_RETENTION", text)
    (rule,) = JobcoreConfig().retention
    assert rule == RetentionRule(queue="mail", age=HOUR, most=5)
