"""A plugin of pytest: runs the tests that a trial is about, and tells which fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from tools.mutants.mutant import Places

ENOUGH: Final = 3
"""How many red tests of one file are enough to know; the others are left out."""


@dataclass(frozen=True, slots=True)
class Red:
    """A test that failed, or what could not even be collected."""

    test: str
    timed_out: bool = False
    broken: str = ""

    @property
    def file(self) -> str:
        return self.test.partition("::")[0]

    @property
    def name(self) -> str:
        """The test without its parameters."""
        return self.test.partition("[")[0].rpartition("::")[2]


class Selection:
    """Leaves in what *places* select, and *tells* of failures."""

    def __init__(self, places: Places, tell: Callable[[Red], None]) -> None:
        self._places = places
        self._tell = tell
        self._red = defaultdict[str, set[str]](set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = filter(self._is_wanted, items)
        for file in self._places.keys() - {Red(each.nodeid).file for each in items}:
            self._tell(Red(file, broken="no test is selected"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        test = Red(item.nodeid)
        red = self._red[test.file]
        return len(red) >= ENOUGH or test.name in red or None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            test = Red(report.nodeid, timed_out="Timeout (>" in report.longreprtext)
            self._red[test.file].add(test.name)
            self._tell(test)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tell(Red(report.nodeid, broken=report.longreprtext))

    def _is_wanted(self, item: pytest.Item) -> bool:
        words = self._places[Red(item.nodeid).file]
        return not words or any(word in item.name for word in words)
