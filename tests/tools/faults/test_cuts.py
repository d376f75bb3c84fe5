"""Whatever is cut off is repeated by the manager, and has one effect."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.jobcore_sql import postgresql
from tools.faults.acts import ACTS
from tools.faults.cuts import Cutting, cutting

pytestmark = pytest.mark.anyio

CHOSEN = [
    "submit",
    "submit with a unique key and labels",
    "claim",
    "claim of jobs with a limit",
    "complete",
    "fail with a retry",
    "renew",
    "cancel of a job that runs",
    "release of stale claims",
]
"""Those of which each takes another way through the store."""


@pytest.fixture
async def cut() -> AsyncIterator[Cutting]:
    async with postgresql.empty_store("18"):
        pass
    async with cutting(postgresql.url("18"), postgresql.port("18")) as cut:
        yield cut


@pytest.mark.parametrize("name", CHOSEN)
async def test_an_act_that_is_cut_off_has_one_effect(cut: Cutting, name: str) -> None:
    report = await cut.cut(name, ACTS[name])
    assert report.wrong == ()
    assert 0 < report.done < report.cuts
