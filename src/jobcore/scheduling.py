"""Which queues a claim asks, in which order, and for how many jobs."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from random import Random
from typing import Protocol

from jobcore.checks import check_name
from jobcore.errors import InvalidJobError
from jobcore.retry import SYSTEM_RANDOM


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


class Weighted:
    """Each claim asks the queues in an order of its own, drawn by their *weights*: of
    two, one that weighs three times as much comes first three times as often. Who is
    not named weighs one. So none starves, and none waits for another to be empty.

    The order is that of the keys u^(1/w), u drawn evenly (Efraimidis and Spirakis,
    2006).
    """

    def __init__(
        self, weights: Mapping[str, float], random: Random = SYSTEM_RANDOM
    ) -> None:
        for queue, weight in weights.items():
            check_name("queue", queue)
            if not 0 < weight < inf:
                raise InvalidJobError("weight", f"of {queue} must be a positive number")
        self._weights = dict(weights)
        self._random = random

    def plan(self, queues: tuple[str, ...], wanted: int) -> tuple[tuple[str, ...], int]:
        drawn = {
            queue: self._random.random() ** (1 / self._weights.get(queue, 1.0))
            for queue in queues
        }
        return tuple(sorted(queues, key=drawn.__getitem__, reverse=True)), wanted
