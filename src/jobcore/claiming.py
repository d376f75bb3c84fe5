"""A claim that nobody loses: repeated after an outage, given back if unwanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

from jobcore import lifecycle
from jobcore.calls import StoreCalls
from jobcore.claim import ClaimRequest, ClaimResult
from jobcore.store import JobStore


async def claim(
    store: JobStore, calls: StoreCalls, request: ClaimRequest
) -> ClaimResult:
    """Make the claim, again only as long as its lease is young, as the jobs of a first
    call may have been taken already. If the caller is cancelled meanwhile, what the
    claim brings is released."""
    attempts = count()

    async def attempt() -> ClaimResult:
        is_first = next(attempts) == 0
        wanted = request if is_first else replace(request, repeated=True)
        result = await store.claim(wanted)
        if answer.cancelled():
            give_back(result)
        return result

    def give_back(result: ClaimResult) -> None:
        released = [lifecycle.release(each) for each in result.claims]
        if released:
            calls.start(lambda: store.apply(released))

    answer = calls.start(attempt, patience=request.lease / 3)
    try:
        return await answer
    except asyncio.CancelledError:
        if not answer.cancelled() and answer.exception() is None:
            give_back(answer.result())
        raise
