"""What clients may do next in the scenario that jobcore is tested with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.default_manager import DefaultJobManager
from jobcore.errors import InvalidJobError, JobcoreError
from jobcore.job import TERMINAL, UNFINISHED, JobStatus, Limit
from jobcore.query import Filter
from jobcore.recurrence import Cron, Every, Misfire, Overlap
from jobcore.request import JobRequest, SubmitOptions
from jobcore.retry import never
from jobcore.testing.simulation.service import Client, InterruptedCallError
from jobcore.testing.simulation.steps import QUEUES, STEPS, StepError
from jobcore.testing.simulation.world import World

TASKS: Final = ("greet", "greet", "send", "send", "rare")
SCHEDULES: Final = ("nightly", "hourly")
KEYS: Final = ("acme", "paced", "paced", "shut")
LIMITS: Final = {
    "acme": Limit(concurrency=2),
    "paced": Limit(rate=3, period=timedelta(seconds=1), burst=2),
    "shut": Limit(concurrency=1, rate=20),
}


class Chances:
    """What clients may do next."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random
        self._lease = world.config.job_claim_timeout.total_seconds()
        self._acts: list[Callable[[DefaultJobManager], Awaitable[object]]] = [
            *[self._submit] * 8,
            *[self._submit_many] * 3,
            *[self._cancel] * 3,
            *[self._cancel_running] * 3,
            *[self._retry] * 3,
            *[self._work_by_hand] * 4,
            *[self._delete] * 2,
            *[self._sweep] * 3,
            self._pause,
            self._pause,
            self._limit,
            *[self._schedule] * 3,
            self._unschedule,
            self._pause_schedule,
            self._trigger,
            self._result,
            self._look,
            self._submit_nonsense,
        ]
        theme = self._random.choice(self._acts)
        self._acts += [theme] * self._random.choice((0, 10))

    async def take(self, client: Client) -> None:
        """Do one of them; what jobcore says to that is expected."""
        with suppress(JobcoreError, InterruptedCallError, TimeoutError):
            await client.call(self._random.choice(self._acts))

    async def approve_all(self, client: Client) -> None:
        """Let go what waits for approval, as else it would wait for ever."""
        with suppress(JobcoreError, InterruptedCallError):
            await client.call(lambda jobs: jobs.matching(Filter()).approve())

    async def _submit(self, jobs: DefaultJobManager) -> None:
        await jobs.submit(self._request(), **self._options())

    async def _submit_many(self, jobs: DefaultJobManager) -> None:
        requests = [self._request() for _ in range(self._random.randint(1, 5))]
        await jobs.submit_many(requests, **self._options())

    async def _cancel(self, jobs: DefaultJobManager) -> None:
        await jobs.cancel(self._any_job(*UNFINISHED))

    async def _cancel_running(self, jobs: DefaultJobManager) -> None:
        await jobs.cancel(self._any_job(JobStatus.IN_PROGRESS))

    async def _retry(self, jobs: DefaultJobManager) -> None:
        await jobs.retry(self._any_job(*TERMINAL))

    async def _delete(self, jobs: DefaultJobManager) -> None:
        await jobs.delete(self._any_job(*JobStatus))

    async def _sweep(self, jobs: DefaultJobManager) -> None:
        random = self._random
        wanted = random.choice(
            (
                Filter(),
                Filter(task="greet"),
                Filter(queue="mail"),
                Filter(statuses=frozenset({JobStatus.FAILED, JobStatus.HELD})),
            )
        )
        matching = jobs.matching(wanted, actor="operator")
        match random.randrange(6):
            case 0:
                await matching.cancel()
            case 1:
                await matching.retry(random.choice((None, self._plan())))
            case 2:
                await matching.move(queue=random.choice(QUEUES))
            case 3:
                await matching.move(priority=random.randint(-1, 1))
            case 4:
                await matching.approve()
            case _:
                await matching.count()

    async def _pause(self, jobs: DefaultJobManager) -> None:
        named = self._random.choice(({"task": "greet"}, {"queue": "mail"}))
        await jobs.pause(**named)
        await asyncio.sleep(self._random.random() * 3)
        await jobs.resume(**named)

    async def _limit(self, jobs: DefaultJobManager) -> None:
        key = self._random.choice(KEYS)
        await jobs.limit(key, Limit(concurrency=self._random.randrange(3)))
        await asyncio.sleep(self._random.random() * 3)
        await jobs.limit(key, None)

    async def _schedule(self, jobs: DefaultJobManager) -> None:
        # So many jobs come of it that they must not block whole workers.
        request = JobRequest(
            self._random.choice(TASKS),
            {"plan": [self._step(("ok", "ok", "sleep", "fail"))]},
            SubmitOptions(queue=self._random.choice(QUEUES)),
        )
        await jobs.schedule(self._any_schedule(), request, self._recurrence())

    async def _unschedule(self, jobs: DefaultJobManager) -> None:
        await jobs.unschedule(self._any_schedule())

    async def _pause_schedule(self, jobs: DefaultJobManager) -> None:
        name = self._any_schedule()
        await jobs.pause(schedule=name)
        await asyncio.sleep(self._random.random() * 3)
        await jobs.resume(schedule=name)

    async def _trigger(self, jobs: DefaultJobManager) -> None:
        name, key = self._any_schedule(), self._random.choice((None, "key"))
        twice = (jobs.trigger(name, key=key) for _ in range(2))
        await asyncio.gather(*twice, return_exceptions=True)

    async def _result(self, jobs: DefaultJobManager) -> None:
        job = await jobs.get(self._any_job(*JobStatus))
        await jobs.result(job, timeout=timedelta(seconds=self._random.random() * 4))

    async def _look(self, jobs: DefaultJobManager) -> None:
        await jobs.find(Filter(queue="mail"), limit=self._random.randint(1, 9))
        await jobs.statistics()
        await jobs.prune()
        await jobs.workers()

    async def _submit_nonsense(self, jobs: DefaultJobManager) -> None:
        label = f"refused-{len(self._world.history.refused)}"
        self._world.history.refused.append(label)
        nonsense: Any = self._random.choice(
            ({"priority": 1 << 40}, {"queue": "no queue"}, {"timeout": timedelta(0)})
        )
        request = self._request().with_options(labels={"mark": label})
        with suppress(InvalidJobError):
            await jobs.submit(request, **nonsense)

    async def _work_by_hand(self, jobs: DefaultJobManager) -> None:
        """A worker without leases, which ends claims that it may have lost, twice."""
        queues = self._random.sample(QUEUES, 2)
        name = f"hand-{self._random.randrange(99)}"
        claims = (await jobs.claim(name, queues, self._random.randint(1, 3))).claims
        await asyncio.sleep(self._random.random() * 1.5 * self._lease)
        ends = [self._end(jobs, claim) for claim in claims for _ in range(2)]
        await asyncio.gather(*ends, return_exceptions=True)

    async def _end(self, jobs: DefaultJobManager, claim: Claim) -> None:
        match self._random.randrange(8):
            case 0:
                await jobs.fail(claim, StepError("by hand"))
            case 1:
                error = StepError("by hand")
                await jobs.fail(claim, error, outcome=Outcome.TIMED_OUT, retry=never())
            case 2 | 3 | 4:
                await jobs.release(claim)
            case 5:
                delay = timedelta(seconds=self._random.random() * 2)
                await jobs.snooze(claim, delay)
            case _:
                await jobs.complete(claim, "by hand")

    def _request(self) -> JobRequest[object]:
        task = self._random.choice(TASKS)
        if self._random.random() < 0.03:
            return JobRequest(task, {"plan": "nonsense"})
        return JobRequest(task, self._plan())

    def _plan(self) -> dict[str, object]:
        return {"plan": [self._step() for _ in range(3)]}

    def _step(self, steps: Sequence[str] = STEPS) -> list[object]:
        step = self._random.choice(steps)
        longest = 2 * self._lease if step in {"long", "block"} else 1.0
        return [step, round(self._random.random() * longest, 3)]

    def _options(self) -> SubmitOptions:
        random = self._random
        options = SubmitOptions(
            queue=random.choice(QUEUES),
            priority=random.randint(-1, 1),
            max_retries=random.choice((0, 1, 3)),
        )
        options.update(self._times())
        if random.random() < 0.1:
            options["approval"] = True
        if random.random() < 0.5:
            key = random.choice(KEYS)
            options["limit_key"], options["limit"] = key, LIMITS[key]
        if random.random() < 0.2:
            options["unique_key"] = random.choice("abc")
            if random.random() < 0.3:
                options["unique_scope"] = frozenset(JobStatus)
        return options

    def _times(self) -> SubmitOptions:
        random, options = self._random, SubmitOptions()
        if random.random() < 0.3:
            options["delay"] = timedelta(seconds=random.random() * 3)
        if random.random() < 0.3:
            options["timeout"] = timedelta(seconds=random.uniform(0.1, 2))
        if random.random() < 0.1:
            options["deadline"] = timedelta(seconds=random.uniform(0.5, 5))
        if random.random() < 0.1:
            options["expires_in"] = timedelta(seconds=random.uniform(0.1, 2))
        return options

    def _recurrence(self) -> Cron | Every:
        random = self._random
        misfire = random.choice((Misfire.ONCE, Misfire.SKIP, Misfire.ALL))
        overlap = random.choice(tuple(Overlap))
        most = random.choice((None, 1, 3))
        if random.random() < 0.2:
            return Cron("* * * * *", misfire=misfire, overlap=overlap, max_runs=most)
        return Every(
            timedelta(seconds=random.randint(1, 3)),
            misfire=misfire,
            overlap=overlap,
            max_runs=most,
            jitter=timedelta(seconds=random.choice((0.0, 0.0, 0.5))),
        )

    def _any_schedule(self) -> str:
        return self._random.choice(SCHEDULES)

    def _any_job(self, *statuses: JobStatus) -> str:
        jobs = self._world.jobs.values()
        some = [job.id for job in jobs if job.status in statuses]
        return self._random.choice(some) if some else "unknown"
