"""The store of a simulation, as a server: it performs calls, and everything that can
befall a call befalls it here."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

from jobcore.errors import StoreNotOpenError, StoreUnavailableError
from jobcore.job import NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.simulation.faults import (
    NO_FAULTS,
    OF_PROCESSES,
    Fault,
    Faults,
    Meetings,
)
from jobcore.testing.simulation.history import Call, Change, History, event_of
from jobcore.testing.simulation.loop import NotSimulatedError, SimulatedLoop
from jobcore.testing.simulation.process import CALLER, Process
from jobcore.testing.simulation.weight import weight
from jobcore.transition import Answer, Transition

A = TypeVar("A")
T = TypeVar("T")

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""What the clock of the store shows when a simulation begins."""

_MOVERS: Final = frozenset({"claim", "promote", "lift", "delete"})
"""The verbs of which only the store knows which jobs they change."""

Act = Callable[[], Awaitable[Any]]
Strike = Callable[[Fault, Process, "asyncio.Task[Any] | None"], None]
"""Lets a fault befall a process, or the task in it that waits for the call."""


class Server:
    """Performs calls on a store, one after the other, whatever becomes of the callers.

    A call travels for a while, is performed in one step, and its answer travels back.
    What changed is found by looking at the jobs, so that nothing is asked of the store
    but its contract, and that no method awaits anything.
    """

    def __init__(
        self,
        store: JobStore,
        loop: SimulatedLoop,
        random: Random,
        history: History,
        strike: Strike,
    ) -> None:
        self.store = store
        self._strike = strike
        self.faults: Faults = NO_FAULTS
        self.meetings: Meetings = Meetings()
        self._loop = loop
        self._random = random
        self._history = history
        self._jobs = history.jobs
        self._jumped = timedelta(0)
        self._pending: defaultdict[tuple[str, str], list[Fault]] = defaultdict(list)
        self._ids = 0
        self._is_open = True

    def open(self) -> None:
        """Set the clock of the store, which shows the time of the machine."""
        (probe,) = done(self.store.insert([NewJob(task="clock", id="clock")]))
        done(self.store.delete(Filter(ids=("clock",)), 1))
        self.store.offset += EPOCH - probe.job.created_at

    def close(self) -> None:
        """Perform no more calls."""
        self._is_open = False

    def clock(self) -> datetime:
        """What the clock of the store shows."""
        return EPOCH + timedelta(seconds=self._loop.elapsed) + self._jumped

    def jump(self, length: timedelta) -> None:
        """Let the clock of the store jump."""
        self._jumped += length
        self.store.offset += length

    def new_id(self) -> str:
        """Short and rising, so that people can follow a job through a history."""
        self._ids += 1
        return f"job-{self._ids:04}"

    def misses_a_hint(self) -> bool:
        """Whether a worker that waits is to be woken by nothing but the time."""
        return self._random.random() < self.faults.probability

    def call(
        self,
        process: Process,
        verb: str,
        asked: Any,
        act: Act,
        again: Act | None = None,
    ) -> asyncio.Future[Any]:
        """The answer to a call of *process*, performed once more by *again* where it
        differs."""
        if not self._is_open:
            raise StoreNotOpenError("the simulation is over")
        call = Call(process.name, verb, asked, self._loop.elapsed)
        self._history.calls.append(call)
        answer = self._loop.create_future()
        fault = self.faults.draw(self._random, weight(verb, asked, self._jobs))
        travel = self._random.random() * 0.01
        if fault is None:
            self._loop.after(travel, self._serve, call, answer, act)
            return answer
        call.faults.append(fault)
        if fault is Fault.DELAY:
            travel += self.long()
        caller = CALLER.get()
        hit = partial(self._hit, fault, process, caller)
        self._loop.after(travel, self._serve_badly, call, answer, act, again, hit)
        return answer

    def _serve(self, call: Call, answer: asyncio.Future[Any], act: Act) -> None:
        self._perform(call, act)
        self._meet(call)
        travel = self._random.random() * 0.02 - 0.01
        if travel <= 0:
            self._reply(call, answer)
        else:
            self._loop.after(travel, self._reply, call, answer)

    def _serve_badly(
        self,
        call: Call,
        answer: asyncio.Future[Any],
        act: Act,
        again: Act | None,
        hit: Callable[[], None],
    ) -> None:
        fault = Fault(call.faults[0])
        early = self._random.random() < 0.5
        if fault is Fault.LOST_REQUEST:
            self._pending[call.process, call.verb].append(fault)
            call.error = StoreUnavailableError("the request was lost")
        else:
            if early:
                hit()
            self._perform(call, act)
            if fault is Fault.TWICE and call.error is None:
                first = call.answer
                self._perform(call, again or act)
                call.answer, call.second_answer = first, call.answer
            if fault is Fault.LOST_ANSWER:
                call.error = StoreUnavailableError("the answer was lost")
            if not early:
                hit()
            self._meet(call)
        travel = self.long() if fault is Fault.DELAY and early else 0.0
        self._loop.after(travel, self._reply, call, answer)

    def _hit(
        self, fault: Fault, process: Process, caller: asyncio.Task[Any] | None
    ) -> None:
        if fault is Fault.JUMP:
            self.jump(self._random.uniform(-1.5, 2) * self._lease)
        elif fault in OF_PROCESSES:
            self._strike(fault, process, caller)

    def _reply(self, call: Call, answer: asyncio.Future[Any]) -> None:
        if answer.done():
            return
        call.answered_at = self._loop.elapsed
        if call.error is None:
            answer.set_result(call.answer)
        else:
            answer.set_exception(call.error)
            answer.exception()  # a caller that is gone by then is no fault

    def _perform(self, call: Call, act: Act) -> None:
        again = call.performed_at is not None
        if not again:
            self._history.performed.append(call)
        call.performed_at = self._loop.elapsed
        call.clock = self.clock()
        try:
            if call.verb == "apply":
                call.answer = self._apply(call, again=again)
            else:
                call.answer = done(act())
                self._compare(call, self._touched(call), {}, again=again)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            call.error = error

    def _apply(self, call: Call, *, again: bool) -> list[Answer]:
        """Apply a batch, in parts that have each job once, so that it is known which
        write changed what."""
        answers: dict[int, Answer] = {}
        waiting: list[tuple[int, Transition]] = list(enumerate(call.asked))
        while waiting:
            part: dict[str, tuple[int, Transition]] = {}
            for numbered in waiting:
                part.setdefault(numbered[1].job_id, numbered)
            numbers = {number for number, _ in part.values()}
            waiting = [each for each in waiting if each[0] not in numbers]
            writes: dict[str, Transition] = {}
            given = done(self.store.apply([write for _, write in part.values()]))
            for (number, write), answer in zip(part.values(), given, strict=True):
                answers[number] = answer
                if answer is Answer.APPLIED:
                    writes[write.job_id] = write
            self._compare(call, list(part), writes, again=again)
        return [answers[number] for number in sorted(answers)]

    def _touched(self, call: Call) -> list[str]:
        """The jobs that a call may have changed."""
        if call.verb in _MOVERS:
            return list(self._jobs) if _moved(call.answer) else []
        if call.verb == "renew":
            return [each.job_id for each in call.asked]
        if call.verb == "insert":
            return [each.id for each in call.asked]
        if call.verb == "fire":
            asked = [each.id for each in call.asked.jobs]
            answered = [each.job.id for each in call.answer or ()]
            return list(dict.fromkeys(asked + answered))
        return []

    def _compare(
        self,
        call: Call,
        ids: Sequence[str],
        writes: dict[str, Transition],
        *,
        again: bool,
    ) -> None:
        known = self._jobs
        if not ids:
            return
        for job_id, after in zip(ids, done(self.store.get(ids)), strict=True):
            before = known.get(job_id)
            if after is before or after == before:
                continue
            write = writes.get(job_id)
            event = event_of(call.verb, before, after, write)
            call.changes.append(Change(before, after, event, write, again))
            if after is None:
                del known[job_id]
            else:
                known[job_id] = after

    def _meet(self, call: Call) -> None:
        if not call.changes:
            return
        pending = self._pending.pop((call.process, call.verb), ())
        faults = [Fault(each) for each in (*call.faults, *pending)]
        if faults:
            self.meetings.note(faults, (change.event for change in call.changes))

    @property
    def _lease(self) -> timedelta:
        return self._history.config.job_claim_timeout

    def long(self) -> float:
        """How long a fault lasts: often less than a lease, sometimes more."""
        length = self._random.uniform(0.05, 1.5) * self._lease.total_seconds()
        return self._loop.lasting(length)


def done(coroutine: Awaitable[T]) -> T:
    """The result of a method that awaits nothing."""
    if not isinstance(coroutine, Coroutine):
        raise NotSimulatedError("stores whose methods are not async functions")
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise NotSimulatedError("stores that wait for something")


def _moved(answer: object) -> bool:
    """Whether a claim, promotion, lift or deletion says that it changed a job."""
    examined = getattr(answer, "examined", None)
    if examined is not None:
        return bool(examined)
    promoted = getattr(answer, "promoted", answer)
    return bool(promoted)
