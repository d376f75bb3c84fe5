"""Batches of any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobcore.claim import Claim
from jobcore.job import JobStatus
from jobcore.lifecycle import complete
from jobcore.query import Filter
from jobcore.testing import a_job, a_request, named
from jobcore.transition import Answer
from jobcore_sql import SQLJobStore, find
from tests.jobcore_sql import mysql

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["file", pytest.param("mysql", marks=mysql.needed)])
async def store(request: pytest.FixtureRequest, url: str) -> AsyncIterator[SQLJobStore]:
    """In a file, and where a statement lists its values in its text."""
    opened = SQLJobStore(url) if request.param == "file" else mysql.empty_store()
    async with opened as store:
        yield store


async def test_ten_thousand_jobs_go_through_every_verb_in_one_call(
    store: SQLJobStore,
) -> None:
    jobs = [named(store, a_job(labels={"n": str(n)})) for n in range(10_000)]
    ids = [each.id for each in jobs]
    assert all(each.created for each in await store.insert(jobs))
    assert not any(each.created for each in await store.insert(jobs))
    claims = (await store.claim(a_request(limit=10_000))).claims
    assert [each.job_id for each in claims] == ids
    renewal = await store.renew(claims, timedelta(hours=1))
    assert not renewal.lost
    strangers = [Claim(each.job, "another token") for each in claims]
    assert (await store.renew(strangers, timedelta(hours=1))).lost == set(ids)
    answers = await store.apply([complete(each, b"1") for each in claims])
    assert set(answers) == {Answer.APPLIED}
    found = await store.get(ids, attempts=True)
    assert all(each and each.status is JobStatus.COMPLETED for each in found)
    assert await store.delete(Filter(ids=tuple(ids)), 10_000) == 10_000
    assert (await store.verify()).sound


async def test_find_stops_early_and_goes_on_where_it_stopped(
    store: SQLJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "WINDOW", 10)
    rare = [named(store, a_job(queue="rare")) for _ in range(2)]
    common = [named(store, a_job()) for _ in range(45)]
    await store.insert([rare[0], *common, rare[1]])
    found, cursor, pages = [], None, 0
    while True:
        page = await store.find(Filter(queue="rare"), cursor, 5)
        pages += 1
        found += [each.id for each in page.jobs]
        if (cursor := page.cursor) is None:
            break
    assert found == sorted((each.id for each in rare), reverse=True)
    assert pages == 5
