from __future__ import annotations

from tests.examples.script import run

EXPECTED = """\
sent to a
sent to b
sent to c
insert: 3 jobs
claim: 3 jobs
apply: 3 jobs
"""


def test_tells_what_the_store_was_asked_for() -> None:
    finished = run("observed.py")
    assert (finished.stdout, finished.stderr) == (EXPECTED, "")
    assert finished.returncode == 0
