"""The benchmark, on a few jobs and without peers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(BENCHMARKS / "run.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.slow
def test_it_measures_and_reports(tmp_path: Path) -> None:
    works = ("--only", "bulk,drain,two,latency", "--peers", "")
    tiny = ("--jobs", "60", "--samples", "3", "--pause", "0.01", "--repeat", "1")
    output = ("--output", tmp_path, "--markdown", tmp_path / "report.md", "--no-plots")
    finished = run(*works, *tiny, *output)
    assert finished.returncode == 0, finished.stderr
    samples = json.loads((tmp_path / "results.json").read_text())["samples"]
    assert {(each["work"], each["store"]) for each in samples} == {
        ("bulk", "memory"),
        ("bulk", "sqlite"),
        ("drain", "memory"),
        ("drain", "sqlite"),
        ("two", "sqlite"),
        ("latency", "sqlite"),
    }
    assert all(each["rate"] or each["p50"] for each in samples)
    report = (tmp_path / "report.md").read_text()
    assert report == finished.stdout.rstrip("\n") + "\n"
    assert "**drain no-op jobs, two worker processes, sqlite**" in report


def test_an_unknown_name_is_refused() -> None:
    finished = run("--only", "drain,no_such_work")
    assert finished.returncode == 2
    assert "no_such_work" in finished.stderr
