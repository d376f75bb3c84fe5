"""Submitting and completing within a transaction of the host's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from typing_extensions import Unpack

from jobcore.abilities import InTransaction
from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.errors import ClaimLostError, JobConflictError
from jobcore.instrumentation import Instrumentation
from jobcore.job import Job, JobStatus, NewJob
from jobcore.manager import JobTransaction
from jobcore.report import Report
from jobcore.reporting import Reporting
from jobcore.request import JobRequest, SubmitOptions
from jobcore.transition import Answer

R = TypeVar("R")

_LOCKED_PAUSES: Final = tuple(0.01 * 2**n for n in range(6))
"""Seconds between looks at a job that somebody else's transaction has."""


class Transacting(JobTransaction):
    """The acts of a manager, on a store within one transaction. Nothing is batched with
    the calls of others, and what fails is not repeated, as the transaction is the
    host's."""

    def __init__(
        self,
        store: InTransaction,
        new_jobs: Callable[[Sequence[JobRequest[Any]], SubmitOptions], list[NewJob]],
        reporting: Reporting,
        instrumentation: Instrumentation,
    ) -> None:
        self._instrumentation = instrumentation
        self._store = store
        self._new_jobs = new_jobs
        self._reporting = reporting

    async def submit(
        self, request: JobRequest[R], **options: Unpack[SubmitOptions]
    ) -> Job[R]:
        (job,) = await self.submit_many([request], **options)
        return job

    async def submit_many(
        self, requests: Iterable[JobRequest[R]], **options: Unpack[SubmitOptions]
    ) -> list[Job[R]]:
        wanted = list(requests)
        new = self._new_jobs(wanted, options)
        with self._instrumentation.submitting(new):
            inserted = await self._store.insert(new) if new else []
        return [
            each.job.typed(request.result_type, duplicate=not each.created)
            for each, request in zip(inserted, wanted, strict=True)
        ]

    async def complete(
        self,
        claim: Claim,
        result: object = None,
        result_type: TypeAdapter[Any] | None = None,
    ) -> JobStatus:
        report = Report(claim, Outcome.SUCCEEDED, result, result_type)
        transition = self._reporting.transition(report)
        (answer,) = await self._store.apply([transition])
        for pause in _LOCKED_PAUSES:
            if answer is not Answer.LOCKED:
                break
            await asyncio.sleep(pause)  # a renewal has it for a moment, as a rule
            (answer,) = await self._store.apply([transition])
        if answer is Answer.LOCKED:
            raise JobConflictError(claim.job_id, report.act, answer)
        if answer is not Answer.APPLIED:
            raise ClaimLostError(claim.job_id, report.act, answer)
        return transition.status
