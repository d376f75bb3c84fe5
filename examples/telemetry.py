"""What OpenTelemetry is told of a job: one trace from the request on, and metrics.

    uv run examples/telemetry.py

A host exports both to wherever it looks at them; this one keeps and prints them.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jobcore import Tasks, Worker, current_job, fixed, open_manager
from jobcore.telemetry import Telemetry

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
tracing, metering = TracerProvider(), MeterProvider([reader])
tracing.add_span_processor(SimpleSpanProcessor(spans))
tracer = tracing.get_tracer("shop")

tasks = Tasks()


@tasks.task(queue="mail", retry=fixed(timedelta(milliseconds=10)))
async def send_invoice(order: int) -> str:
    if current_job().job.attempt == 1:
        raise ConnectionError("the mail server is busy")
    with tracer.start_as_current_span("write the mail"):
        return f"invoice of order {order} sent"


def print_below(parent: int | None, ended: Iterable[ReadableSpan], depth: int) -> None:
    for span in ended:
        if (span.parent.span_id if span.parent else None) == parent:
            outcome = (span.attributes or {}).get("jobcore.outcome", "")
            print(f"{'  ' * depth}{span.name} {outcome}".rstrip())
            if context := span.get_span_context():
                print_below(context.span_id, ended, depth + 1)


def print_counts(name: str, *attributes: str) -> None:
    data = reader.get_metrics_data()
    assert data, "something has been measured"
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points if metric.name == name else ():
            told = (str((point.attributes or {})[each]) for each in attributes)
            number = point.count if hasattr(point, "count") else point.value
            print(name, *told, number)


async def main() -> None:
    telemetry = Telemetry(tracer_provider=tracing, meter_provider=metering)
    async with (
        open_manager("memory://", instrumentation=telemetry) as jobs,
        Worker(jobs, tasks),
    ):
        with tracer.start_as_current_span("POST /orders"):
            job = await jobs.submit(send_invoice.job(7))
        print(await jobs.result(job))
    print_below(None, spans.get_finished_spans(), 0)
    print_counts("jobcore.events", "jobcore.event")
    print_counts("messaging.process.duration", "jobcore.task", "jobcore.outcome")


if __name__ == "__main__":
    asyncio.run(main())
