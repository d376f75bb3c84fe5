"""Calls of scripts on one partition, by a clock that tests may shift."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from jobcore_redis.keys import Partition
from jobcore_redis.server import Server
from jobcore_redis.units import microseconds

PAGE: Final = 250
"""How many jobs a script reads at most, where that is ours to say."""

MOST: Final = 100
"""How many jobs a script changes at most, where they need not change as a whole.
Meanwhile the server does nothing else, and one job takes it up to 50 microseconds."""


class Calls:
    """Calls on one partition of a store whose clock is shifted by what *offset*
    says."""

    def __init__(
        self, server: Server, partition: Partition, offset: Callable[[], timedelta]
    ) -> None:
        self._server = server
        self._partition = partition
        self._offset = offset

    async def call(self, name: str, *arguments: Any) -> Any:
        """What the script *name* answers."""
        return await self._server.call(name, self._partition, arguments)

    async def timed(self, name: str, *arguments: Any) -> Any:
        """The same for a script that asks what time it is."""
        return await self.call(name, microseconds(self._offset()), *arguments)
