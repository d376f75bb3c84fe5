"""Where measuring and tracing are put in, around submits, runs and store calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Final

from jobcore.claim import Claim
from jobcore.events import Events
from jobcore.job import NewJob
from jobcore.query import Statistics
from jobcore.report import Report
from jobcore.store import JobStore

_NOTHING: Final = nullcontext()

Execute = Callable[[], Awaitable[Report | None]]
"""Runs an attempt; the report of how it ended, None where its claim was lost."""


class Instrumentation:
    """What a manager lets measure and trace its work and that of its workers.

    This one does nothing, and costs next to nothing; those that do something derive
    from it. All is called in the event loop of the manager. What is raised here would
    become an error of the job or of whoever submits it: let nothing out.
    """

    def wrap(self, store: JobStore) -> JobStore:
        """The store that a manager which is given *store* calls in its place."""
        return store

    def attend(
        self,
        events: Events,  # noqa: ARG002 - for those that do something
        statistics: Callable[[], Awaitable[Statistics]],  # noqa: ARG002
    ) -> AbstractAsyncContextManager[None]:
        """Entered when the manager opens, and left when everything that was handed in
        is stored, but calls can still be made."""
        return _NOTHING

    def submitting(self, jobs: Sequence[NewJob]) -> AbstractContextManager[None]:  # noqa: ARG002
        """Entered around the insert of *jobs*, which have their ids, and may be let
        carry something else (`NewJob.carrying`) before they are stored."""
        return _NOTHING

    def run(
        self,
        claim: Claim,  # noqa: ARG002
        worker: str,  # noqa: ARG002
        execute: Execute,
    ) -> Awaitable[Report | None]:
        """Run the attempt of *claim*: what *execute* returns, in whose task the handler
        runs, so that what is current here is current there."""
        return execute()

    def renewed(self, margin: timedelta) -> None:
        """The leases of a worker were renewed while the one that was nearest to its end
        had *margin* left."""
