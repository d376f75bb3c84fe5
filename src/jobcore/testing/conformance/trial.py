"""The rules of `TrialStore`: a store that is empty, apart, and not there for long."""

from __future__ import annotations

import pytest

from jobcore.abilities import TrialStore
from jobcore.registry import store_from_url
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import a_job, found, inserted


class TrialConformance(Conformance):
    """The tests of `TrialStore`; see `jobcore.testing`. The URLs of the store must be
    registered, or its distribution installed."""

    @pytest.fixture
    def trials(self, store: JobStore) -> TrialStore:
        """The ability of the store under test."""
        ability = store.ability(TrialStore)
        assert ability is not None, "the store has the ability TrialStore"
        return ability

    async def test_trial_is_apart_from_the_store(
        self, store: JobStore, trials: TrialStore
    ) -> None:
        (here,) = await inserted(store, a_job(unique_key="key"))
        async with trials.trial() as url, store_from_url(url) as trial:
            assert await found(trial) == []
            (there,) = await inserted(trial, a_job(unique_key="key"))
            assert await found(trial) == [there]
            assert await found(store) == [here]
        assert await found(store) == [here]

    async def test_trial_is_apart_from_another(self, trials: TrialStore) -> None:
        async with trials.trial() as url, store_from_url(url) as one:
            (job,) = await inserted(one, a_job())
            async with trials.trial() as elsewhere, store_from_url(elsewhere) as other:
                assert await found(other) == []
                await inserted(other, a_job())
            assert await found(one) == [job], "the end of another is not its own"
