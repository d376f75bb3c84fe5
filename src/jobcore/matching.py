"""All jobs that match a filter, and what operators do to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from jobcore import checks, lifecycle
from jobcore.details import Details, OperatorAct
from jobcore.errors import InvalidJobError, TransitionError
from jobcore.job import Job, JobStatus
from jobcore.payload import encode
from jobcore.sweeping import Made, Sweep, Write
from jobcore.transition import Changes, Transition

_logger = logging.getLogger("jobcore.operator")

NewToken = Callable[[], str]


class Matching:
    """The jobs that match a filter, as they are when something is done to them.

    Each verb goes through them in batches of 10, or 500 to delete, the newest first,
    and rests after each for as long as that took, so that workers come by. It answers
    how many jobs it changed, and leaves those that do not allow it. Cancelling a call
    ends it between batches. Ask `count` first.
    """

    def __init__(
        self,
        sweep: Sweep,
        new_token: NewToken,
        made: Made,
        *,
        max_payload_size: int,
        actor: str | None,
    ) -> None:
        self._sweep = sweep
        self._new_token = new_token
        self._made = made
        self._max_payload_size = max_payload_size
        self._actor = actor

    async def count(self) -> int:
        """How many there are."""
        return await self._sweep.count()

    async def cancel(self) -> int:
        """Call them off; of those in progress that is requested."""
        return await self._write("cancel", self._cancel)

    async def retry(self, arguments: Mapping[str, Any] | None = None) -> int:
        """Start those anew that are terminal, with all their retries, and with other
        *arguments* if some are given. Those whose unique key another job holds by now
        stay."""
        payload = None
        if arguments is not None:
            payload = encode("arguments", dict(arguments), self._max_payload_size)
        write = partial(self._retry, payload=payload)
        return await self._write("retry", write)

    async def move(
        self, *, queue: str | None = None, priority: int | None = None
    ) -> int:
        """Give those that wait another queue, another priority, or both."""
        changes = moving(queue, priority)
        return await self._write("move", lambda job: lifecycle.move(job, changes))

    async def approve(self) -> int:
        """Let those go that are held for approval."""
        return await self._write("approve", lifecycle.approve)

    async def delete(self) -> int:
        """Delete them with their attempts, but for those in progress."""
        return self._told("delete", await self._sweep.delete())

    def _cancel(self, job: Job) -> Transition:
        if job.cancel_requested_at is not None and job.status is JobStatus.IN_PROGRESS:
            raise TransitionError(job.status, "cancel")
        return lifecycle.cancel(job, self._new_token())

    def _retry(self, job: Job, payload: bytes | None) -> Transition:
        return lifecycle.retry(job, self._new_token(), payload)

    async def _write(self, verb: str, write: Write) -> int:
        if self._actor is not None:
            write = partial(_signed, verb=verb, actor=self._actor, write=write)
        return self._told(verb, await self._sweep.apply(write, self._made))

    def _told(self, verb: str, number: int) -> int:
        by = f" by {self._actor}" if self._actor else ""
        _logger.info("%s: %d jobs%s", verb, number, by)
        return number


def _signed(job: Job, verb: str, actor: str, write: Write) -> Transition:
    """The *write*, which leaves on the job whose it is; but where the job runs, what it
    carries is its worker's."""
    made = write(job)
    if job.status is JobStatus.IN_PROGRESS:
        return made
    details = Details.read(made.changes.get("extra", job.extra))
    act = OperatorAct(verb=verb, actor=actor, attempt=job.attempt)
    extra = details.acted(act).written()
    return replace(made, changes={**made.changes, "extra": extra})


def moving(queue: str | None, priority: int | None) -> Changes:
    """What a move changes; InvalidJobError where that is nothing, or is odd."""
    changes: Changes = {}
    if queue is not None:
        changes["queue"] = checks.check_name("queue", queue)
    if priority is not None:
        changes["priority"] = checks.check_priority("priority", priority)
    if not changes:
        raise InvalidJobError("queue or priority", "must be given")
    return changes
