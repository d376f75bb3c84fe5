from __future__ import annotations

import pytest

from jobcore import InMemoryJobStore, JobStore
from jobcore.testing import a_job, a_request, unfinished

pytestmark = pytest.mark.anyio


class Begun(JobStore):
    insert = InMemoryJobStore.insert


async def test_a_method_that_is_missing_skips_the_test_by_its_name() -> None:
    store = unfinished(Begun)()
    with pytest.raises(pytest.skip.Exception, match="claim is not written yet"):
        await store.claim(a_request())


async def test_a_method_that_is_written_is_called() -> None:
    store = unfinished(Begun)()
    assert type(store).insert is InMemoryJobStore.insert
    assert store.new_id(a_job())


def test_a_finished_store_is_as_it_was() -> None:
    store = unfinished(InMemoryJobStore)
    assert issubclass(store, InMemoryJobStore)
    assert store.claim is InMemoryJobStore.claim
