"""A call that is given up is cancelled, and its error is worth a repeat."""

from __future__ import annotations

import pytest

from jobcore import StoreUnavailableError
from jobcore.testing import a_job
from tests.jobcore_redis import servers
from tools.faults.givingup import HastyStore
from tools.faults.redis import mixed_up

pytestmark = pytest.mark.anyio


async def test_one_call_is_given_up_when_its_time_is_over() -> None:
    async with servers.empty_store("6.2") as store:
        hasty = HastyStore(store)
        hasty.hurry(1)
        with pytest.raises(StoreUnavailableError, match="statistics took too long"):
            await hasty.statistics()
        assert hasty.has_given_up
        assert (await hasty.statistics()).queues == {}
        assert await mixed_up(store) == []


async def test_a_call_that_is_quick_enough_is_left_alone() -> None:
    async with servers.empty_store("6.2") as store:
        hasty = HastyStore(store)
        hasty.hurry(1_000_000)
        await hasty.insert([a_job()])
        assert not hasty.has_given_up


async def test_an_answer_to_another_call_is_noticed() -> None:
    async with servers.empty_store("6.2") as store:
        await store.statistics()
        wire = store._server._wire
        assert wire
        await wire._free[-1].send_command("ECHO", "stray")
        assert "stray" in " ".join(await mixed_up(store))
