"""What is wrong with a store and its workers, as far as a manager can see."""

from __future__ import annotations

from jobcore.abilities import Examinable
from jobcore.calls import StoreCalls
from jobcore.config import JobcoreConfig
from jobcore.finding import Finding
from jobcore.store import JobStore


class Examining:
    """Examines one store."""

    def __init__(
        self, store: JobStore, calls: StoreCalls, config: JobcoreConfig
    ) -> None:
        self._store = store
        self._calls = calls
        self._config = config

    async def examine(self, *, thoroughly: bool) -> list[Finding]:
        """All that is found."""
        del thoroughly
        self._calls.check()
        able = self._store.ability(Examinable)
        return [] if able is None else await self._calls.call(able.examine)
