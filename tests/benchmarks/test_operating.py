"""The benchmarks of what operators do and of limits, with few jobs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script: str, *options: str) -> str:
    finished = subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, str(BENCHMARKS / script), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_all_that_failed_is_retried_beside_claims() -> None:
    told = run("retrying.py", "--store", "sqlite", "--jobs", "1000")
    assert "a claim beside retrying 1,000 of 1,000 jobs in " in told
    assert "0 are left, and the store is sound" in told


def test_limited_jobs_are_drained_beside_others() -> None:
    told = run("limited.py", "--store", "memory", "--jobs", "200", "--repeat", "1")
    assert "200 keys of their own drain at " in told
