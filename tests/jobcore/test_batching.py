"""Many callers, one round trip: what arrives during a flight is the next batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from jobcore import StoreError, StoreUnavailableError
from jobcore.batching import Batcher

pytestmark = pytest.mark.anyio


class Flights:
    """Doubles numbers; refuses what is guilty; waits while the gate is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.guilty: set[int] = set()
        self.error: Exception = StoreError("guilty")
        self.gate = asyncio.Event()
        self.gate.set()
        self.took_off = asyncio.Event()

    async def fly(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.took_off.set()
        await self.gate.wait()
        if self.guilty & set(items):
            raise self.error
        return [2 * each for each in items]


async def test_a_lone_call_flies_at_once() -> None:
    flights = Flights()
    batcher = Batcher(flights.fly, 10)
    assert await batcher.add(1) == 2
    assert await batcher.add(2) == 4
    assert flights.batches == [[1], [2]]


async def test_what_arrives_during_a_flight_shares_the_next() -> None:
    flights = Flights()
    flights.gate.clear()
    batcher = Batcher(flights.fly, 10)
    first = batcher.add(0)
    await flights.took_off.wait()
    rest = [batcher.add(number) for number in range(1, 6)]
    assert len(batcher) == 5
    flights.gate.set()
    assert await asyncio.gather(first, *rest) == [0, 2, 4, 6, 8, 10]
    assert flights.batches == [[0], [1, 2, 3, 4, 5]]


async def test_no_batch_is_larger_than_it_may_be() -> None:
    flights = Flights()
    batcher = Batcher(flights.fly, 3)
    results = await asyncio.gather(*map(batcher.add, range(8)))
    assert results == [0, 2, 4, 6, 8, 10, 12, 14]
    assert flights.batches == [[0, 1, 2], [3, 4, 5], [6, 7]]


@pytest.mark.parametrize("guilty", [{0}, {5}, {7}, {2, 3}, set(range(8))])
async def test_a_batch_is_split_until_the_guilty_fail_alone(guilty: set[int]) -> None:
    flights = Flights()
    flights.guilty = guilty
    batcher = Batcher(flights.fly, 10)
    results = await asyncio.gather(*map(batcher.add, range(8)), return_exceptions=True)
    for number, result in enumerate(results):
        assert result == (flights.error if number in guilty else 2 * number)
    assert {n for batch in flights.batches if len(batch) == 1 for n in batch} >= guilty


async def test_an_outage_fails_all_at_once() -> None:
    flights = Flights()
    flights.guilty, flights.error = {3}, StoreUnavailableError("gone")
    batcher = Batcher(flights.fly, 10)
    results = await asyncio.gather(*map(batcher.add, range(8)), return_exceptions=True)
    assert results == [flights.error] * 8
    assert len(flights.batches) == 1
    flights.guilty = set()
    assert await batcher.add(1) == 2


async def test_a_caller_that_is_cancelled_ends_its_wait_and_nothing_else() -> None:
    flights = Flights()
    flights.gate.clear()
    batcher = Batcher(flights.fly, 10)

    async def call(number: int) -> int:
        return await batcher.add(number)

    first = asyncio.create_task(call(1))
    await flights.took_off.wait()
    second, third = asyncio.create_task(call(2)), asyncio.create_task(call(3))
    await asyncio.sleep(0)
    for task in (first, second):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    flights.gate.set()
    assert await third == 6
    assert flights.batches == [[1], [2, 3]]


@pytest.mark.parametrize("error", [StoreError("no"), StoreUnavailableError("gone")])
async def test_an_error_whose_callers_are_cancelled_is_dropped(
    error: Exception,
) -> None:
    flights = Flights()
    flights.gate.clear()
    flights.guilty, flights.error = {1}, error
    batcher = Batcher(flights.fly, 10)
    batcher.add(1).cancel()
    await flights.took_off.wait()
    flights.gate.set()
    await batcher.finish()
    assert await batcher.add(2) == 4


async def test_finish_waits_for_all_that_was_handed_in() -> None:
    flights = Flights()
    flights.gate.clear()
    batcher = Batcher(flights.fly, 1)
    futures = [batcher.add(number) for number in range(3)]
    finishing = asyncio.create_task(batcher.finish())
    await flights.took_off.wait()
    assert not finishing.done()
    flights.gate.set()
    await finishing
    assert [future.result() for future in futures] == [0, 2, 4]
    await batcher.finish()


async def _too_few(items: Sequence[int]) -> list[int]:
    return [2 * each for each in items[1:]]


async def _too_many(items: Sequence[int]) -> list[int]:
    return [*items, 0]


@pytest.mark.parametrize("fly", [_too_few, _too_many])
async def test_callers_hear_of_answers_that_are_not_one_per_item(
    fly: Callable[[Sequence[int]], Awaitable[Sequence[int]]],
) -> None:
    batcher = Batcher(fly, 10)
    results = await asyncio.gather(*map(batcher.add, range(4)), return_exceptions=True)
    assert [type(each) for each in results] == [ValueError] * 4


async def test_a_flight_cancelled_before_it_began_strands_nobody() -> None:
    async def fly(items: Sequence[int]) -> list[int]:
        return list(items)

    batcher: Batcher[int, int] = Batcher(fly, 10)
    before = asyncio.all_tasks()
    waiting = batcher.add(1)
    (flight,) = asyncio.all_tasks() - before
    flight.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await batcher.add(2) == 2
    await batcher.finish()


async def test_a_flight_cancelled_on_its_way_ends_the_wait_of_its_callers() -> None:
    under_way = asyncio.Event()

    async def fly(items: Sequence[int]) -> list[int]:
        under_way.set()
        await asyncio.Event().wait()
        return list(items)

    batcher: Batcher[int, int] = Batcher(fly, 1)
    before = asyncio.all_tasks()
    waiting = [batcher.add(1), batcher.add(2)]
    (flight,) = asyncio.all_tasks() - before
    await under_way.wait()
    flight.cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in answers] == [asyncio.CancelledError] * 2
    await batcher.finish()
