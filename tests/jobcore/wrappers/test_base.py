"""A wrapper that changes nothing keeps the contract as the store behind it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest

from jobcore import DefaultJobManager, QueueControl, TransactionalStore
from jobcore.memory import InMemoryJobStore
from jobcore.store import JobStore
from jobcore.wrappers import StoreWrapper
from tests.jobcore.wrappers.kit import WatchedStore, WholeKit

pytestmark = pytest.mark.anyio


class TestStoreWrapper(WholeKit):
    @pytest.fixture
    async def store(self) -> AsyncIterator[JobStore]:
        async with StoreWrapper(InMemoryJobStore()) as store:
            yield store


async def test_it_opens_and_closes_what_it_wraps() -> None:
    wrapped = WatchedStore()
    async with StoreWrapper(StoreWrapper(wrapped)):
        assert wrapped.is_open
    assert not wrapped.is_open


def test_its_clock_and_its_randomness_are_those_of_what_it_wraps() -> None:
    wrapped, random, hour = InMemoryJobStore(), Random(1), timedelta(hours=1)
    wrapper = StoreWrapper(wrapped)
    wrapper.offset, wrapper.random = hour, random
    assert (wrapped.offset, wrapped.random) == (hour, random)
    assert (wrapper.offset, wrapper.random) == (hour, random)


async def test_an_ability_is_answered_as_the_wrapped_store_has_it() -> None:
    wrapped = InMemoryJobStore()
    wrapper = StoreWrapper(wrapped)
    assert wrapper.ability(QueueControl) is wrapped.ability(QueueControl)
    assert wrapper.ability(TransactionalStore) is None
    assert wrapper.ability(StoreWrapper) is wrapper
    async with wrapper, DefaultJobManager(wrapper) as jobs:
        jobs.require(QueueControl)
