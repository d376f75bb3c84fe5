"""Triggers of one schedule run one after the other, whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from jobcore import (
    DefaultJobManager,
    Every,
    JobRequest,
    JobStatus,
    Overlap,
    open_manager,
)
from tests.acceptance.hosts import Hosts
from tests.acceptance.stores import url

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

__all__ = ["url"]

HOSTS = 3


class Span(NamedTuple):
    """When a handler ran; one that was killed, until it was."""

    begin: float
    end: float
    job_id: str


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("triggers", "kills"), [(50, 2), pytest.param(1000, 10, marks=pytest.mark.soak)]
)
async def test_never_two_at_once_though_workers_are_killed(
    url: str, triggers: int, kills: int, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    hosts = Hosts(url, journal)
    async with open_manager(url) as jobs:
        rule = Every(timedelta(days=1), overlap=Overlap.WAIT)
        await jobs.schedule("report", JobRequest("alone"), rule)
        await asyncio.gather(*(jobs.trigger("report") for _ in range(triggers)))
        try:
            for _ in range(HOSTS):
                await hosts.start()
            for number in range(1, kills + 1):
                await until_ended(jobs, number * triggers // (kills + 1))
                await hosts.kill()
                await hosts.start()
            await until_ended(jobs, triggers)
        finally:
            await hosts.kill_all()
    ran = spans(journal, hosts.killed_at)
    assert len({span.job_id for span in ran}) == triggers
    for one, other in pairwise(ran):
        assert one.end <= other.begin, "one after the other"


async def until_ended(jobs: DefaultJobManager, number: int) -> None:
    while (await jobs.statistics()).count(JobStatus.COMPLETED) < number:  # noqa: ASYNC110 - other processes end jobs
        await asyncio.sleep(0.01)


def spans(journal: Path, killed_at: dict[int, float]) -> list[Span]:
    """What ran, in the order in which it began."""
    begun: dict[tuple[str, str], float] = {}
    ran: list[Span] = []
    for line in journal.read_text().splitlines():
        at, word, job_id, pid = line.split()
        if word == "begin":
            begun[job_id, pid] = float(at)
        else:
            ran.append(Span(begun.pop((job_id, pid)), float(at), job_id))
    ran += [
        Span(at, killed_at[int(pid)], job_id) for (job_id, pid), at in begun.items()
    ]
    return sorted(ran)
