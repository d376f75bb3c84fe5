"""One answer made of those of several stores."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import TypeVar

from jobcore.abilities import Verification
from jobcore.claim import Claim, ClaimRequest, ClaimResult
from jobcore.job import JobStatus
from jobcore.query import Page, QueueStatistics, Statistics

T = TypeVar("T")


async def all_of(calls: Iterable[Awaitable[T]]) -> list[T]:
    """What *calls* answer, made at the same time. Where one fails its error is raised,
    once all have ended."""
    answers: list[T] = []
    for each in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
        answers.append(each)
    return answers


def one_claim(results: Sequence[ClaimResult], request: ClaimRequest) -> ClaimResult:
    """The jobs of all *results* in the order in which one store would take them."""
    claims = [claim for each in results for claim in each.claims]
    examined = sum(each.examined for each in results)
    places = {queue: place for place, queue in enumerate(request.queues)}

    def order(claim: Claim) -> tuple[int, int, datetime, str]:
        job = claim.job
        place = places.get(job.queue, len(places))
        return place, job.priority, job.due_at, job.id

    return ClaimResult(
        tuple(sorted(claims, key=order)),
        examined,
        bounded=examined >= request.bound and len(claims) < request.limit,
        held=sum(each.held for each in results),
        deferred=sum(each.deferred for each in results),
    )


def one_page(pages: Sequence[Page], limit: int) -> Page:
    """The first jobs of all *pages*. Where a page has a cursor its store was not looked
    at any further, so nothing is shown from beyond."""
    seen = max((each.cursor for each in pages if each.cursor), default=None)
    jobs = merge(*(each.jobs for each in pages), key=attrgetter("id"), reverse=True)
    sure = tuple(job for job in jobs if seen is None or job.id >= seen)
    if len(sure) > limit:
        return Page(sure[:limit], sure[limit - 1].id)
    return Page(sure, seen)


def one_count(parts: Sequence[Statistics]) -> Statistics:
    """The sums by queue and status."""
    counts: defaultdict[str, Counter[JobStatus]] = defaultdict(Counter)
    since: defaultdict[str, list[datetime]] = defaultdict(list)
    for part in parts:
        for queue, each in part.queues.items():
            counts[queue].update(each.counts)
            if each.oldest_due_at is not None:
                since[queue].append(each.oldest_due_at)
    return Statistics(
        {
            queue: QueueStatistics(dict(by_status), min(since[queue], default=None))
            for queue, by_status in counts.items()
        }
    )


def one_verification(parts: Sequence[Verification]) -> Verification:
    """All findings, each with the place of its store."""
    findings: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for place, part in enumerate(parts):
        for rule, sentences in part.findings.items():
            findings[rule] += tuple(f"store {place}: {each}" for each in sentences)
    return Verification(dict(findings))
