"""Unique keys that are kept in another partition than their job lies in.

Where a job has a limit key and a unique key, the first says where it lies. The second
is then first taken in its own partition in the name of the job, which is the one case
of two steps. What was taken for a job that never came is void after a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from jobcore import Job, StoreUnavailableError
from jobcore_redis.keys import Partitions
from jobcore_redis.part import Part
from jobcore_redis.units import instant

_YOUNG: Final = timedelta(minutes=1)
"""How long a reservation stands whose job is not there: longer than any call."""


class FarKeys:
    """Takes them, and lets them go."""

    def __init__(self, partitions: Partitions, parts: Sequence[Part]) -> None:
        self._partitions = partitions
        self._parts = parts

    def is_far(self, job_id: str, task: str, key: str | None) -> bool:
        """Whether it is kept elsewhere who has the unique key of a job."""
        if key is None:
            return False
        return self._partitions.of(job_id) is not self._partitions.of_unique_key(
            task, key
        )

    async def take(
        self, job_id: str, task: str, key: str, generation: int = 0
    ) -> Job | None:
        """Take the key for a job that is to come, or to come to this generation; the
        job that has it, if another does. StoreUnavailableError where one may be about
        to have it."""
        part = self._parts[self._partitions.of_unique_key(task, key).number]
        seen = b""
        while seen := await part.reserve(f"{task}\t{key}", job_id, generation, seen):
            holder = await self._holder(seen)
            if holder is not None:
                return holder
        return None

    async def free(self, names: Sequence[bytes]) -> None:
        """Let go of the keys of jobs that are gone: of each its name and the id."""
        for name, job_id in zip(names[::2], names[1::2], strict=True):
            task, _, key = name.decode().partition("\t")
            part = self._parts[self._partitions.of_unique_key(task, key).number]
            await part.free([name, job_id])

    async def _holder(self, kept: bytes) -> Job | None:
        """The job that is kept as a key's holder, if it still is."""
        job_id, *reserved = kept.split(b"\t")
        partition = self._partitions.of(job_id.decode())
        if partition is None:
            return None
        now, job, holds = await self._parts[partition.number].seen(job_id.decode())
        if holds:
            return job
        if reserved:
            generation, at = int(reserved[0]), instant(reserved[1])
            comes = job is None or job.generation < generation
            if comes and now - at < _YOUNG:
                problem = f"job {job_id.decode()} may be about to have the unique key"
                raise StoreUnavailableError(problem)
        return None
