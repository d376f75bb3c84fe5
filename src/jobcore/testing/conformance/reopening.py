"""The rules of a store that lasts: what it knows after it was closed and opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from jobcore import lifecycle
from jobcore.errors import StoreNotOpenError
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.conformance.insert import FULL
from jobcore.testing.work import (
    LEASE,
    a_claim,
    a_job,
    applied,
    current,
    found,
    inserted,
    named,
)

Opening = Callable[[], JobStore]
"""What gives the same store at every call, not opened yet."""


class ReopeningConformance(Conformance):
    """The tests of a store whose jobs outlive it; see `jobcore.testing`. They open the
    store themselves, by a fixture `opening`."""

    async def test_find_shows_after_reopening_all_that_was_stored(
        self, opening: Opening
    ) -> None:
        async with opening() as store:
            await inserted(store, FULL, a_job(delay=LEASE), a_job())
            claim = await a_claim(store, queue="other")
            await applied(store, lifecycle.complete(claim, b"\xff"))
            jobs, statistics = await found(store), await store.statistics()
        async with opening() as store:
            assert await found(store) == jobs
            assert await store.statistics() == statistics

    async def test_renew_knows_after_reopening_who_holds_a_job(
        self, opening: Opening
    ) -> None:
        async with opening() as store:
            claim = await a_claim(store)
        async with opening() as store:
            assert (await store.renew([claim], 2 * LEASE)).lost == frozenset()
            await applied(store, lifecycle.complete(claim, b"1"))

    async def test_apply_knows_after_reopening_a_write_that_comes_again(
        self, opening: Opening
    ) -> None:
        async with opening() as store:
            claim = await a_claim(store)
            await applied(store, lifecycle.snooze(claim, timedelta(hours=1)))
            snoozed = await current(store, claim.job_id)
        async with opening() as store:
            await applied(store, lifecycle.snooze(claim, timedelta(hours=9)))
            assert await current(store, claim.job_id) == snoozed

    async def test_get_shows_after_reopening_the_attempts_of_a_job(
        self, opening: Opening
    ) -> None:
        async with opening() as store:
            claim = await a_claim(store)
            await applied(store, lifecycle.release(claim))
            job = await current(store, claim.job_id, attempts=True)
        async with opening() as store:
            assert await current(store, claim.job_id, attempts=True) == job

    async def test_insert_knows_after_reopening_who_holds_a_unique_key(
        self, opening: Opening
    ) -> None:
        async with opening() as store:
            (holder,) = await inserted(store, a_job(unique_key="key"))
        async with opening() as store:
            (answer,) = await store.insert([named(store, a_job(unique_key="key"))])
            assert answer.job == holder

    async def test_get_is_refused_outside_of_async_with(self, opening: Opening) -> None:
        store = opening()
        with pytest.raises(StoreNotOpenError):
            await store.get([])
        async with store:
            assert await store.get([]) == []
        with pytest.raises(StoreNotOpenError):
            await store.get([])
