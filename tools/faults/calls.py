"""What became of many calls."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class CallReport:
    """Of calls to which something was done, and of the server after them."""

    calls: int = 0
    done: int = 0
    undone: int = 0
    otherwise: list[str] = field(default_factory=list)
    """What was done in part, or twice."""
    refused: list[str] = field(default_factory=list)
    """Errors that reached a caller."""
    deadlocks: int = 0
    """How many the server's log tells of."""
    left: list[str] = field(default_factory=list)
    """What is not as it was in the store, its pool, or on the server."""

    @property
    def wrong(self) -> tuple[str, ...]:
        return (*self.otherwise, *self.refused, *self.left)
