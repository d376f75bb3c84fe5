"""Faults of whoever takes spans and metrics: logged, and let out to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_logger = logging.getLogger("jobcore.telemetry")


@contextmanager
def quietly() -> Iterator[None]:
    """Log what is raised within, as it must not become the error of a job."""
    try:
        yield
    except Exception:
        _logger.exception("telemetry failed")
