"""Random work on a store: every kind of act, in an order that a seed decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

from jobcore import lifecycle
from jobcore.abilities import QueueControl
from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.job import TERMINAL, WAITING, JobStatus, Limit, NewJob
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.work import (
    ERROR,
    a_job,
    a_token,
    claimed,
    found,
    inserted,
    pass_time,
)
from jobcore.transition import Transition

HOUR = timedelta(hours=1)
QUEUES = ("one", "two", "three")


async def random_work(
    store: JobStore, seed: int, rounds: int = 12
) -> AsyncIterator[None]:
    """Work in *rounds*, of each of which a caller may look at what came out."""
    random = Random(seed)  # noqa: S311 - a seed is to bring the same work again
    for _ in range(rounds):
        await inserted(store, *(_a_job(random) for _ in range(random.randrange(9))))
        claims = await _claims(store, random)
        writes = [_end(random, claim) for claim in claims if random.random() < 0.8]
        await store.apply(writes + random.sample(writes, len(writes) // 2))
        await _operate(store, random)
        pass_time(store, HOUR * random.randrange(3))
        for claim in await store.expired(random.randrange(1, 4)):
            await store.apply([lifecycle.lose(claim, a_token(), ERROR, HOUR, 2)])
        await store.promote(random.randrange(1, 9))
        await _control(store, random)
        yield


async def _claims(store: JobStore, random: Random) -> list[Claim]:
    queues = tuple(random.sample(QUEUES, 2))
    claims = await claimed(store, random.randrange(1, 9), queues=queues)
    await store.renew(claims[:1], 2 * HOUR)
    return claims


def _a_job(random: Random) -> NewJob:
    limited = random.random() < 0.4
    return a_job(
        queue=random.choice(QUEUES),
        task=random.choice(("greet", "send")),
        priority=random.randrange(3),
        delay=HOUR * random.randrange(3),
        max_retries=random.randrange(3),
        limit_key=random.choice(("acme", "other")) if limited else None,
        limit=Limit(concurrency=2, rate=random.choice((None, 3)), period=HOUR),
    )


def _end(random: Random, claim: Claim) -> Transition:
    return random.choice(
        (
            lifecycle.complete(claim, b"1"),
            lifecycle.complete(claim, b"1"),
            lifecycle.fail(claim, ERROR, Outcome.FAILED, HOUR * random.randrange(2)),
            lifecycle.fail(claim, ERROR, Outcome.TIMED_OUT, None),
            lifecycle.release(claim),
            lifecycle.snooze(claim, HOUR),
            lifecycle.stop(claim),
        )
    )


async def _operate(store: JobStore, random: Random) -> None:
    jobs = await found(store)
    for job in random.sample(jobs, min(3, len(jobs))):
        if job.status in WAITING | {JobStatus.IN_PROGRESS}:
            await store.apply([lifecycle.cancel(job, a_token())])
        else:
            await store.apply([lifecycle.retry(job, a_token())])
    statuses = frozenset({random.choice(sorted(TERMINAL | WAITING))})
    await store.delete(Filter(statuses=statuses), random.randrange(3))


async def _control(store: JobStore, random: Random) -> None:
    control = store.ability(QueueControl)
    if control is None:
        return
    act = random.choice((control.pause, control.resume))
    await act(task=random.choice(("greet", "send")))
    await act(queue=random.choice(QUEUES))
    await control.lift(None, random.randrange(1, 9))
