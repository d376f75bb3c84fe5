"""The benchmark of a growing store, on small ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobcore_sql import postgresql

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_it_fills_sound_stores_and_compares_them(store: str, tmp_path: Path) -> None:
    tiny = ("--sizes", "500,1000", "--times", "2", "--no-plots")
    finished = subprocess.run(  # noqa: S603 - our own script
        [
            *(sys.executable, str(BENCHMARKS / "growth.py"), "--store", store),
            *(*tiny, "--folder", str(tmp_path)),
        ],
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
    names = (
        *("claim of 100", "completion of 100", "statistics"),
        *("a claim beside pruning", "a claim alone", "a batch of pruning"),
    )
    assert [name for name in names if f"| {name}" not in finished.stdout] == []
    assert not list(tmp_path.iterdir())
    if store == "postgresql":
        assert "Index Scan using jobs_queued" in finished.stdout
        assert "rows locked for 100 of one queue: 100\n" in finished.stdout
