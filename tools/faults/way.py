"""The way to a store on servers that are nobody else's."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jobcore import JobStore
from tools.faults.proxy import Proxy


class Way(ABC):
    """To servers of any kind."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Straight to them."""

    @abstractmethod
    async def left_by(self, store: JobStore) -> list[str]:
        """What *store*, which is idle, has left open, or mixed up."""


class ServerWay(Way):
    """To one server, with a *proxy* before it."""

    proxy: Proxy

    @property
    def url_through(self) -> str:
        """Through the proxy."""
        return self.proxy.way_to(self.url)

    @abstractmethod
    def kill(self) -> None:
        """End the server as a power failure would, but for what the system has
        cached."""

    @abstractmethod
    def start_again(self) -> None:
        """Start it on what it has stored; return when it answers."""

    @abstractmethod
    async def cut_all(self) -> None:
        """Let the server end every connection."""
