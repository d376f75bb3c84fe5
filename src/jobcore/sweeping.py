"""What operators do to all jobs that match a filter: page by page, in small batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from jobcore.calls import StoreCalls
from jobcore.errors import TransitionError
from jobcore.job import Job
from jobcore.query import Filter, Page
from jobcore.store import JobStore
from jobcore.transition import Answer, Transition

BATCH: Final = 500
"""How many jobs are read or deleted at a time: so few that no claim waits long."""
WRITES: Final = 10
"""How many are written at a time, which costs more."""
_TRIES: Final = 5
_CHANGED: Final = {Answer.STATUS, Answer.GENERATION, Answer.LOCKED}

Write = Callable[[Job], Transition]
"""The write that a job asks for; TransitionError where it asks for none."""
Made = Callable[[Job, Transition], None]
"""Is told of each job that was changed, as it was before, and of the write."""
Archive = Callable[[Sequence[Job]], Awaitable[object]]
"""Is given jobs with their attempts before they are deleted. They are deleted once it
has returned; where it raises, they stay, and are given to it again."""
OnProgress = Callable[[int], None]
"""Is told after each batch how many jobs are done so far."""


class Sweep:
    """Goes through the jobs of *store* that match *filter*, the newest first, and rests
    after each batch for as long as that took."""

    def __init__(
        self,
        store: JobStore,
        calls: StoreCalls,
        filter: Filter,  # noqa: A002 - the word of the contract
        on_progress: OnProgress | None = None,
    ) -> None:
        self._store = store
        self._calls = calls
        self._filter = filter
        self._on_progress = on_progress

    async def count(self) -> int:
        """How many there are."""
        return sum([len(jobs) async for jobs in self._pages()])

    async def apply(self, write: Write, made: Made) -> int:
        """Make the *write* of each, tell of those that were *made*, and say how many.
        What changes meanwhile is looked at again, and left if it matches no more."""
        now, done = asyncio.get_running_loop().time, 0
        async for jobs in self._pages():
            for start in range(0, len(jobs), WRITES):
                began_at = now()
                some = jobs[start : start + WRITES]
                done += await self._apply(some, write, made)
                if self._on_progress is not None:
                    self._on_progress(done)
                await asyncio.sleep(now() - began_at)
        return done

    async def delete(self, most: int | None = None) -> int:
        """Delete them, but for those that are in progress, or the first *most* of them,
        and say how many."""
        now, total = asyncio.get_running_loop().time, 0
        while True:
            began_at = now()
            size = BATCH if most is None else min(BATCH, most - total)
            call = partial(self._store.delete, self._filter, size)
            deleted = await self._calls.call(call)
            total += deleted
            if self._on_progress is not None:
                self._on_progress(total)
            if deleted < BATCH or total == most:
                return total
            await asyncio.sleep(now() - began_at)

    async def drain(self, kept: int, archive: Archive) -> int:
        """Delete all but the *kept* newest of them, each batch once *archive* has it,
        and say how many."""
        now, total, passed = asyncio.get_running_loop().time, 0, 0
        async for jobs in self._pages():
            began_at = now()
            some = jobs[max(kept - passed, 0) :]
            passed += len(jobs)
            if some:
                total += await self._drain([job.id for job in some], archive)
            await asyncio.sleep(now() - began_at)
        return total

    async def _drain(self, ids: Sequence[str], archive: Archive) -> int:
        call = partial(self._store.get, ids, attempts=True)
        await archive([job for job in await self._calls.call(call) if job])
        old = replace(self._filter, ids=tuple(ids))
        return await self._calls.call(partial(self._store.delete, old, len(ids)))

    async def _apply(self, jobs: Sequence[Job], write: Write, made: Made) -> int:
        done = 0
        for _ in range(_TRIES):
            asked = {
                job.id: (job, each) for job in jobs if (each := _asked(write, job))
            }
            if not asked:
                break
            writes = [each for _, each in asked.values()]
            answers = await self._calls.call(partial(self._store.apply, writes))
            changed: list[str] = []
            for (job, each), answer in zip(asked.values(), answers, strict=True):
                if answer is Answer.APPLIED:
                    made(job, each)
                    done += 1
                elif answer in _CHANGED:
                    changed.append(job.id)
            jobs = await self._again(changed) if changed else ()
        return done

    async def _again(self, ids: Sequence[str]) -> Sequence[Job]:
        asked = replace(self._filter, ids=tuple(ids))
        return (await self._find(asked, None, len(ids))).jobs

    async def _pages(self) -> AsyncIterator[Sequence[Job]]:
        now, cursor, is_last = asyncio.get_running_loop().time, None, False
        while not is_last:
            began_at = now()
            page = await self._find(self._filter, cursor, BATCH)
            await asyncio.sleep(now() - began_at)
            yield page.jobs
            cursor, is_last = page.cursor, page.cursor is None

    async def _find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        return await self._calls.call(partial(self._store.find, filter, cursor, limit))


def _asked(write: Write, job: Job) -> Transition | None:
    try:
        return write(job)
    except TransitionError:
        return None
