"""Claim: the partitions are asked in turn, each for what the ones before left open."""

from __future__ import annotations

from dataclasses import replace

from jobcore import ClaimRequest, ClaimResult
from jobcore_redis.merging import added_up
from jobcore_redis.parts import Parts


async def claim(parts: Parts, request: ClaimRequest, turn: int) -> ClaimResult:
    """What *request* takes. The number *turn* says which partition is asked first, so
    that none comes last each time."""
    every = parts.all
    if len(every) == 1:
        return await every[0].claim(request, request.bound)
    if request.repeated:
        own = added_up([await each.claimed(request.token) for each in every])
        if own.claims:
            return own
    result = ClaimResult()
    for step in range(len(every)):
        part = every[(turn + step) % len(every)]
        left = request.limit - len(result.claims)
        bound = request.bound - result.examined
        if left and bound:
            wanted = replace(request, limit=left, repeated=False)
            result = added_up([result, await part.claim(wanted, bound)])
    is_full = len(result.claims) == request.limit
    return replace(result, bounded=result.bounded and not is_full)
