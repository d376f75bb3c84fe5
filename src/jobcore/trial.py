"""A store for a test of a host: where the host's jobs are, and apart from them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from jobcore.abilities import TrialStore
from jobcore.config import JobcoreConfig
from jobcore.errors import UnsupportedError
from jobcore.registry import store_from_url


def trial_url(url: str | None = None) -> AbstractAsyncContextManager[str]:
    """The URL of a new store at the place that *url*, else the configuration, names.

    It is empty and shares nothing with what is there, and it is gone when the context
    is left: tables, keys or a file. So a test that opens it runs on every store, and
    beside other tests. UnsupportedError where the store has no `TrialStore`.
    """
    store = store_from_url(JobcoreConfig().store_url if url is None else url)
    able = store.ability(TrialStore)
    if able is None:
        raise UnsupportedError(type(store).__name__, TrialStore.__name__)
    return able.trial()
