"""A process of a host: providers that keep what they are given, a manager, a worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    NumberDataPoint,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from jobcore import DefaultJobManager, InMemoryJobStore, JobcoreConfig, JobStore
from jobcore.telemetry import Telemetry

QUICK = JobcoreConfig(
    retry_delay_base=timedelta(milliseconds=1),
    job_polling_interval=timedelta(milliseconds=10),
)
Point = NumberDataPoint | HistogramDataPoint


@dataclass
class Observatory:
    """What is measured and traced, and how a test reads it."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracing = TracerProvider(shutdown_on_exit=False)
        self.tracing.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.metering = MeterProvider([self.reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(
            tracer_provider=self.tracing,
            meter_provider=self.metering,
            statistics_interval=timedelta(milliseconds=20),
        )

    @property
    def tracer(self) -> Tracer:
        return self.tracing.get_tracer("host")

    @asynccontextmanager
    async def manager(
        self, store: JobStore, config: JobcoreConfig = QUICK
    ) -> AsyncIterator[DefaultJobManager]:
        async with (
            store,
            DefaultJobManager(store, config, instrumentation=self.telemetry) as jobs,
        ):
            yield jobs

    def spans(self, name: str | None = None) -> Sequence[ReadableSpan]:
        """Those that have ended, in that order, with names that begin so."""
        ended = self.exporter.get_finished_spans()
        return [each for each in ended if name is None or each.name.startswith(name)]

    def points(self, name: str) -> list[Point]:
        """What a metric tells now."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, Point)
        ]

    def counts(self, name: str, *attributes: str) -> Counter[tuple[object, ...]]:
        """How often each combination of *attributes* was told."""
        counts: Counter[tuple[object, ...]] = Counter()
        for point in self.points(name):
            told = tuple((point.attributes or {}).get(each) for each in attributes)
            number = point.value if isinstance(point, NumberDataPoint) else point.count
            counts[told] += int(number)
        return counts

    def sums(self, name: str) -> list[tuple[float, dict[str, object]]]:
        """The sums of a histogram, each with its attributes."""
        return [
            (point.sum, dict(point.attributes or {}))
            for point in self.points(name)
            if isinstance(point, HistogramDataPoint)
        ]

    def values(
        self, name: str, *attributes: str
    ) -> dict[tuple[object, ...], int | float]:
        """What a gauge shows for each combination of *attributes*."""
        return {
            tuple(
                (point.attributes or {}).get(each) for each in attributes
            ): point.value
            for point in self.points(name)
            if isinstance(point, NumberDataPoint)
        }


async def until(condition: Callable[[], object]) -> None:
    """Return when *condition* holds; the test's own time limit is the only one."""
    while not condition():  # noqa: ASYNC110 - it is collected, and tells nobody
        await asyncio.sleep(0.005)


@pytest.fixture
def observatory() -> Iterator[Observatory]:
    observatory = Observatory()
    yield observatory
    observatory.tracing.shutdown()
    observatory.metering.shutdown()


@pytest.fixture
async def jobs(observatory: Observatory) -> AsyncIterator[DefaultJobManager]:
    async with observatory.manager(InMemoryJobStore()) as jobs:
        yield jobs
