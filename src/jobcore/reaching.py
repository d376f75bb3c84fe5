"""Whether a store answers now, found out by a call that costs it next to nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from jobcore.calls import StoreCalls
from jobcore.errors import StoreError
from jobcore.job import NewJob
from jobcore.store import JobStore

_PATIENCE: Final = 2.0


async def answers(store: JobStore, calls: StoreCalls) -> bool:
    """Whether *store* answers a question for a job that there is not, within two
    seconds and without a second try."""
    nobody = store.new_id(NewJob(task="health"))
    try:
        async with asyncio.timeout(_PATIENCE):
            await calls.start(lambda: store.get([nobody]), patience=timedelta(0))
    except (StoreError, TimeoutError):
        return False
    return True
