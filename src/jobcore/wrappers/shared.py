"""Abilities of several stores as one."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.abilities import Paused, QueueControl, Verifiable, Verification
from jobcore.job import Limit
from jobcore.wrappers.merging import all_of, one_verification


class SharedControl(QueueControl):
    """Pauses and limits that hold in each store. A call that fails may have reached
    some; repeated, it reaches all."""

    def __init__(self, controls: Sequence[QueueControl]) -> None:
        self._controls = controls

    async def pause(self, *, queue: str | None = None, task: str | None = None) -> None:
        await all_of(each.pause(queue=queue, task=task) for each in self._controls)

    async def resume(
        self, *, queue: str | None = None, task: str | None = None
    ) -> None:
        await all_of(each.resume(queue=queue, task=task) for each in self._controls)

    async def paused(self) -> Paused:
        parts = await all_of(each.paused() for each in self._controls)
        return Paused(
            frozenset(queue for each in parts for queue in each.queues),
            frozenset(task for each in parts for task in each.tasks),
        )

    async def limit(self, key: str, limit: Limit | None) -> None:
        await all_of(each.limit(key, limit) for each in self._controls)

    async def lift(self, holders: Sequence[str] | None, limit: int) -> int:
        lifted = 0
        for control in self._controls:
            if lifted < limit:
                lifted += await control.lift(holders, limit - lifted)
        return lifted


class SharedVerification(Verifiable):
    """Whether each of the stores is sound."""

    def __init__(self, parts: Sequence[Verifiable]) -> None:
        self._parts = parts

    async def verify(self) -> Verification:
        return one_verification(await all_of(each.verify() for each in self._parts))
