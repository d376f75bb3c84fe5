from __future__ import annotations

from tests.examples.script import run


def test_charges_each_order_once() -> None:
    finished = run("simulation.py")
    assert (finished.returncode, finished.stderr) == (0, "")
    *lives, verdict = finished.stdout.splitlines()
    assert "job-0001 submit ->queued" in lives[0]
    assert verdict == "100 seeds: every completed order is in the ledger, once"
