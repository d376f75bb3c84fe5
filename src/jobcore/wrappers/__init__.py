"""Stores that keep the contract over other stores: seen, remembered, spread.

A wrapper stands wherever a store does, also around another wrapper. It takes the place
of what it is given: entering the one opens the other, and leaving it closes it.

    async with (
        InstrumentedStore(CachingStore(SQLJobStore(url)), observe) as store,
        DefaultJobManager(store) as jobs,
    ):
        ...
"""

from jobcore.wrappers.base import StoreWrapper
from jobcore.wrappers.caching import CachingStore
from jobcore.wrappers.instrumented import InstrumentedStore
from jobcore.wrappers.observing import Observer, StoreCall
from jobcore.wrappers.partitioned import PartitionedStore
from jobcore.wrappers.routing import Rule, by_key, keys_together

__all__ = [
    # what wrappers of your own begin with
    "StoreWrapper",
    # seeing what a store does
    "InstrumentedStore",
    "Observer",
    "StoreCall",
    # remembering what has ended
    "CachingStore",
    # several stores as one
    "PartitionedStore",
    "Rule",
    "by_key",
    "keys_together",
]
