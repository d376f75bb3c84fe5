"""The faults of a server, and of the way to it: each says how it comes to pass.

A new one is a class with the same members, and a line in `RUNS`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Generic, TypeVar

from tools.faults.course import Struck, Tell
from tools.faults.faults import SETTINGS as SHORT
from tools.faults.scene import Scene
from tools.faults.way import ServerWay

W = TypeVar("W", bound=ServerWay)
W_contra = TypeVar("W_contra", bound=ServerWay, contravariant=True)

SETTINGS: Final[Mapping[str, str]] = {
    **SHORT,
    "job_claim_timeout": "30",
    "job_polling_interval": "1",
}
"""Lease and polling as they are by default."""
LASTING: Final = 3.0
"""Seconds that an outage lasts whose length is ours to choose."""
AWAY: Final = 60.0
"""Seconds that a long one lasts."""
WITHIN: Final = timedelta(seconds=5)
CALL_TIMEOUT: Final = timedelta(seconds=15)
"""When each store gives up a call by default."""


class Outage(ABC, Generic[W_contra]):
    """What can happen to a server while workers use it."""

    title: str
    times: int
    pause: tuple[float, float] = (5.0, 7.0)
    """Seconds between two, at least and at most."""
    within: timedelta = WITHIN
    """How soon after its end each worker has to go on."""
    is_on_the_way: bool = False
    """Whether it happens at the proxy."""
    most_work: float | None = None
    """The share of a core that each worker may use meanwhile, if that is measured."""
    refusal: str | None = None
    """What the error says that submits are refused with meanwhile, if they are."""

    @abstractmethod
    async def strike(self, way: W_contra) -> None:
        """Let it happen; return when it is over."""


class Kill(Outage[ServerWay]):
    title = "`kill -9` of the server, started again at once"
    times = 20

    async def strike(self, way: ServerWay) -> None:
        way.kill()
        await asyncio.to_thread(way.start_again)


class Away(Outage[ServerWay]):
    """Nobody must be busy with asking for it in vain."""

    title = f"`kill -9` of the server, started again after {AWAY:.0f} s"
    times = 2
    most_work = 0.1

    async def strike(self, way: ServerWay) -> None:
        way.kill()
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(way.start_again)


class Terminate(Outage[ServerWay]):
    """The *title* says by which command of the server."""

    times = 100
    pause = (0.0, 0.5)

    def __init__(self, title: str) -> None:
        self.title: str = title

    async def strike(self, way: ServerWay) -> None:
        await way.cut_all()


class Silence(Outage[ServerWay]):
    """No side hears of it: connections stay open, and what is sent is lost. Those that
    have lost something never answer again."""

    title = f"half-open connections: what is sent in {LASTING:.0f} s is lost"
    times = 5
    pause = (20.0, 25.0)
    within = CALL_TIMEOUT + WITHIN
    is_on_the_way = True

    async def strike(self, way: ServerWay) -> None:
        way.proxy.silent = True
        await asyncio.sleep(LASTING)
        way.proxy.silent = False


class OnServer(Generic[W]):
    """A course on which one *outage* follows the other."""

    settings: Mapping[str, str] = SETTINGS

    def __init__(self, outage: Outage[W], way: W, random: Random) -> None:
        self._outage = outage
        self._way = way
        self._random = random

    async def run(self, times: int, scene: Scene, tell: Tell) -> Struck:
        outage = self._outage
        over_at: list[datetime] = []
        work: list[float] = []
        await scene.all_work()
        for number in range(times):
            await asyncio.sleep(self._random.uniform(*outage.pause))
            with scene.fleet.watched() as shares:
                await outage.strike(self._way)
            over_at.append(datetime.now(UTC))
            tell(f"outage {number + 1} of {times} is over")
            work += shares.values()
        await asyncio.sleep(outage.within.total_seconds())
        return Struck(
            over_at=over_at,
            within=outage.within,
            work=() if outage.most_work is None else work,
            most_work=outage.most_work or 0,
            refusal=outage.refusal,
        )
