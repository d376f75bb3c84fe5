from __future__ import annotations

from pathlib import Path

import pytest

from jobcore import (
    InMemoryJobStore,
    JobStore,
    UnsupportedError,
    registry,
    store_from_url,
)
from jobcore.testing import a_job, found, inserted, trial_url
from jobcore.wrappers import PartitionedStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the environment names."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    monkeypatch.setenv("JOBCORE_STORE_URL", url)
    return url


async def test_a_trial_is_made_where_the_configuration_says(configured: str) -> None:
    async with trial_url() as url:
        assert url.startswith("sqlite:")
        assert url != configured
        async with store_from_url(url) as store:
            await inserted(store, a_job())
    async with store_from_url(configured) as store:
        assert await found(store) == []


@pytest.mark.usefixtures("configured")
async def test_a_trial_is_made_where_its_caller_says() -> None:
    async with trial_url("memory://") as url:
        assert url == "memory://"


def test_a_store_without_trials_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spread(_: str) -> JobStore:
        return PartitionedStore([InMemoryJobStore()])

    monkeypatch.setitem(registry._registered, "spread", spread)
    with pytest.raises(UnsupportedError) as refused:
        trial_url("spread://")
    assert str(refused.value) == "PartitionedStore does not support TrialStore"
