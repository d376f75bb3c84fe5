"""An application as it is deployed: a web service, and workers in their own processes.

    uvicorn application:app     the service, with probes and metrics among its paths
    python -m application       a worker, with probes on one port, metrics on another

Both find their store by JOBCORE_STORE_URL, and share nothing else.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import make_asgi_app, start_http_server
from pydantic_settings import BaseSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from jobcore import Health, JobManager, Tasks, Worker, open_manager
from jobcore.health import Probe, serve
from jobcore.telemetry import Telemetry

tasks = Tasks()


@tasks.task(queue="reports", timeout=timedelta(minutes=5))
async def count_words(text: str) -> int:
    return len(text.split())


class Ports(BaseSettings):
    """Where a worker listens, by PROBE_PORT and METRICS_PORT."""

    probe_port: int = 8080
    metrics_port: int = 9464


def measured() -> Telemetry:
    """Telemetry for Prometheus. Traces go to an exporter once one is set up here."""
    metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()]))
    return Telemetry()


class Service:
    """The manager of the web service, as long as that runs."""

    jobs: JobManager

    async def health(self) -> Health:
        return await self.jobs.health()

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with open_manager(instrumentation=measured()) as self.jobs:
            yield

    async def submit_report(self, request: Request) -> JSONResponse:
        job = await self.jobs.submit(count_words.job((await request.body()).decode()))
        return JSONResponse({"id": job.id}, status_code=202)


service = Service()
app = Starlette(
    routes=[
        Route("/reports", service.submit_report, methods=["POST"]),
        Mount("/status", Probe(service)),
        Mount("/metrics", make_asgi_app()),
    ],
    lifespan=service.lifespan,
)


async def work() -> None:
    """Work until SIGTERM comes, then give running jobs the grace period to end."""
    ports, stopping = Ports(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    start_http_server(ports.metrics_port)
    async with (
        open_manager(instrumentation=measured()) as jobs,
        serve(jobs, "0.0.0.0", ports.probe_port),  # noqa: S104 - the pod's own address
        Worker(jobs, tasks),
    ):
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(work())
