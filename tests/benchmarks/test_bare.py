"""The statements that benchmarks take from the store are the store's."""

from __future__ import annotations

import bare
import pytest

from jobcore import JobStatus
from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.anyio

IDS = ("1", "2", "3")


@pytest.fixture(params=postgresql.SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_store_knows_what_they_did(server: str) -> None:
    many, claiming, ending = bare.inserting_many(), bare.claiming(2), bare.ending()
    payloads = [each.encode() for each in IDS]
    async with (
        postgresql.empty_store(server) as store,
        bare.connections(postgresql.url(server), 1) as (connection,),
    ):
        values = many.values(new_id_list=IDS, new_payload_list=payloads)
        await connection.fetch(many.text, *values)
        taken = await connection.fetch(claiming.text, *claiming.values(holder="h"))
        assert [row["id"] for row in taken] == ["1", "2"]
        values = ending.values(
            new_token="h",  # noqa: S106 - it opens nothing
            new_receipt="h:succeeded",
            new_id_list=["1", "2"],
            new_result_list=[b"10", b"20"],
        )
        assert await connection.fetchval(ending.text, *values) == 2
        known = [each for each in await store.get(IDS) if each is not None]
        done, queued = JobStatus.COMPLETED, JobStatus.QUEUED
        assert [each.status for each in known] == [done, done, queued]
        assert [each.result for each in known] == [b"10", b"20", None]
        assert [each.payload for each in known] == payloads


async def test_one_row_is_a_job_that_can_be_claimed(server: str) -> None:
    one, claiming = bare.inserting(), bare.claiming()
    async with (
        postgresql.empty_store(server),
        bare.connections(postgresql.url(server), 1) as (connection,),
    ):
        await connection.fetch(one.text, *one.values(id="7", payload=b"8"))
        (taken,) = await connection.fetch(claiming.text, *claiming.values())
        assert (taken["id"], taken["payload"]) == ("7", b"8")
