"""Telemetry: what a manager and its workers do, as spans and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from importlib.metadata import version
from time import perf_counter
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from jobcore.claim import Claim
from jobcore.events import Events
from jobcore.instrumentation import Execute, Instrumentation
from jobcore.job import NewJob
from jobcore.query import Statistics
from jobcore.report import Report
from jobcore.store import JobStore
from jobcore.telemetry import attributes as names
from jobcore.telemetry.metrics import Metrics
from jobcore.telemetry.queues import Queues
from jobcore.telemetry.spans import Spans, end
from jobcore.wrappers import InstrumentedStore

_LAG_PAUSE: Final = 0.25
_STATISTICS_INTERVAL: Final = timedelta(seconds=15)


class Telemetry(Instrumentation):
    """Traces and measures the manager that it is given to, and its workers.

    Spans and metrics go to the providers that are given, else to those that the host
    has set for its process. The queues are looked at every *statistics_interval*; None
    leaves that to other processes, as each tells the same of them. One instance serves
    all managers of a process on the same store. What fails in an exporter is logged,
    and nothing else.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        statistics_interval: timedelta | None = _STATISTICS_INTERVAL,
    ) -> None:
        release = version("jobcore-core")
        meter = metrics.get_meter(names.JOBCORE, release, meter_provider)
        tracer = trace.get_tracer(names.JOBCORE, release, tracer_provider)
        self._interval = statistics_interval
        self._metrics = Metrics(meter)
        self._queues = Queues(meter)
        self._spans = Spans(tracer)

    def wrap(self, store: JobStore) -> JobStore:
        return InstrumentedStore(store, self._metrics.called)

    @asynccontextmanager
    async def attend(
        self, events: Events, statistics: Callable[[], Awaitable[Statistics]]
    ) -> AsyncIterator[None]:
        unsubscribe = events.subscribe(self._metrics.happened)
        watching = [asyncio.create_task(self._watch_lag(), name="jobcore-lag")]
        if self._interval is not None:
            look = self._queues.watch(statistics, self._interval)
            watching.append(asyncio.create_task(look, name="jobcore-queues"))
        try:
            yield
        finally:
            for each in watching:
                each.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            unsubscribe()

    @contextmanager
    def submitting(self, jobs: Sequence[NewJob]) -> Iterator[None]:
        if not jobs:
            yield
            return
        with self._metrics.submitting(jobs), self._spans.submitting(jobs):
            yield

    async def run(self, claim: Claim, worker: str, execute: Execute) -> Report | None:
        with self._spans.running(claim.job, worker) as span:
            began_at = perf_counter()
            report = await execute()
            self._metrics.ran(claim.job, report, perf_counter() - began_at)
            end(span, report)
        return report

    def renewed(self, margin: timedelta) -> None:
        self._metrics.renewed(margin)

    async def _watch_lag(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began_at = clock()
            await asyncio.sleep(_LAG_PAUSE)
            self._metrics.lagged(clock() - began_at - _LAG_PAUSE)
