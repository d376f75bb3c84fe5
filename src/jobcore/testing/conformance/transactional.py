"""The rules of `TransactionalStore`: what counts, when, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TypeAlias

import pytest

from jobcore import lifecycle
from jobcore.abilities import TransactionalStore
from jobcore.errors import InvalidJobError
from jobcore.job import JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.base import Conformance
from jobcore.testing.work import a_claim, a_job, current, found, inserted, named
from jobcore.transition import Answer

Transaction: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
HOUR = timedelta(hours=1)


class RolledBackError(Exception):
    """Why a transaction of the host's ends without a commit."""


class TransactionalConformance(Conformance):
    """The tests of `TransactionalStore`; see `jobcore.testing`. They ask for a fixture
    `transaction` besides: called, it opens a transaction of the host's on a connection
    of its own, commits when it is left, and rolls back when it is left by an error."""

    @pytest.fixture
    def transactional(self, store: JobStore) -> TransactionalStore:
        """The ability of the store under test."""
        ability = store.ability(TransactionalStore)
        assert ability is not None, "the store has the ability TransactionalStore"
        return ability

    async def test_insert_counts_once_its_transaction_has_committed(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
    ) -> None:
        plain, labelled = (
            named(store, a_job()),
            named(store, a_job(labels={"a": "b"}, delay=HOUR)),
        )
        async with transaction() as connection:
            view = transactional.using(connection)
            answers = [*await view.insert([plain]), *await view.insert([labelled])]
            assert await found(store) == [], "nobody else sees it before the commit"
        assert [each.created for each in answers] == [True, True]
        for each in answers:
            assert await current(store, each.job.id) == each.job
        assert await found(store, Filter(labels={"a": "b"})) == [answers[1].job]
        assert (await store.statistics()).count(JobStatus.QUEUED) == 1

    async def test_insert_never_was_where_its_transaction_is_rolled_back(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
    ) -> None:
        async def insert_in_vain() -> None:
            async with transaction() as connection:
                new = [named(store, a_job()), named(store, a_job(unique_key="key"))]
                await transactional.using(connection).insert(new)
                raise RolledBackError

        with pytest.raises(RolledBackError):
            await insert_in_vain()
        assert await found(store) == []
        assert not (await store.statistics()).count(JobStatus.QUEUED)
        (job,) = await inserted(store, a_job(unique_key="key"))
        assert await current(store, job.id) == job, "the key is free"

    async def test_insert_answers_a_held_key_in_a_transaction_as_elsewhere(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
    ) -> None:
        (holder,) = await inserted(store, a_job(unique_key="key"))
        async with transaction() as connection:
            again = named(store, a_job(unique_key="key"))
            (answer,) = await transactional.using(connection).insert([again])
        assert not answer.created
        assert answer.job == holder

    @pytest.mark.parametrize("end", ["complete", "release"])
    async def test_apply_counts_once_its_transaction_has_committed(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
        end: str,
    ) -> None:
        claim = await a_claim(store)
        write = (
            lifecycle.complete(claim, b"1")
            if end == "complete"
            else lifecycle.release(claim)
        )
        async with transaction() as connection:
            answers = await transactional.using(connection).apply([write])
            assert (await current(store, claim.job_id)) == claim.job
        assert answers == [Answer.APPLIED]
        assert (await current(store, claim.job_id)).status is write.status
        assert (await store.statistics()).count(write.status) == 1

    async def test_apply_never_was_where_its_transaction_is_rolled_back(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
    ) -> None:
        claim = await a_claim(store)

        async def complete_in_vain() -> None:
            async with transaction() as connection:
                write = lifecycle.complete(claim, b"1")
                await transactional.using(connection).apply([write])
                raise RolledBackError

        with pytest.raises(RolledBackError):
            await complete_in_vain()
        assert await current(store, claim.job_id) == claim.job
        release = lifecycle.release(claim)
        assert await store.apply([release]) == [Answer.APPLIED], "it is held as before"

    async def test_renew_keeps_a_claim_that_a_transaction_is_about_to_end(
        self,
        store: JobStore,
        transactional: TransactionalStore,
        transaction: Transaction,
    ) -> None:
        claim, neighbour = await a_claim(store), await a_claim(store)
        async with transaction() as connection:
            write = lifecycle.complete(claim, b"1")
            await transactional.using(connection).apply([write])
            renewal = await store.renew([claim, neighbour], HOUR)
            assert not renewal.lost
            assert await store.apply([lifecycle.release(claim)]) == [Answer.LOCKED]
            release = lifecycle.release(neighbour)
            assert await store.apply([release]) == [Answer.APPLIED]
        assert (await store.renew([claim], HOUR)).lost == {claim.job_id}

    async def test_using_refuses_what_is_no_connection(
        self, store: JobStore, transactional: TransactionalStore
    ) -> None:
        view = transactional.using("a connection")
        with pytest.raises(InvalidJobError):
            await view.insert([named(store, a_job())])
