"""An experiment on a server of its own, small, and what it enters into the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tools.faults.runs import POSTGRESQL, RUNS, Place, place

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(POSTGRESQL, tmp_path) as server:
        yield server


async def test_cancelled_calls_are_done_or_not_done(server: Place) -> None:
    (entry,) = await RUNS["cancellations"].run(server, 30, lambda _: None)
    assert entry.wrong == ()
    assert len(entry.row) == len(entry.table.columns)
    calls, done, undone = map(int, entry.row[2:5])
    assert calls == 30 == done + undone
