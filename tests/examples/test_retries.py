from __future__ import annotations

from tests.examples.script import run

EXPECTED = """\
reserved pen in attempt 3
  attempt 1 failed: BusyError
  attempt 2 failed: BusyError
  attempt 3 succeeded: no error
reserve failed: OutOfStockError: unicorn
  attempt 1 failed: OutOfStockError
ship failed: TimeoutError: took longer than 0:00:00.050000
  attempt 1 timed_out: TimeoutError
  attempt 2 timed_out: TimeoutError
"""


def test_tells_what_became_of_each_job() -> None:
    finished = run("retries.py")
    assert (finished.stdout, finished.stderr) == (EXPECTED, "")
    assert finished.returncode == 0
