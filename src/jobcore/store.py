"""The contract of a store: what it does, atomically, and what it leaves to others.

A store keeps jobs and hands each to one worker at a time. It compares and sets; it
decides nothing about lifecycles, retries or schedules. `jobcore.testing`, which a
store's own tests inherit, proves every rule but those of cost, durability and errors.

For all methods:

* Each takes a batch. What one call does to one job is one atomic step; a batch as a
  whole is atomic only where that is said.
* The store's own clock, shifted by `offset`, decides due times, leases and expiry.
* Every mutation may be repeated after an unknown outcome (a cut connection, a
  cancelled wait). With the same ids and tokens it has one effect; `promote`, `delete`
  and `lift` do more of the same, which is harmless. The caller repeats; a store never
  does.
* A job whose status leaves its unique scope, by whatever method, frees its unique key
  for good; only a `next_generation` takes it again.
* Jobs are handed out as `get` shows them without attempts. Ids and cursors are ASCII
  and compare by code point. Limits are at least 1, but that of a claim, which may be 0.
* What is stored when a call returns is as durable as the store is.
* Payload, result, error and extra are opaque bytes.
* Its driver's errors are raised as `StoreUnavailableError`, where repeating is worth
  it, or as `StoreError`; use outside of `async with`, in another process or another
  event loop as `StoreNotOpenError`.
* A store may be partitioned. It has the jobs of a limit key in one partition, and what
  is said of order, of all or none, and of one snapshot holds within each.
* What claims cost does not depend on how many jobs wait, are held or have finished.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Self, TypeVar

from jobcore.claim import Claim, ClaimRequest, ClaimResult, Promotion, Renewal
from jobcore.identity import IdSequence, Tick, tick_id
from jobcore.job import Inserted, Job, NewJob
from jobcore.query import Filter, Page, Statistics
from jobcore.retry import SYSTEM_RANDOM
from jobcore.transition import Answer, Transition

A = TypeVar("A")


class JobStore(ABC):
    """Keeps jobs; see the module for the rules that hold for every method.

    A store is used inside `async with`, in the process and event loop that opened it.
    Whatever was handed to its constructor is not closed by it.
    """

    offset: timedelta = timedelta(0)
    """Added to the store's clock. Tests set it on an instance; nobody else does."""

    random: Random = SYSTEM_RANDOM
    """Where ids come from."""

    _ids: IdSequence | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    @abstractmethod
    async def insert(self, jobs: Sequence[NewJob]) -> list[Inserted]:
        """Store new jobs, all or none, and answer in their order.

        A job whose id is known already, or else whose unique key another job of the
        same task holds, is not created: the answer carries the job that is there. This
        holds within the batch, too. Ids are the caller's, from `new_id`. A job is
        `held` if something holds it, else `queued` when it is due, else `scheduled`.
        """

    @abstractmethod
    async def get(
        self, ids: Sequence[str], *, attempts: bool = False
    ) -> list[Job | None]:
        """The jobs in the order asked, None for what is not there; with their attempt
        records, ascending by number, where *attempts* are wanted."""

    @abstractmethod
    async def claim(self, request: ClaimRequest) -> ClaimResult:
        """Take up to `request.limit` queued jobs from the request's queues and return
        them in the order in which they were taken: a queue is emptied before the next.

        Within a queue the order is priority, due time, id, all ascending. No job goes
        to two claims. Each becomes `in_progress` with the token, worker and lease of
        the request, and its attempt rises by one. At most `request.bound` entries are
        looked at. Those that may not start become `held` or `scheduled` in the same
        step (`QueueControl`).

        With `request.repeated` and jobs still in progress under its token, returns
        those, whatever their queues and its limit, in the order in which they were
        taken, and takes no more.
        """

    @abstractmethod
    async def apply(self, transitions: Sequence[Transition]) -> list[Answer]:
        """Make each guarded write whose expectations hold, and answer in order.

        `Transition.answer` judges and `Transition.effect` tells the new fields. A job
        that leaves `in_progress` has no token any more. A write with a token leaves its
        receipt on the job until the next such write. A `next_generation` whose unique
        key another job holds is answered `unique_key`. A row in somebody's open
        transaction is answered `locked`.
        """

    @abstractmethod
    async def renew(self, claims: Sequence[Claim], lease: timedelta) -> Renewal:
        """Let the leases of *claims* end *lease* from now, even where they had run out.
        A lease is never shortened. A row that is locked counts as renewed."""

    @abstractmethod
    async def expired(self, limit: int) -> list[Claim]:
        """Up to *limit* claims whose lease has run out, the oldest first, passing by
        rows that are locked. Nothing changes by asking."""

    @abstractmethod
    async def promote(self, limit: int) -> Promotion:
        """Make up to *limit* scheduled jobs that are due `queued`, the earliest
        first."""

    @abstractmethod
    async def find(self, filter: Filter, cursor: str | None, limit: int) -> Page:  # noqa: A002 - the word of the contract
        """A page of up to *limit* matching jobs, by descending id, after *cursor*. Jobs
        that stay unchanged while paging are seen exactly once. It may stop early, so
        that a page costs the same however many jobs there are."""

    @abstractmethod
    async def statistics(self) -> Statistics:
        """Exact counts by queue and status in one snapshot, cheap at any number of
        jobs."""

    @abstractmethod
    async def delete(self, filter: Filter, limit: int) -> int:  # noqa: A002 - the word of the contract
        """Delete up to *limit* matching jobs with their attempts, and say how many: for
        `finished_for` those that finished first, else the smallest ids. A job that is
        `in_progress` is never deleted."""

    def new_id(self, job: NewJob, tick: Tick | None = None) -> str:  # noqa: ARG002 - partitioned stores read the job
        """An id for *job*: new, at most 64 characters, rising with time. For a *tick*
        of a schedule, always the same one."""
        if tick is not None:
            return tick_id(tick)
        if self._ids is None:
            self._ids = IdSequence(self.random)
        return self._ids()

    async def wait(
        self,
        queues: Sequence[str],  # noqa: ARG002 - what a store that can wake looks at
        worker: str,  # noqa: ARG002 - likewise
        timeout: timedelta,  # noqa: ASYNC109 - a hint returns in time, it never raises
    ) -> None:
        """Return when there may be something to claim in *queues*, or a request to
        cancel for *worker*, at the latest after *timeout*. Only a hint: it may return
        early for nothing and may miss what happened, so callers poll as well."""
        await asyncio.sleep(timeout.total_seconds())

    def ability(self, kind: type[A]) -> A | None:
        """The store as the ability *kind*, or None. Wrappers pass the question on,
        which is why nobody asks `isinstance`."""
        return self if isinstance(self, kind) else None
