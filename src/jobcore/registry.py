"""From a URL to a store: what is installed, and what was registered."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from jobcore.errors import UnknownStoreError
from jobcore.store import JobStore

GROUP = "jobcore.stores"
"""The group of entry points. Their names are schemes, without what follows a `+`."""

StoreFactory = Callable[[str], JobStore]

_registered: dict[str, StoreFactory] = {}


def register_store(scheme: str, factory: StoreFactory) -> None:
    """Let *factory* make the stores of *scheme*. Needed only where entry points cannot
    be read, as in frozen applications; it goes before them."""
    _registered[scheme] = factory


def store_from_url(url: str) -> JobStore:
    """The store that *url* names, not opened yet; UnknownStoreError where no installed
    distribution has one."""
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme in _registered:
        return _registered[scheme](url)
    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name == scheme:
            factory: StoreFactory = entry.load()
            return factory(url)
    known = {*_registered, *(entry.name for entry in found)}
    raise UnknownStoreError(scheme, tuple(sorted(known)))
