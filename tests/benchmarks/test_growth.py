"""The benchmark of a growing file, on a small one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_it_fills_sound_files_and_compares_them(tmp_path: Path) -> None:
    sizes = ("--small", "500", "--large", "1000", "--times", "2")
    finished = subprocess.run(  # noqa: S603 - our own script
        [
            *(sys.executable, str(BENCHMARKS / "growth.py")),
            *(*sizes, "--folder", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert finished.returncode == 0, finished.stderr
    names = ("claim of 100", "completion of 100", "statistics", "beside pruning 1,")
    assert [name for name in names if f"| {name}" not in finished.stdout] == []
    assert not list(tmp_path.iterdir())
