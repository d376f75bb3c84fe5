"""Random histories: a Hypothesis machine that drives a store beside its model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from jobcore import lifecycle
from jobcore.attempt import Outcome
from jobcore.job import TERMINAL, UNFINISHED, WAITING, JobStatus, Limit, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.model import HOUR, KEYS, QUEUES, TASKS, End
from jobcore.testing.schedule_rules import ScheduleRules
from jobcore.testing.work import ERROR, a_job, a_request, named, pass_time

_S = JobStatus

wishes: st.SearchStrategy[tuple[str, ...]] = st.sampled_from(
    [QUEUES, QUEUES[::-1], QUEUES[:1]]
)
index: st.SearchStrategy[int] = st.integers(0, 7)
times: st.SearchStrategy[int] = st.integers(1, 2)
delays: st.SearchStrategy[timedelta | None] = st.sampled_from(
    [None, None, HOUR, 2 * HOUR]
)
scopes: st.SearchStrategy[frozenset[JobStatus]] = st.sampled_from(
    [
        UNFINISHED,
        UNFINISHED | {_S.COMPLETED},
        frozenset({_S.SCHEDULED, _S.QUEUED}),
    ]
)


@st.composite
def new_jobs(draw: st.DrawFn) -> NewJob:
    """Jobs of few queues, tasks and keys, so that they meet."""
    limit_key = draw(st.sampled_from([None, None, *KEYS]))
    held_by = draw(st.sampled_from([None, None, None, lifecycle.APPROVAL]))
    begins = frozenset() if held_by is None else {_S.HELD}
    return a_job(
        queue=draw(st.sampled_from(QUEUES)),
        task=draw(st.sampled_from(TASKS)),
        priority=draw(st.integers(-1, 1)),
        delay=draw(delays),
        unique_key=draw(st.sampled_from([None, "key"])),
        unique_scope=draw(scopes) | begins,
        limit_key=limit_key,
        limit=Limit(concurrency=KEYS[limit_key]) if limit_key else None,
        max_retries=draw(st.integers(0, 2)),
        held_by=held_by,
    )


class StoreMachine(ScheduleRules):
    """What workers, upkeep and operators do, in any order."""

    @initialize(jobs=st.lists(new_jobs(), min_size=3, max_size=5))
    def begin(self, jobs: list[NewJob]) -> None:
        self.insert(jobs)
        self.claim(QUEUES[::-1], 2)

    def insert(self, jobs: list[NewJob]) -> None:
        self.do_insert([named(self.store, job) for job in jobs])

    @precondition(lambda self: len(self.model.jobs) < 40)
    @rule(jobs=st.lists(new_jobs(), min_size=1, max_size=3), limit=st.integers(0, 3))
    def insert_and_claim(self, jobs: list[NewJob], limit: int) -> None:
        self.insert(jobs)
        if limit:
            self.claim(QUEUES[::-1], limit)

    @precondition(lambda self: 0 < len(self.model.jobs) < 40)
    @rule(index=index, job=new_jobs())
    def insert_again(self, index: int, job: NewJob) -> None:
        if there := self.any_job(index, *JobStatus):
            other = replace(job, id=there.new.id)
            self.do_insert([there.new, named(self.store, job), other])

    @rule(queues=wishes, limit=st.integers(1, 4))
    def claim_some(self, queues: tuple[str, ...], limit: int) -> None:
        self.claim(queues, limit)

    def claim(self, queues: tuple[str, ...], limit: int) -> None:
        request = a_request(queues=queues, limit=limit, lease=2 * HOUR)
        self.requests.append(request)
        self.do_claim(request)

    @precondition(lambda self: self.requests)
    @rule(index=index)
    def claim_again(self, index: int) -> None:
        request = self.requests[-1 - index % len(self.requests)]
        running = self.model.having(_S.IN_PROGRESS)
        kept = {job.new.id for job in running if job.token == request.token}
        if kept:
            result = self.run(self.store.claim(replace(request, repeated=True)))
            assert {claim.job_id for claim in result.claims} == kept, (
                "a repeated claim returns what it has and takes no more"
            )

    @precondition(lambda self: self.claims)
    @rule(index=index, times=times)
    def complete(self, index: int, times: int) -> None:
        claim = self.any_claim(index)
        end = End(
            token=claim.token,
            outcome=Outcome.SUCCEEDED,
            status=_S.COMPLETED,
            forced=True,
        )
        self.do_end(claim, lifecycle.complete(claim, b"1"), end, times)

    @precondition(lambda self: self.claims)
    @rule(
        index=index,
        hours=st.sampled_from([None, 0, 1, 2]),
        outcome=st.sampled_from([Outcome.FAILED, Outcome.TIMED_OUT]),
        times=times,
    )
    def fail(self, index: int, hours: int | None, outcome: Outcome, times: int) -> None:
        claim = self.any_claim(index)
        delay = None if hours is None else hours * HOUR
        retried = claim.job.failures < claim.job.max_retries
        end = End(
            token=claim.token,
            outcome=outcome,
            status=_S.FAILED,
            delay=hours if retried else None,
            failed=True,
        )
        write = lifecycle.fail(claim, ERROR, outcome, delay)
        self.do_end(claim, write, end, times)

    @precondition(lambda self: self.claims)
    @rule(index=index, times=times)
    def release(self, index: int, times: int) -> None:
        claim = self.any_claim(index)
        end = End(token=claim.token, outcome=Outcome.RELEASED, status=_S.QUEUED)
        self.do_end(claim, lifecycle.release(claim), end, times)

    @precondition(lambda self: self.claims)
    @rule(index=index, hours=st.integers(0, 2), times=times)
    def snooze(self, index: int, hours: int, times: int) -> None:
        claim = self.any_claim(index)
        end = End(
            token=claim.token,
            outcome=Outcome.RELEASED,
            status=_S.SCHEDULED,
            delay=hours,
            files=False,
        )
        self.do_end(claim, lifecycle.snooze(claim, hours * HOUR), end, times)

    @precondition(lambda self: self.claims)
    @rule(index=index, size=st.integers(1, 4), hours=st.integers(1, 4))
    def renew(self, index: int, size: int, hours: int) -> None:
        chosen = [self.any_claim(index + number) for number in range(size)]
        asked = list({claim.job_id: claim for claim in chosen}.values())
        renewal = self.run(self.store.renew(asked, hours * HOUR))
        renewed, requested = self.model.renew(
            {claim.job_id: claim.token for claim in asked}, hours
        )
        lost = {claim.job_id for claim in asked} - renewed
        assert renewal.lost == lost, "renew tells what is lost"
        assert renewal.requested == requested, "renew tells of cancel requests"

    @rule(hours=st.integers(1, 3))
    def pass_hours(self, hours: int) -> None:
        pass_time(self.store, hours * HOUR)
        self.model.now += hours

    @rule(limit=st.integers(1, 3), times=times)
    def lose(self, limit: int, times: int) -> None:
        claims = self.run(self.store.expired(limit))
        running = self.model.having(_S.IN_PROGRESS)
        late = {job.new.id: job for job in running if job.lease <= self.model.now}
        ids = [claim.job_id for claim in claims]
        assert late.keys() >= set(ids), "expired finds what ran out"
        expected = sorted(job.lease for job in late.values())[:limit]
        leases = [late[job_id].lease for job_id in ids]
        assert leases == expected, "expired finds the oldest first"
        for claim in claims:
            self.do_lose(claim, times)

    @precondition(lambda self: self.claims)
    @rule(index=index)
    def lose_unasked(self, index: int) -> None:
        self.do_lose(self.any_claim(index), times=1)

    @rule(limit=st.integers(1, 3))
    def promote(self, limit: int) -> None:
        scheduled = self.model.having(_S.SCHEDULED)
        due = {job.new.id: job for job in scheduled if job.due <= self.model.now}
        promotion = self.run(self.store.promote(limit))
        queued = [job for job in self.stored(*due) if job.status is _S.QUEUED]
        assert len(queued) == min(limit, len(due)), "promote queues what is due"
        assert promotion.promoted == len(queued), "promote says how many"
        for job in queued:
            self.model.move(due[job.id], _S.QUEUED)
        waiting = self.model.next_due_in()
        told = promotion.next_due_in
        assert (told is None) is (waiting is None)
        if told is not None and waiting is not None:
            assert -(-told // HOUR) == waiting, "promote says when the next is due"

    @rule(index=index, running=st.booleans())
    def cancel(self, index: int, running: bool) -> None:  # noqa: FBT001 - drawn by name
        statuses = {_S.IN_PROGRESS} if running else UNFINISHED
        if job := self.any_job(index, *statuses):
            self.do_cancel(job)

    @precondition(lambda self: self.any_job(0, *TERMINAL))
    @rule(index=index)
    def retry(self, index: int) -> None:
        if job := self.any_job(index, *TERMINAL):
            self.do_retry(job)

    @precondition(lambda self: self.any_job(0, *WAITING))
    @rule(index=index, queue=st.sampled_from(QUEUES), priority=st.integers(-1, 1))
    def move(self, index: int, queue: str, priority: int) -> None:
        if job := self.any_job(index, *WAITING):
            self.do_move(job, queue, priority)

    @precondition(lambda self: self.any_job(0, _S.HELD))
    @rule(index=index)
    def approve(self, index: int) -> None:
        job = self.any_job(index, _S.HELD)
        if job and job.held_by == lifecycle.APPROVAL:
            self.do_approve(job)

    @rule(statuses=st.frozensets(st.sampled_from(JobStatus), min_size=1, max_size=2))
    def delete(self, statuses: frozenset[JobStatus]) -> None:
        deleted = self.run(self.store.delete(Filter(statuses=statuses), 1000))
        assert deleted == self.model.delete(statuses), "delete says how many"


def store_state_machine(
    open_store: Callable[[], AbstractAsyncContextManager[JobStore]],
    *,
    partitioned: bool = False,
) -> type[RuleBasedStateMachine]:
    """The machine for the stores that *open_store* opens: each time a new, empty one.
    Its `TestCase` is a test; give that `settings` of your choice. Of one that is
    *partitioned*, no order is expected."""

    class Machine(StoreMachine):
        pass

    Machine.open_store = staticmethod(open_store)
    Machine.partitioned = partitioned
    return Machine
