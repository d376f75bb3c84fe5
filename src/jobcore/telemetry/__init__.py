"""Telemetry: spans and metrics by OpenTelemetry (extra `otel`).

    async with (
        open_manager(url, instrumentation=Telemetry()) as jobs,
        Worker(jobs, tasks),
    ):
        ...

Providers and exporters are the host's: without an SDK of OpenTelemetry nothing is
measured, and traces are only passed on.
"""

try:
    from jobcore.telemetry.telemetry import Telemetry
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("opentelemetry"):
        raise
    advice = "OpenTelemetry is missing: pip install 'jobcore-core[otel]'"
    raise ModuleNotFoundError(advice, name=error.name) from error

__all__ = ["Telemetry"]
