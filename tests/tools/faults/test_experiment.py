"""The experiments, small: real processes, a real file, real signals."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tools.faults.experiment import Experiment, Report
from tools.faults.faults import FAULTS, OnWorkers

pytestmark = pytest.mark.anyio


async def ran(fault: str, times: int, folder: Path) -> Report:
    url = f"sqlite+aiosqlite:///{folder}/jobs.db"
    told: list[str] = []
    course = OnWorkers(FAULTS[fault], Random())
    experiment = Experiment(course, url, folder, Random(), workers=2)
    report = await experiment.run(times, told.append)
    assert report.verdict.wrong == ()
    assert report.verdict.strikes == times <= len(told)
    assert report.verdict.claims >= times
    assert len(report.verdict.recoveries) == report.verdict.claims
    assert report.verdict.jobs > report.verdict.claims
    return report


async def test_killed_workers_lose_no_job(tmp_path: Path) -> None:
    await ran("kill", 3, tmp_path)


async def test_a_worker_that_was_frozen_reports_too_late(tmp_path: Path) -> None:
    report = await ran("freeze", 2, tmp_path)
    assert report.verdict.refused > 0
