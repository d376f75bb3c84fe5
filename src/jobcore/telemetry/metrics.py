"""Metrics of what happens: counted and timed as it happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from time import perf_counter
from typing import Final

from opentelemetry.metrics import Meter
from opentelemetry.util.types import AttributeValue

from jobcore.events import Event, EventKind
from jobcore.job import Job, NewJob
from jobcore.report import Report
from jobcore.telemetry import attributes as names
from jobcore.telemetry.quietly import quietly
from jobcore.wrappers import StoreCall

_CALLS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RUNS: Final = (*_CALLS, 30, 60, 300, 900, 3600, 14400)
_MARGINS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25, 30, 60, 120, 300)
"""Upper bounds in seconds, which views of the host may replace."""


class Metrics:
    """The instruments that are told of something. All lengths of time are seconds."""

    def __init__(self, meter: Meter) -> None:
        self._events = meter.create_counter(
            "jobcore.events",
            "{event}",
            "What happened to jobs, schedules and the store",
        )
        self._submits = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "How long submits took",
            explicit_bucket_boundaries_advisory=_CALLS,
        )
        self._latency = meter.create_histogram(
            "jobcore.claim.latency",
            "s",
            "How long after it was due a job was claimed, by the store's clock",
            explicit_bucket_boundaries_advisory=_RUNS,
        )
        self._runs = meter.create_histogram(
            "messaging.process.duration",
            "s",
            "How long attempts ran",
            explicit_bucket_boundaries_advisory=_RUNS,
        )
        self._margin = meter.create_histogram(
            "jobcore.lease.margin",
            "s",
            "What was left of the lease nearest to its end when leases were renewed",
            explicit_bucket_boundaries_advisory=_MARGINS,
        )
        self._lag = meter.create_histogram(
            "jobcore.event_loop.lag",
            "s",
            "How much later than it asked for the event loop woke a task",
            explicit_bucket_boundaries_advisory=_CALLS,
        )
        self._calls = meter.create_histogram(
            "jobcore.store.duration",
            "s",
            "How long calls to the store took",
            explicit_bucket_boundaries_advisory=_CALLS,
        )

    def happened(self, event: Event) -> None:
        """Count *event*, and tell of a claim how late it was."""
        attributes: dict[str, AttributeValue] = {names.EVENT: event.kind.value}
        if event.schedule is not None:
            attributes[names.SCHEDULE] = event.schedule
        job = event.job
        if job is not None:
            attributes[names.QUEUE], attributes[names.TASK] = job.queue, job.task
        self._events.add(event.number, attributes)
        if job is not None and event.kind is EventKind.CLAIMED:
            late = (job.started_at or job.due_at) - job.due_at
            of_job = {names.QUEUE: job.queue, names.TASK: job.task}
            self._latency.record(max(0.0, late.total_seconds()), of_job)

    @contextmanager
    def submitting(self, jobs: Sequence[NewJob]) -> Iterator[None]:
        """Tell how long the insert of *jobs* takes, and which error it ends with."""
        attributes = _of("submit")
        if len({each.queue for each in jobs}) == 1:
            attributes[names.QUEUE] = jobs[0].queue
        began_at = perf_counter()
        try:
            yield
        except BaseException as error:
            attributes[names.ERROR_TYPE] = names.error_type(error)
            raise
        finally:
            with quietly():
                self._submits.record(perf_counter() - began_at, attributes)

    def ran(self, job: Job, report: Report | None, seconds: float) -> None:
        """An attempt of *job* took so long, and ended so; None stands for a claim that
        was lost."""
        attributes = _of("run") | {names.QUEUE: job.queue, names.TASK: job.task}
        attributes[names.OUTCOME] = (
            names.LOST if report is None else report.outcome.value
        )
        if report is None:
            attributes[names.ERROR_TYPE] = names.LOST
        elif report.error is not None:
            attributes[names.ERROR_TYPE] = names.error_type(report.error)
        with quietly():
            self._runs.record(seconds, attributes)

    def renewed(self, margin: timedelta) -> None:
        """Leases were renewed with so much left."""
        with quietly():
            self._margin.record(max(0.0, margin.total_seconds()))

    def lagged(self, seconds: float) -> None:
        """The event loop was late by so much."""
        with quietly():
            self._lag.record(max(0.0, seconds))

    def called(self, call: StoreCall) -> None:
        """A call to the store has ended."""
        attributes: dict[str, AttributeValue] = {names.VERB: call.verb}
        if call.error is not None:
            attributes[names.ERROR_TYPE] = names.error_type(call.error)
        self._calls.record(call.took.total_seconds(), attributes)


def _of(operation: str) -> dict[str, AttributeValue]:
    return {names.SYSTEM: names.JOBCORE, names.OPERATION: operation}
