"""Experiments on servers of their own, small, and what they enter into the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tools.faults.places import CLUSTER, POSTGRESQL, REDIS, Place, place
from tools.faults.runs import RUNS

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Place]:
    async with place(request.param, tmp_path) as server:
        yield server


async def row_of(name: str, times: int, server: Place) -> dict[str, str]:
    """The one row of a run in which nothing was wrong, by its columns."""
    (entry,) = await RUNS[name].run(server, times, lambda _: None)
    assert entry.wrong == ()
    return dict(zip(entry.table.columns, entry.row, strict=True))


@pytest.mark.parametrize("server", [POSTGRESQL, REDIS], indirect=True)
async def test_cancelled_calls_are_done_or_not_done(server: Place) -> None:
    row = await row_of("cancellations", 30, server)
    assert int(row["how many"]) == 30 == int(row["done"]) + int(row["not done"])


@pytest.mark.parametrize(
    "server", [REDIS, pytest.param(CLUSTER, marks=pytest.mark.slow)], indirect=True
)
async def test_calls_that_are_given_up_are_done(server: Place) -> None:
    row = await row_of("given-up", 30, server)
    assert row["how many"] == "30" == row["done"]


@pytest.mark.parametrize("server", [REDIS], indirect=True)
async def test_only_what_adds_something_is_refused_when_memory_is_full(
    server: Place,
) -> None:
    row = await row_of("full", 1, server)
    assert (row["how many"], row["done"], row["not done"]) == ("25", "20", "5")


@pytest.mark.parametrize("server", [REDIS], indirect=True)
@pytest.mark.parametrize(
    "name", ["server-killed", pytest.param("memory-full", marks=pytest.mark.slow)]
)
async def test_workers_outlast_what_happens_to_a_server(
    server: Place, name: str
) -> None:
    row = await row_of(name, 1, server)
    assert (row["times"], row["lost"]) == ("1", "0")
    assert (row["submits refused"] != "0") == (name == "memory-full")


@pytest.mark.slow
@pytest.mark.timeout(240)  # what was forgotten to end is known when its lease is over
@pytest.mark.parametrize("server", [CLUSTER], indirect=True)
async def test_a_cluster_forgets_what_no_replica_had_and_no_more(server: Place) -> None:
    row = await row_of("master-killed-ahead", 1, server)
    assert row["forgotten"] != "0"
    assert (row["lost"], row["unexplained"], row["stale writes accepted"]) == (
        ("0",) * 3
    )


@pytest.mark.parametrize("server", [CLUSTER], indirect=True)
async def test_a_queue_is_spread_over_a_cluster(server: Place) -> None:
    row = await row_of("spread", 1500, server)
    assert row["jobs"] == "1,500"
