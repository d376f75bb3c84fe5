"""What the tests of wrappers share: the kit, and a store that can be watched."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.claim import Claim
from jobcore.errors import StoreUnavailableError
from jobcore.job import Job
from jobcore.memory import InMemoryJobStore
from jobcore.store import JobStore
from jobcore.testing import (
    ExplainableConformance,
    QueueControlConformance,
    ScheduleConformance,
    StoreConformance,
    VerifiableConformance,
    WorkerDirectoryConformance,
)


class WholeKit(
    StoreConformance,
    QueueControlConformance,
    WorkerDirectoryConformance,
    ScheduleConformance,
    ExplainableConformance,
    VerifiableConformance,
):
    """All that the memory store can do, it can do behind a wrapper."""


class WatchedStore(InMemoryJobStore):
    """Notes whether it is open, and what `get` is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False
        self.asked: list[str] = []

    async def __aenter__(self) -> WatchedStore:
        self.is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        self.asked += ids
        return await super().get(ids, attempts=attempts)


class BrokenStore(InMemoryJobStore):
    """Cannot be opened, and does not answer."""

    async def __aenter__(self) -> BrokenStore:
        raise StoreUnavailableError("broken")

    async def expired(self, limit: int) -> list[Claim]:
        raise StoreUnavailableError(f"broken, and {limit} makes no difference")


def three(kind: type[InMemoryJobStore] = InMemoryJobStore) -> list[JobStore]:
    return [kind() for _ in range(3)]
