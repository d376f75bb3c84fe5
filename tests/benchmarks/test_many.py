"""The benchmarks of many processes and of an open transaction, for a moment each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobcore_sql import postgresql

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    finished = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(BENCHMARKS / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={
            **os.environ,
            "JOBCORE_BENCHMARK_POSTGRES_URL": postgresql.database("18"),
        },
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_crowd_claims_each_job_once() -> None:
    said = run("crowd.py", "--processes", "1,2", "--jobs", "500", "--repeat", "1")
    assert re.findall(r"^\| (\d) +\|", said, re.MULTILINE) == ["1", "2"]
    assert said.endswith("each of 500 jobs was claimed once\n")


def test_idle_workers_are_watched() -> None:
    said = run("idle.py", "--processes", "2", "--workers", "2", "--seconds", "1.5")
    (transactions,) = re.findall(r"^\| 4 +\| 2 +\|.*\| (\d+) +\|$", said, re.MULTILINE)
    assert int(transactions) > 0


def test_an_open_transaction_is_held_beside_a_steady_rate() -> None:
    few = ("--seconds", "1", "--parts", "2", "--rate", "50", "--burst", "1000")
    said = run("held_open.py", *few)
    assert said.count("| steady, held open for") == 2
    assert re.search(
        r"drop at 50 jobs/s, last part: -?\d+%\ndrop of the burst: -?\d+%\n$", said
    )
