"""What a manager does about schedules: keep them, and make a job of each tick."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from jobcore import checks
from jobcore.abilities import ScheduleRecord, ScheduleStore, WorkerDirectory
from jobcore.calls import StoreCalls
from jobcore.errors import (
    InvalidJobError,
    JobcoreError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    UnsupportedError,
)
from jobcore.events import Event, EventKind, Events
from jobcore.identity import Tick, new_token
from jobcore.job import Inserted, Limit, NewJob
from jobcore.recurrence import Cron, Every, Overlap
from jobcore.request import JobRequest, SubmitOptions
from jobcore.schedule import Fired, Schedule
from jobcore.store import JobStore

_logger = logging.getLogger("jobcore.schedules")

_TRIES: Final = 20
_AT_ONCE: Final = 100
"""How many schedules are looked at in one call."""
_REST: Final = timedelta(hours=1)
"""How long a schedule rests whose ticks cannot be told here."""
_ONE_AT_A_TIME: Final = Limit(concurrency=1)

NewJobs = Callable[[Sequence[JobRequest[Any]], SubmitOptions], list[NewJob]]


class Recurring:
    """The schedules of one manager's store. *new_jobs* checks requests for it, and ids
    and revisions come from *random*."""

    def __init__(
        self,
        store: JobStore,
        calls: StoreCalls,
        new_jobs: NewJobs,
        random: Random,
        events: Events,
    ) -> None:
        self._events = events
        self._store = store
        self._calls = calls
        self._new_jobs = new_jobs
        self._random = random
        self.changed: asyncio.Event = asyncio.Event()
        """Set when this manager has written a schedule: another may be due next."""

    async def schedule(
        self,
        name: str,
        request: JobRequest[Any],
        recurrence: Cron | Every,
        *,
        declared: bool,
    ) -> Schedule:
        """Let there be this schedule. One that is as it is told to be stays so."""
        checks.check_name("schedule", name)
        if not isinstance(recurrence, Cron | Every):
            raise InvalidJobError("recurrence", "must be a Cron or an Every")
        for when in ("run_at", "delay"):
            if when in request.options:
                raise InvalidJobError(when, "is told by the ticks")
        (new,) = self._jobs_of(name, recurrence, request)
        told = Schedule(
            name=name,
            task=new.task,
            arguments=from_json(new.payload),
            options=request.options,
            recurrence=recurrence,
            declared=declared,
            created_at=checks.EARLIEST,
        )

        def succeed(there: Schedule | None, now: datetime) -> Schedule:
            return told.succeeding(there, now)

        return await self._change(name, succeed)

    async def unschedule(self, name: str) -> None:
        """Remove a schedule; its jobs stay."""
        checks.check_name("schedule", name)
        schedules = self._schedules()
        if not await self._calls.call(lambda: schedules.unschedule(name)):
            raise ScheduleNotFoundError(name)
        self.changed.set()

    async def all(self) -> list[Schedule]:
        """Every schedule that can be read here, by name."""
        records = await self._calls.call(self._schedules().schedules)
        return [schedule for each in records if (schedule := _read(each))]

    async def pause(self, name: str, *, paused: bool) -> Schedule:
        """Let the schedule have no ticks, or again those that come from now on."""

        def pause(there: Schedule | None, now: datetime) -> Schedule:
            if there is None:
                raise ScheduleNotFoundError(name)
            if there.paused is paused:
                return there
            return there.changed(paused=paused).resumed(now)

        return await self._change(name, pause)

    async def trigger(
        self, name: str, key: str | None, options: SubmitOptions
    ) -> NewJob:
        """What is to be inserted for a run of the schedule that has no tick."""
        record = await self._find(name)
        schedule = None if record is None else _read(record)
        if schedule is None:
            raise ScheduleNotFoundError(name)
        request = schedule.request.with_options(**options)
        (new,) = self._jobs_of(name, schedule.recurrence, request)
        tick = None
        if key is not None:
            checks.check_key("key", key)
            tick = Tick(name, schedule.created_at, key)
        return new.named(self._store.new_id(new, tick))

    async def fire(self) -> Fired:
        """Make the jobs of all ticks that have come, and say how many."""
        schedules = self._store.ability(ScheduleStore)
        if schedules is None:
            return Fired()
        due = await self._calls.call(lambda: schedules.due_schedules(_AT_ONCE))
        if not due.schedules:
            return Fired(next_due_in=due.next_due_in)
        known = await self._known_tasks()
        jobs = 0
        for record in due.schedules:
            jobs += await self._fire(schedules, record, due.now, known)
        return Fired(jobs, due.next_due_in)

    async def _fire(
        self,
        schedules: ScheduleStore,
        record: ScheduleRecord,
        now: datetime,
        known: Set[str] | None,
    ) -> int:
        """Make the jobs of one schedule, unless another manager has; whatever is wrong
        with it holds up no other."""
        try:
            after, jobs, skipped = self._firing(record, now, known)
        except JobcoreError as error:
            _logger.error("schedule %s rests: %s", record.name, error)  # noqa: TRY400 - it tells what is wrong
            rested = replace(record, due_at=now + _REST, revision=self._revision())
            await self._write(schedules, rested, record.revision)
            return 0
        wanted = self._record(after)
        written = await self._write(schedules, wanted, record.revision, jobs)
        if written is None:
            return 0
        if skipped is not None:
            self._tell_skipped(after.name, skipped)
        return self._tell_fired(after.name, jobs, written)

    def _firing(
        self, record: ScheduleRecord, now: datetime, known: Set[str] | None
    ) -> tuple[Schedule, list[NewJob], str | None]:
        """What the schedule becomes, the jobs of its ticks, and why others have
        none."""
        schedule = _read(record)
        if schedule is None:
            raise InvalidJobError("data", "cannot be read here")
        if known is not None and schedule.task not in known:
            after = schedule.changed(orphaned=True).resumed(now)
            return after, [], f"no worker has task {schedule.task}"
        firing = schedule.fired(now)
        after = firing.schedule.changed(orphaned=False)
        jobs = [self._job_of(schedule, tick) for tick in firing.ticks]
        return after, jobs, "ticks were missed" if firing.skipped else None

    def _tell_fired(
        self, name: str, jobs: Sequence[NewJob], written: Sequence[Inserted]
    ) -> int:
        """Tell which jobs were made, and say how many."""
        made = 0
        for new, each in zip(jobs, written, strict=True):
            if each.job.id == new.id:
                made += 1
                self._events.tell(
                    Event(EventKind.SCHEDULE_FIRED, each.job, schedule=name)
                )
            else:
                detail = f"job {each.job.id} is not finished"
                self._tell_skipped(name, detail)
        return made

    def _tell_skipped(self, name: str, detail: str) -> None:
        event = Event(EventKind.SCHEDULE_SKIPPED, schedule=name, detail=detail)
        self._events.tell(event)

    def _job_of(self, schedule: Schedule, tick: datetime) -> NewJob:
        request = schedule.request.with_options(
            run_at=schedule.due_for(tick), labels={"tick": tick.isoformat()}
        )
        (new,) = self._jobs_of(schedule.name, schedule.recurrence, request)
        return new.named(self._store.new_id(new, Tick(schedule.name, tick)))

    def _jobs_of(
        self, name: str, recurrence: Cron | Every, request: JobRequest[Any]
    ) -> list[NewJob]:
        """The job of *request* with what a schedule adds to it."""
        options = SubmitOptions(labels={"schedule": name})
        if recurrence.overlap is Overlap.SKIP:
            options["unique_key"] = f"schedule:{name}"
        elif recurrence.overlap is Overlap.WAIT:
            options["limit_key"], options["limit"] = f"schedule:{name}", _ONE_AT_A_TIME
        if taken := options.keys() & request.options.keys() - {"labels"}:
            problem = f"is the schedule's own where overlap is {recurrence.overlap}"
            raise InvalidJobError(min(taken), problem)
        return self._new_jobs([request], options)

    async def _known_tasks(self) -> Set[str] | None:
        """The tasks that some worker has; None where that cannot be known, as also
        while no worker lives, of whom some will return."""
        directory = self._store.ability(WorkerDirectory)
        if directory is None:
            return None
        workers = await self._calls.call(directory.workers)
        return {task for worker in workers for task in worker.tasks} or None

    async def _change(
        self, name: str, change: Callable[[Schedule | None, datetime], Schedule]
    ) -> Schedule:
        """Let a schedule be what *change* makes of it, whatever it is by then. One that
        cannot be read is as good as none, and may be replaced."""
        schedules = self._schedules()
        for _ in range(_TRIES):
            record = await self._find(name)
            now = (await self._calls.call(lambda: schedules.due_schedules(1))).now
            there = None if record is None else _read(record)
            wanted = change(there, now)
            if wanted == there:
                return wanted
            expected = None if record is None else record.revision
            written = await self._write(schedules, self._record(wanted), expected)
            if written is not None:
                return wanted
        raise ScheduleConflictError(name)

    async def _find(self, name: str) -> ScheduleRecord | None:
        schedules = self._schedules()
        checks.check_name("schedule", name)
        records = await self._calls.call(lambda: schedules.schedules([name]))
        return records[0] if records else None

    async def _write(
        self,
        schedules: ScheduleStore,
        record: ScheduleRecord,
        expected: str | None,
        jobs: Sequence[NewJob] = (),
    ) -> list[Inserted] | None:
        written = await self._calls.call(lambda: schedules.fire(record, expected, jobs))
        if written is not None:
            self.changed.set()
        return written

    def _record(self, schedule: Schedule) -> ScheduleRecord:
        return ScheduleRecord(
            name=schedule.name,
            revision=self._revision(),
            data=schedule.model_dump_json(exclude={"due_at"}).encode(),
            due_at=schedule.due_at,
        )

    def _revision(self) -> str:
        return new_token(self._random)

    def _schedules(self) -> ScheduleStore:
        found = self._store.ability(ScheduleStore)
        if found is None:
            raise UnsupportedError(type(self._store).__name__, ScheduleStore.__name__)
        return found


def _read(record: ScheduleRecord) -> Schedule | None:
    """None where this release cannot make anything of it."""
    try:
        schedule = Schedule.model_validate_json(record.data)
    except (ValidationError, InvalidJobError) as error:
        _logger.warning("schedule %s cannot be read: %s", record.name, error)
        return None
    return schedule.changed(due_at=record.due_at)
