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
except ModuleNotFoundError as _error:
    if not (_error.name or "").startswith("opentelemetry"):
        raise
    _advice = "OpenTelemetry is missing: pip install 'jobcore-core[otel]'"
    raise ModuleNotFoundError(_advice, name=_error.name) from _error

__all__ = ["Telemetry"]
