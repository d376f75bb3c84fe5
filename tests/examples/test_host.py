from __future__ import annotations

import subprocess
import sys

from tests.examples.script import EXAMPLES


def test_the_tests_of_a_host_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    finished = subprocess.run(  # noqa: S603 - our own tests
        [*command, str(EXAMPLES / "test_host_application.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLES.parent,
    )
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout
