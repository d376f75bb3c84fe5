"""A queue is spread evenly, or that is wrong."""

from __future__ import annotations

from tools.faults.spread import SpreadReport


def test_even_shares_are_right() -> None:
    report = SpreadReport(3000, (1190, 1000, 810), (100, 110, 90))
    assert report.wrong == ()
    assert round(report.furthest, 2) == 0.19


def test_an_uneven_share_is_wrong() -> None:
    report = SpreadReport(3000, (1000, 1000, 1000), (100, 130, 70))
    assert report.wrong == ("a master is 30% from an even share",)


def test_each_job_is_claimed_once() -> None:
    report = SpreadReport(3000, (1000, 1000, 1001), (100, 100, 100))
    assert report.wrong == ("3000 jobs were claimed 3001 times",)
