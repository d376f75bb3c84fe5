from __future__ import annotations

from tests.examples.script import run

EXPECTED = """\
invoice of order 7 sent
POST /orders
  submit mail
    run mail failed
    run mail succeeded
      write the mail
jobcore.events submitted 1
jobcore.events claimed 2
jobcore.events retrying 1
jobcore.events succeeded 1
messaging.process.duration send_invoice failed 1
messaging.process.duration send_invoice succeeded 1
"""


def test_shows_one_trace_and_the_counts() -> None:
    finished = run("telemetry.py")
    assert finished.stdout == EXPECTED
    assert finished.returncode == 0
