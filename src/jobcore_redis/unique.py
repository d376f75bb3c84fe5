"""Unique keys that are kept in another partition than their job lies in.

Where a job has a limit key and a unique key, the first says where it lies. The second
is then first taken in its own partition in the name of the job, which is the one case
of two steps. What was taken for a job that never came is void after a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from jobcore import Answer, Job, NewJob, StoreUnavailableError, Transition
from jobcore_redis.part import Part
from jobcore_redis.parts import Parts
from jobcore_redis.problems import reading
from jobcore_redis.server import Server
from jobcore_redis.units import instant

_YOUNG: Final = timedelta(minutes=1)
"""How long a reservation stands whose job is not there: longer than any call."""


class FarKeys:
    """Takes them, and lets them go."""

    def __init__(self, server: Server, parts: Parts) -> None:
        self._server = server
        self._parts = parts

    def is_far(self, job: NewJob | Job) -> bool:
        """Whether it is kept elsewhere who has the unique key of *job*."""
        if job.unique_key is None:
            return False
        partitions = self._server.partitions
        near = partitions.of_unique_key(job.task, job.unique_key)
        return partitions.of(job.id) is not near

    async def take(
        self, job_id: str, task: str, key: str, generation: int = 0
    ) -> Job | None:
        """Take the key for a job that is to come, or to come to this generation; the
        job that has it, if another does. StoreUnavailableError where one may be about
        to have it."""
        part, seen = self._part_of(task, key), b""
        while seen := await part.reserve(f"{task}\t{key}", job_id, generation, seen):
            holder = await self._holder(seen)
            if holder is not None:
                return holder
        return None

    async def free(self, names: Sequence[bytes]) -> None:
        """Let go of the keys of jobs that are gone: of each its name and the id."""
        for name, job_id in zip(names[::2], names[1::2], strict=True):
            task, _, key = name.decode().partition("\t")
            await self._part_of(task, key).free([name, job_id])

    async def take_again(self, transitions: Sequence[Transition]) -> dict[int, Answer]:
        """Take the far keys of those *transitions* that begin a next generation; the
        answers for the places of those which cannot have theirs."""
        answers: dict[int, Answer] = {}
        if len(self._parts.all) == 1:
            return answers
        for place, each in enumerate(transitions):
            if not each.next_generation:
                continue
            (job,) = await self._parts.get([each.job_id])
            if job is None or not self.is_far(job):
                continue
            if each.status not in job.unique_scope:
                continue
            key, generation = job.unique_key or "", job.generation + 1
            if await self.take(job.id, job.task, key, generation) is not None:
                answers[place] = Answer.UNIQUE_KEY
        return answers

    def _part_of(self, task: str, key: str) -> Part:
        return self._parts.at(self._server.partitions.of_unique_key(task, key))

    async def _holder(self, kept: bytes) -> Job | None:
        """The job that is kept as a key's holder, if it still is."""
        job_id, *reserved = kept.split(b"\t")
        partition = self._server.partitions.of(job_id.decode())
        if partition is None:
            return None
        now, job, holds = await self._parts.at(partition).seen(job_id.decode())
        if holds:
            return job
        if reserved:
            with reading():
                generation, at = int(reserved[0]), instant(reserved[1])
            comes = job is None or job.generation < generation
            if comes and now - at < _YOUNG:
                problem = f"job {job_id.decode()} may be about to have the unique key"
                raise StoreUnavailableError(problem)
        return None
