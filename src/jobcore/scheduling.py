"""Which queues a claim asks, in which order, and for how many jobs."""

from __future__ import annotations

from typing import Protocol


class SchedulingStrategy(Protocol):
    """Shapes the claims of one manager."""

    def plan(self, queues: tuple[str, ...], wanted: int) -> tuple[tuple[str, ...], int]:
        """The queues to fill up from, in turn, and how many jobs to ask for, of a
        worker that listens to *queues* and has room for *wanted*."""
        ...


class InOrder:
    """An earlier queue is emptied before a later one is asked."""

    def plan(self, queues: tuple[str, ...], wanted: int) -> tuple[tuple[str, ...], int]:
        return queues, wanted


class InTurn:
    """Each claim begins with the next queue, so that none of them starves."""

    def __init__(self) -> None:
        self._claims = 0

    def plan(self, queues: tuple[str, ...], wanted: int) -> tuple[tuple[str, ...], int]:
        first = self._claims % max(len(queues), 1)
        self._claims += 1
        return (*queues[first:], *queues[:first]), wanted
