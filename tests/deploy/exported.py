"""What Prometheus is served by its exporter, where everything that can happen does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from functools import cache

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jobcore import (
    DefaultJobManager,
    Event,
    EventKind,
    JobcoreConfig,
    StoreUnavailableError,
    Tasks,
    Worker,
)
from jobcore.telemetry import Telemetry
from tests.jobcore.faults import FaultyStore

CONFIG = JobcoreConfig(
    job_claim_timeout=timedelta(seconds=1),
    store_retry_timeout=timedelta(milliseconds=1),
)
_LATE = ("jobcore_lease_margin", "jobcore_event_loop", "jobcore_queue", "ValueError")
"""What is not told at once."""
Samples = dict[str, dict[str, set[str]]]
"""The values of each label of each sample, by their names."""


@cache
def samples() -> Samples:
    """All samples that there can be."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    telemetry = Telemetry(
        meter_provider=provider, statistics_interval=timedelta(milliseconds=10)
    )
    served = asyncio.run(_everything(telemetry, registry))
    found: Samples = defaultdict(lambda: defaultdict(set))
    for family in text_string_to_metric_families(served):
        for sample in family.samples:
            for label, text in sample.labels.items():
                found[sample.name][label].add(text)
    provider.shutdown()
    return found


async def _everything(telemetry: Telemetry, registry: CollectorRegistry) -> str:
    """What is served at the end."""
    tasks, measured = Tasks(), asyncio.Event()

    @tasks.task()
    async def wait() -> None:
        await measured.wait()

    @tasks.task(max_retries=0)
    async def fail() -> None:
        raise ValueError

    store = FaultyStore()
    async with (
        store,
        DefaultJobManager(store, CONFIG, instrumentation=telemetry) as jobs,
        Worker(jobs, tasks),
    ):
        await jobs.submit_many([wait.job(), fail.job()])
        store.fail("insert", ValueError("odd"), StoreUnavailableError("gone"))
        with suppress(ValueError):
            await jobs.submit(wait.job())
        job = await jobs.submit(wait.job())
        for kind in EventKind:
            jobs.events.tell(Event(kind, job, schedule="daily"))
        while not all(name in _served(registry) for name in _LATE):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        measured.set()
        await jobs.result(job)
        return _served(registry)


def _served(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()
