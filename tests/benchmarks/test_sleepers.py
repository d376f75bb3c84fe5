"""The benchmark of sleeping jobs, with few of them and short leases."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_every_renewal_is_shown() -> None:
    few = ("--stores", "memory", "--jobs", "20", "--lease", "3", "--seconds", "2.5")
    finished = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(BENCHMARKS / "sleepers.py"), *few],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert finished.returncode == 0, finished.stderr
    renewals = re.findall(r"\| [0-9.]+ +\| 20 +\|", finished.stdout)
    assert len(renewals) >= 2
    assert "least margin: " in finished.stdout
