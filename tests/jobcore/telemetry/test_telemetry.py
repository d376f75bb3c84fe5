"""Whoever does not measure has nothing to do with it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import jobcore
print([name for name in sys.modules if name.startswith("opentelemetry")])
import jobcore.telemetry
print("opentelemetry" in sys.modules)
"""


def test_nothing_of_opentelemetry_is_imported_unless_it_is_used() -> None:
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\nTrue\n"
