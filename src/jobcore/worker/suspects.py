"""Jobs that were lost before, and may be what killed their workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from jobcore.claim import Claim


class Suspects:
    """Keeps one suspect at a time, which starts only when the others that came with it
    are given back, so that a job that kills its worker takes no other with it."""

    def __init__(self, patience: float, grown: Callable[[], object]) -> None:
        self._patience = patience
        self._grown = grown
        self._loop = asyncio.get_running_loop()
        self._kept: Claim | None = None
        self._is_young = False
        self._has_begun = True
        self._others: set[tuple[str, str]] = set()

    def keep_one(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Keep the first of *claims*, if none is kept, and return all others; each is
        to be given back, and told by `forget` when it is."""
        others = claims
        if self._kept is None:
            self._kept, others = claims[0], claims[1:]
            self._is_young, self._has_begun = True, False
            self._loop.call_later(self._patience, self._grow, self._kept)
        self._others.update((each.job_id, each.token) for each in others)
        return others

    def begin(self) -> Claim | None:
        """The one that is kept, once, when it may start."""
        if self._has_begun or self._others:
            return None
        self._has_begun = True
        return self._kept

    def forget(self, claims: Sequence[Claim]) -> None:
        """*claims* have ended, or are lost."""
        if self._kept is None and not self._others:
            return
        if any(each is self._kept for each in claims):
            self._kept, self._has_begun = None, True
        self._others.difference_update((each.job_id, each.token) for each in claims)

    @property
    def are_young(self) -> bool:
        """Whether one is kept for so short a time that nothing else should be claimed
        beside it. When that is over, *grown* is called."""
        return self._kept is not None and self._is_young

    def _grow(self, claim: Claim) -> None:
        if self._kept is claim:
            self._is_young = False
            self._grown()
