"""Spans of submits and runs, joined through what jobs carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from jobcore.attempt import decode_error
from jobcore.context import inherited
from jobcore.details import NOTHING, Details
from jobcore.failure import describe
from jobcore.job import Job, NewJob
from jobcore.report import Report
from jobcore.telemetry import attributes as names
from jobcore.telemetry.quietly import quietly

_TRACE_CONTEXT: Final = TraceContextTextMapPropagator()


class Spans:
    """Makes a span of each submit and of each run, by the conventions of messaging."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def submitting(self, jobs: Sequence[NewJob]) -> Iterator[None]:
        """A span around the insert of *jobs*, below the one that is current. They carry
        its trace, unless they were given another; as all of them do, a batch has one
        span, and needs no links."""
        span: Span = INVALID_SPAN
        with quietly():
            span = self._start_submit(jobs)
            _stamp(jobs, span)
        with _current(span):
            try:
                yield
            except BaseException as error:
                with quietly():
                    _fail(span, names.error_type(error), error)
                raise

    @contextmanager
    def running(self, job: Job, worker: str) -> Iterator[Span]:
        """A span around an attempt of *job*, below that of its submit. Without one it
        begins a trace: what was current when the worker started is over."""
        span: Span = INVALID_SPAN
        with quietly():
            span = self._start_run(job, worker)
        with _current(span):
            yield span

    def _start_submit(self, jobs: Sequence[NewJob]) -> Span:
        name, attributes = "submit", _of("submit", "send")
        queues, tasks = {each.queue for each in jobs}, {each.task for each in jobs}
        if len(queues) == 1:
            name = f"submit {jobs[0].queue}"
            attributes[names.QUEUE] = jobs[0].queue
        if len(tasks) == 1:
            attributes[names.TASK] = jobs[0].task
        if len(jobs) == 1:
            attributes[names.MESSAGE_ID] = jobs[0].id
        else:
            attributes[names.BATCH_SIZE] = len(jobs)
        return self._tracer.start_span(
            name, kind=SpanKind.PRODUCER, attributes=attributes
        )

    def _start_run(self, job: Job, worker: str) -> Span:
        details = NOTHING if job.extra is None else job.details
        attributes = _of("run", "process") | {
            names.QUEUE: job.queue,
            names.MESSAGE_ID: job.id,
            names.CLIENT: worker,
            names.TASK: job.task,
            names.ATTEMPT: job.attempt,
        }
        if details.correlation_id is not None:
            attributes[names.CORRELATION_ID] = details.correlation_id
        carrier = {"traceparent": details.traceparent or ""}
        return self._tracer.start_span(
            f"run {job.queue}",
            context=_TRACE_CONTEXT.extract(carrier),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
        )


def end(span: Span, report: Report | None) -> None:
    """Tell how the run of *span* ended; None stands for a claim that was lost."""
    with quietly():
        if report is None:
            span.set_attribute(names.OUTCOME, names.LOST)
            _fail(span, names.LOST)
            return
        span.set_attribute(names.OUTCOME, report.outcome.value)
        if report.error is not None:
            _fail(span, names.error_type(report.error), report.error)


@contextmanager
def _current(span: Span) -> Iterator[None]:
    """Let *span* be current, and end it."""
    token = attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        detach(token)
        with quietly():
            span.end()


def _of(operation: str, kind: str) -> dict[str, AttributeValue]:
    return {
        names.SYSTEM: names.JOBCORE,
        names.OPERATION: operation,
        names.OPERATION_TYPE: kind,
    }


def _stamp(jobs: Sequence[NewJob], span: Span) -> None:
    """Let *jobs* carry the trace of *span*, but for those that were given one of their
    own. One that they have from the job that runs here is no such."""
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier, trace.set_span_in_context(span))
    if (traceparent := carrier.get("traceparent")) is None:
        return
    replaced = {None, inherited().get("traceparent")}
    stamped: dict[bytes | None, bytes | None] = {}
    for job in jobs:
        if job.extra not in stamped:
            details = Details.read(job.extra)
            if details.traceparent in replaced:
                details = details.changed(traceparent=traceparent)
            stamped[job.extra] = details.written()
        job.carrying(stamped[job.extra])


def _fail(span: Span, kind: str, error: BaseException | None = None) -> None:
    """Let *span* have failed. What it says of *error* is what is kept of it, too:
    without secrets, and never too long."""
    if not span.is_recording():
        return
    span.set_attribute(names.ERROR_TYPE, kind)
    detail = None if error is None else decode_error(describe(error))
    if detail is None:
        span.set_status(StatusCode.ERROR, kind)
        return
    span.set_status(StatusCode.ERROR, detail.message)
    span.add_event(
        "exception",
        {
            "exception.type": kind,
            "exception.message": detail.message,
            "exception.stacktrace": detail.traceback,
        },
    )
