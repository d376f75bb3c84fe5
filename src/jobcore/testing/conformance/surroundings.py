"""The rules of what is not abstract: `new_id`, `wait`, `offset` and `ability`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import a_job, close, inserted, pass_time

HOUR = timedelta(hours=1)


class SurroundingRules(Conformance):
    async def test_new_id_is_new_and_rises_with_time(self, store: JobStore) -> None:
        job = a_job(limit_key="key")
        ids = [store.new_id(job) for _ in range(2000)]
        assert len(set(ids)) == len(ids)
        assert ids == sorted(ids)

    async def test_new_id_has_at_most_64_characters(self, store: JobStore) -> None:
        job = a_job(unique_key="x" * 200, limit_key="y" * 200, queue="z" * 100)
        made = store.new_id(job)
        assert 0 < len(made) <= 64
        assert made.isascii()

    async def test_wait_returns_in_time(self, store: JobStore) -> None:
        for _ in range(3):
            wish = store.wait(("default",), "worker", timedelta(milliseconds=10))
            await asyncio.wait_for(wish, timeout=5)

    async def test_wait_returns_in_time_where_something_happened(
        self, store: JobStore
    ) -> None:
        for queues in (("default",), ("other",), ("other", "default")):
            await inserted(store, a_job())
            wish = store.wait(queues, "worker", timedelta(milliseconds=10))
            await asyncio.wait_for(wish, timeout=5)

    async def test_offset_moves_the_clock_of_this_store_only(
        self, store: JobStore
    ) -> None:
        of_the_class = type(store).offset
        (one,) = await inserted(store, a_job())
        pass_time(store, 40 * HOUR)
        (two,) = await inserted(store, a_job())
        assert close(two.created_at, one.created_at + 40 * HOUR)
        assert type(store).offset == of_the_class, "it belongs to the instance"

    async def test_ability_answers_none_for_what_is_not_there(
        self, store: JobStore
    ) -> None:
        class Unheard:
            pass

        assert store.ability(Unheard) is None
