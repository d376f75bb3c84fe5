"""A job is looked at in one step and deleted in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jobcore import Filter, JobStatus, lifecycle
from jobcore.testing import a_job, a_token, applied, current, inserted
from jobcore_redis.keys import Partition
from jobcore_redis.server import Server
from tests.jobcore_redis.servers import empty_store


@pytest.mark.anyio
async def test_delete_leaves_what_has_changed_since_it_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = Server.call
    async with empty_store("6.2") as store:
        (job,) = await inserted(store, a_job())

        async def after_a_change(
            server: Server, name: str, partition: Partition, given: Sequence[Any] = ()
        ) -> Any:
            if name == "delete":
                await applied(store, lifecycle.cancel(job, a_token()))
            return await call(server, name, partition, given)

        monkeypatch.setattr(Server, "call", after_a_change)
        queued = Filter(statuses=frozenset({JobStatus.QUEUED}))
        assert await store.delete(queued, 9) == 0
        assert (await current(store, job.id)).status is JobStatus.CANCELED
