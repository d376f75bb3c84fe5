"""Every store can tell why a job does not run, for each cause."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobcore import Cause, DefaultJobManager, JobcoreConfig
from tests.acceptance.empty import KINDS, empty_store
from tests.acceptance.situations import SITUATIONS, Place, Prepare

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with (
        empty_store(request.param, tmp_path) as store,
        DefaultJobManager(store, JobcoreConfig()) as jobs,
    ):
        yield Place(store, jobs)


@pytest.mark.parametrize(
    ("prepare", "cause", "sentence"),
    SITUATIONS,
    ids=[prepare.__name__ for prepare, _, _ in SITUATIONS],
)
async def test_the_cause_is_named(
    place: Place, prepare: Prepare, cause: Cause, sentence: str
) -> None:
    job = await prepare(place)
    told = await place.jobs.explain(job)
    assert told.cause is cause
    assert re.fullmatch(sentence, told.sentence), told.sentence
    assert told.job == await place.jobs.get(job, attempts=True)


def test_every_cause_has_a_situation() -> None:
    assert {cause for _, cause, _ in SITUATIONS} == set(Cause)
