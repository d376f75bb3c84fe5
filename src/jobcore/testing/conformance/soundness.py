"""The rules of `Verifiable`: what a sound store says of itself."""

from __future__ import annotations

import pytest

from jobcore.abilities import Verifiable
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import found
from jobcore.testing.workload import random_work


class VerifiableConformance(Conformance):
    """The tests of `Verifiable`; see `jobcore.testing`."""

    @pytest.fixture
    def verifiable(self, store: JobStore) -> Verifiable:
        """The ability of the store under test."""
        ability = store.ability(Verifiable)
        assert ability is not None, "the store has the ability Verifiable"
        return ability

    async def test_verify_finds_an_empty_store_sound(
        self, verifiable: Verifiable
    ) -> None:
        assert (await verifiable.verify()).findings == {}

    @pytest.mark.parametrize("seed", range(10, 15))
    async def test_verify_finds_a_store_sound_after_random_work(
        self, store: JobStore, verifiable: Verifiable, seed: int
    ) -> None:
        async for _ in random_work(store, seed):
            verification = await verifiable.verify()
            assert verification.findings == {}
            assert verification.sound

    async def test_verify_changes_nothing(
        self, store: JobStore, verifiable: Verifiable
    ) -> None:
        async for _ in random_work(store, seed=20, rounds=4):
            jobs, statistics = await found(store), await store.statistics()
            await verifiable.verify()
            assert await found(store) == jobs
            assert await store.statistics() == statistics
