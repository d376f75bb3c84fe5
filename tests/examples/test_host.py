from __future__ import annotations

import os
import subprocess
import sys

from tests.examples.script import EXAMPLES


def test_the_tests_of_a_host_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # Options of the outer run, such as coverage with its threshold, are not meant.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    finished = subprocess.run(  # noqa: S603 - our own tests
        [*command, str(EXAMPLES / "test_host_application.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLES.parent,
        env=inherited,
    )
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout
