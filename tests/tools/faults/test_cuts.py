"""Whatever is cut off is repeated by the manager, and has one effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.jobcore_redis import servers
from tests.jobcore_sql import postgresql
from tools.faults.acts import ACTS
from tools.faults.cuts import Cutting, cutting
from tools.faults.proxy import Proxy
from tools.faults.talk import PostgresTalk, RedisTalk

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
async def on_postgresql() -> AsyncIterator[Cutting]:
    async with (
        postgresql.empty_store("18"),
        Proxy(postgresql.port("18"), PostgresTalk()) as proxy,
        cutting(postgresql.url("18"), proxy) as cut,
    ):
        yield cut


@pytest.fixture
async def on_redis() -> AsyncIterator[Cutting]:
    options = servers.another_namespace()
    url = (
        f"{servers.url('6.2')}/0?jobcore_prefix={options.prefix}"
        f"&jobcore_namespace={options.namespace}"
    )
    async with (
        Proxy(urlsplit(url).port or 0, RedisTalk()) as proxy,
        cutting(url, proxy) as cut,
    ):
        yield cut


@pytest.mark.parametrize("name", CHOSEN)
async def test_an_act_that_is_cut_off_has_one_effect(
    on_postgresql: Cutting, name: str
) -> None:
    report = await on_postgresql.cut(name, ACTS[name])
    assert report.wrong == ()
    assert 0 < report.done < report.cuts


@pytest.mark.parametrize("name", CHOSEN)
async def test_an_act_on_redis_that_is_cut_off_has_one_effect(
    on_redis: Cutting, name: str
) -> None:
    report = await on_redis.cut(name, ACTS[name])
    assert report.wrong == ()
    assert 0 < report.done < report.cuts
