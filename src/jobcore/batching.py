"""Many callers, one round trip: what arrives during a flight is the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from jobcore.errors import StoreUnavailableError
from jobcore.shield import shielded

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collects what concurrent callers hand in and passes it on in batches.

    There is no timer: a lone call flies at once, and the batches grow with the load.
    Cancelling a caller ends its wait and nothing else. A batch that fails for another
    reason than an outage is split until the guilty item fails alone.
    """

    def __init__(
        self, fly: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int
    ) -> None:
        self._fly = fly
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._flight: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Item) -> asyncio.Future[Result]:
        """The future result of *item*, which leaves with the next batch."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flight is None:
            self._take_off()
        return future

    async def finish(self) -> None:
        """Wait until everything that was handed in has landed."""
        while self._flight is not None:
            await asyncio.wait({self._flight})
            await asyncio.sleep(0)

    def _take_off(self) -> None:
        flight = shielded(self._fly_all)
        loop = asyncio.get_running_loop()
        self._flight = loop.create_task(flight, name="jobcore-batch")
        self._flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flight = None
        if flight.cancelled():
            _cancel(self._waiting)
            self._waiting.clear()
        elif self._waiting:
            self._take_off()

    async def _fly_all(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), self._most)
            await self._fly_batch([self._waiting.popleft() for _ in range(size)])

    async def _fly_batch(
        self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]
    ) -> None:
        try:
            results = await self._fly([item for item, _ in batch])
            landed = list(zip(batch, results, strict=True))
        except asyncio.CancelledError:
            _cancel(batch)
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to the callers
            if len(batch) > 1 and not isinstance(error, StoreUnavailableError):
                middle = len(batch) // 2
                await self._fly_batch(batch[:middle])
                await self._fly_batch(batch[middle:])
                return
            _refuse(batch, error)
            return
        for (_, future), result in landed:
            if not future.done():
                future.set_result(result)


def _refuse(batch: Iterable[tuple[Any, asyncio.Future[Any]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


def _cancel(batch: Iterable[tuple[Any, asyncio.Future[Any]]]) -> None:
    for _, future in batch:
        future.cancel()
