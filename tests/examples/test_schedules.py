from __future__ import annotations

from tests.examples.script import run

EXPECTED = """\
the next five nights are known: True
1 job: report of Bavaria, for a click
nightly-report is paused
poll_feeds goes on
the feeds were polled
"""


def test_work_recurs_is_triggered_and_paused() -> None:
    finished = run("schedules.py")
    assert (finished.stdout, finished.stderr) == (EXPECTED, "")
    assert finished.returncode == 0
