"""The stores that contestants are measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where a store is: its *url*, with `{folder}` for a new folder; whether several
    processes share it; and the CPU seconds that its server has used, if it has one."""

    url: str
    is_shared: bool
    server_cpu: Callable[[], float] | None = None


STORES: dict[str, Store] = {
    "memory": Store(url="memory://", is_shared=False),
    "sqlite": Store(url="sqlite:///{folder}/jobs.db", is_shared=True),
}
