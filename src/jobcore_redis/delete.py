"""Delete: jobs that do not run, each unless it has changed since it was seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from jobcore import TERMINAL, Filter, Job, JobStatus
from jobcore_redis.calls import MOST, PAGE, Calls
from jobcore_redis.record import records
from jobcore_redis.units import instant, microseconds


class _Seen(NamedTuple):
    """A job, and its state as it was read, to know whether it has changed since."""

    job: Job
    state: bytes


class Deletion:
    """One call of `delete`, on one partition."""

    def __init__(
        self,
        calls: Calls,
        filter: Filter,  # noqa: A002 - the word of the contract
        limit: int,
    ) -> None:
        self._calls = calls
        self._filter = filter
        self._left = limit
        self.deleted: int = 0
        self.far: list[bytes] = []
        """Of each deleted job whose unique key is far, its name and the id."""

    async def run(self) -> None:
        filter, age = self._filter, self._filter.finished_for  # noqa: A001 - the word of the contract
        if age is not None and filter == Filter(
            statuses=filter.statuses, finished_for=age
        ):
            await self._delete_finished(age)
            return
        async for page in self._pages():
            left = page
            while left and self._left:
                most = min(MOST, self._left)
                some, left = left[:most], left[most:]
                told = [part for job, state in some for part in (job.id, state)]
                self._add(*await self._calls.call("delete", *told))
            if not self._left:
                break

    async def _delete_finished(self, age: timedelta) -> None:
        """The same where a script sees for itself which jobs are meant."""
        statuses, gone, wanted = _finished(self._filter), 0, 0
        while statuses and self._left and gone == wanted:
            wanted = min(MOST, self._left)
            told = (microseconds(age), wanted, *statuses)
            gone, far = await self._calls.timed("delete_finished", *told)
            self._add(gone, far)

    def _add(self, gone: int, far: Sequence[bytes]) -> None:
        self.deleted += gone
        self._left -= gone
        self.far += far

    async def _pages(self) -> AsyncIterator[list[_Seen]]:
        """The jobs that are meant and do not run, in the order of their deletion."""
        filter = self._filter  # noqa: A001 - the word of the contract
        if filter.ids is not None:
            ids = sorted(set(filter.ids))
            for start in range(0, len(ids), PAGE):
                told = ids[start : start + PAGE]
                at, parts = await self._calls.timed("read", *told)
                encoded = [each.encode() for each in told]
                yield self._meant(instant(at), encoded, parts)
        elif filter.finished_for is not None:
            statuses, place = _finished(filter), b""
            more = bool(statuses)
            while more:
                age = microseconds(filter.finished_for)
                at, places, found, parts = await self._calls.timed(
                    "finished", age, PAGE, place, *statuses
                )
                yield self._meant(instant(at), found, parts)
                place, more = (places or [b""])[-1], len(found) == PAGE
        else:
            first, more = b"", True
            while more:
                at, found, parts = await self._calls.timed("upward", first, PAGE)
                yield self._meant(instant(at), found, parts)
                first, more = (found or [b""])[-1], len(found) == PAGE

    def _meant(
        self, now: datetime, ids: Sequence[bytes], parts: Sequence[Sequence[Any]]
    ) -> list[_Seen]:
        return [
            _Seen(job, state or b"")
            for job, state in zip(records(parts, ids), parts[1], strict=True)
            if job is not None
            and job.status is not JobStatus.IN_PROGRESS
            and self._filter.matches(job, now)
        ]


def _finished(filter: Filter) -> list[JobStatus]:  # noqa: A002 - the word of the contract
    return sorted(TERMINAL & (TERMINAL if filter.statuses is None else filter.statuses))
