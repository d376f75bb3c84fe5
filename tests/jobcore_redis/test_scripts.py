"""Scripts are known to a server, until it forgets them."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from jobcore.testing import a_job, inserted
from jobcore_redis.scripts import names, script
from tests.jobcore_redis import servers


@pytest.mark.anyio
async def test_a_script_that_a_server_forgot_is_sent_again() -> None:
    async with servers.empty_store("6.2") as store:
        await inserted(store, a_job())
        servers.run(servers.url("6.2"), "SCRIPT FLUSH")
        await inserted(store, a_job())


@pytest.mark.anyio
@pytest.mark.parametrize("server", servers.KINDS)
async def test_a_server_knows_each_script_by_the_name_that_we_give_it(
    server: str,
) -> None:
    async with Redis.from_url(servers.url(server)) as client:
        for name in names():
            known = script(name, flagged=False)
            assert await client.script_load(known.text) == known.sha
