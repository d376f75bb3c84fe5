"""How a machine does one thing to a store and to the model, and compares both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from jobcore import lifecycle
from jobcore.abilities import QueueControl, ScheduleStore, Verifiable
from jobcore.attempt import Outcome
from jobcore.claim import Claim, ClaimRequest
from jobcore.job import TERMINAL, Inserted, Job, JobStatus, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.model import HOUR, MAX_LOST, QUEUES, End, Model, ModelJob
from jobcore.testing.work import ERROR, a_job, a_token, found, named
from jobcore.transition import Answer, Transition

T = TypeVar("T")


class Comparison(RuleBasedStateMachine):
    """A store and its model in one event loop; both agree after each rule."""

    open_store: ClassVar[Callable[[], AbstractAsyncContextManager[JobStore]]]
    partitioned: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.resources: AsyncExitStack[bool | None] = AsyncExitStack()
        self.model: Model = Model()
        self.claims: list[Claim] = []
        self.requests: list[ClaimRequest] = []
        self.store: JobStore
        self.began: datetime
        self.store, self.began = self.run(self._open())
        self.control: QueueControl | None = self.store.ability(QueueControl)
        self.schedules: ScheduleStore | None = self.store.ability(ScheduleStore)
        self.verifiable: Verifiable | None = self.store.ability(Verifiable)
        self.model.controlled = self.control is not None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.resources.aclose())
        self.loop.close()

    async def _open(self) -> tuple[JobStore, datetime]:
        store = await self.resources.enter_async_context(type(self).open_store())
        (answer,) = await store.insert([named(store, a_job())])
        await store.delete(Filter(ids=(answer.job.id,)), 1)
        return store, answer.job.created_at

    def do_insert(self, jobs: list[NewJob]) -> None:
        self.are_inserted(jobs, self.run(self.store.insert(jobs)))

    def are_inserted(self, jobs: Sequence[NewJob], answers: Sequence[Inserted]) -> None:
        for job, answer in zip(jobs, answers, strict=True):
            there = self.model.insert(job)
            assert answer.created is (there is None), "insert takes an id or key once"
            assert answer.job.id == (there or job.id), "insert answers with the holder"

    def do_claim(self, request: ClaimRequest) -> None:
        before = {job.new.id for job in self.model.having(JobStatus.HELD)}
        result = self.run(self.store.claim(request))
        claimed = [claim.job_id for claim in result.claims]
        if self.partitioned:
            self._take(claimed, request)
        else:
            expected = self.model.claim(request.token, request.queues, request.limit)
            assert claimed == expected, "claim takes the first that may start, in order"
        self.claims += result.claims
        beyond = {job.new.id: job for job in self.model.line(request.queues)}
        for job in self.stored(*beyond):
            obstacle = self.model.obstacle(beyond[job.id])
            if job.status is JobStatus.HELD and obstacle is not None:
                self.model.hold(beyond[job.id], obstacle)
        held = {job.new.id for job in self.model.having(JobStatus.HELD)} - before
        assert result.held == len(held), "claim says how many it holds"

    def _take(self, claimed: list[str], request: ClaimRequest) -> None:
        """Let the model take what was *claimed* in an order of its own."""
        for job_id in claimed:
            line = {job.new.id: job for job in self.model.line(request.queues)}
            assert job_id in line, "claim takes what is queued"
            assert self.model.obstacle(line[job_id]) is None, "claim asks for obstacles"
            self.model.start(line[job_id], request.token)
        left = map(self.model.obstacle, self.model.line(request.queues))
        assert len(claimed) == request.limit or all(left), "claim takes what may start"

    def do_end(self, claim: Claim, write: Transition, end: End, times: int) -> None:
        expected = [self.model.end(claim.job_id, end) for _ in range(times)]
        answers = self.run(self.store.apply([write] * times))
        assert answers == expected, f"apply answers {write.outcome}"
        if Answer.CANCEL_REQUEST in answers:
            write = lifecycle.acknowledge(write, claim)
            canceled = replace(end, status=JobStatus.CANCELED, delay=None)
            end = replace(canceled, forced=True, files=True)
            self.do_end(claim, write, end, times)

    def do_lose(self, claim: Claim, times: int) -> None:
        token = a_token()
        last = claim.job.losses + 1 >= MAX_LOST
        requested = claim.job.cancel_requested_at is not None
        end = End(
            token=token,
            expect=claim.token,
            outcome=Outcome.LOST,
            status=JobStatus.CANCELED if requested else JobStatus.FAILED,
            delay=None if last or requested else 1,
            lost=True,
            forced=requested,
        )
        write = lifecycle.lose(claim, token, ERROR, HOUR, MAX_LOST)
        self.do_end(claim, write, end, times)

    def do_cancel(self, job: ModelJob) -> None:
        token, (stored,) = a_token(), self.stored(job.new.id)
        self.do_operate(lifecycle.cancel(stored, token), Answer.APPLIED)
        self.model.cancel(job, token)

    def do_retry(self, job: ModelJob) -> None:
        token, (stored,) = a_token(), self.stored(job.new.id)
        write = lifecycle.retry(stored, token)
        self.do_operate(write, self.model.retry(job, token))

    def do_move(self, job: ModelJob, queue: str, priority: int) -> None:
        (stored,) = self.stored(job.new.id)
        write = lifecycle.move(stored, {"queue": queue, "priority": priority})
        self.do_operate(write, Answer.APPLIED)
        job.new = replace(job.new, queue=queue, priority=priority)

    def do_approve(self, job: ModelJob) -> None:
        (stored,) = self.stored(job.new.id)
        self.do_operate(lifecycle.approve(stored), Answer.APPLIED)
        self.model.move(job, JobStatus.SCHEDULED)

    def do_operate(self, write: Transition, expected: Answer) -> None:
        answers = self.run(self.store.apply([write, write]))
        assert answers[0] is expected, "apply answers an operator"
        if write.token is not None:
            assert answers[1] is expected, "apply answers a repeat alike"

    def stored(self, *ids: str) -> list[Job]:
        """The jobs of *ids* that the store has, as it has them now."""
        return [job for job in self.run(self.store.get(ids)) if job is not None]

    def any_job(self, index: int, *statuses: JobStatus) -> ModelJob | None:
        """One of the jobs that have one of *statuses*, the latest for 0."""
        jobs = [job for job in self.model.jobs.values() if job.status in statuses]
        return jobs[-1 - index % len(jobs)] if jobs else None

    def any_claim(self, index: int) -> Claim:
        """One of the claims that are current for small numbers, else an older one."""
        tokens = {job.new.id: job.token for job in self.model.jobs.values()}
        claims = sorted(
            self.claims, key=lambda each: tokens.get(each.job_id) == each.token
        )
        return claims[-1 - index % len(claims)]

    @invariant()
    def every_job_agrees(self) -> None:
        listed = self.run(found(self.store))
        expected = sorted(self.model.jobs, reverse=True)
        assert [job.id for job in listed] == expected, "find shows every job once"
        jobs = self.run(self.store.get(expected, attempts=True))
        for job, again in zip(jobs, listed, strict=True):
            assert job is not None
            assert job.model_copy(update={"attempts": ()}) == again
            self._job_agrees(job, self.model.jobs[job.id])

    @invariant()
    def statistics_agree(self) -> None:
        statistics = self.run(self.store.statistics())
        for queue in QUEUES:
            for status in JobStatus:
                jobs = self.model.having(status)
                expected = sum(job.new.queue == queue for job in jobs)
                assert statistics.count(status, queue) == expected, (queue, status)

    @invariant()
    def no_key_runs_more_than_it_may(self) -> None:
        running = self.model.having(JobStatus.IN_PROGRESS)
        keys = [job.new.limit_key for job in running if job.new.limit_key]
        for key in keys:
            assert keys.count(key) <= self.model.most(key), f"{key} runs too often"

    @invariant()
    def the_store_is_sound(self) -> None:
        if self.verifiable is not None:
            assert self.run(self.verifiable.verify()).findings == {}

    def _job_agrees(self, job: Job, model: ModelJob) -> None:
        model.due_at = job.due_at
        told = {
            "status": job.status,
            "held by": job.held_by,
            "attempt": job.attempt,
            "failures": job.failures,
            "losses": job.losses,
            "generation": job.generation,
            "canceling": job.cancel_requested_at is not None,
            "outcome": job.outcome,
            "due": self._hour(job.due_at),
            "lease": self._hour(job.lease_until),
            "finished": self._hour(job.finished_at),
            "attempts": {
                each.number: each.outcome for each in job.attempts if each.outcome
            },
        }
        running = model.status is JobStatus.IN_PROGRESS
        expected = {
            "status": model.status,
            "held by": model.held_by,
            "attempt": model.attempt,
            "failures": model.failures,
            "losses": model.losses,
            "generation": model.generation,
            "canceling": model.requested,
            "outcome": model.outcome,
            "due": model.due,
            "lease": model.lease if running else None,
            "finished": model.ended if model.status in TERMINAL else None,
            "attempts": model.history(),
        }
        assert told == expected, "the job is as the rules make it"

    def _hour(self, instant: datetime | None) -> int | None:
        return None if instant is None else (instant - self.began) // HOUR
