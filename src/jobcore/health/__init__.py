"""Health: whether a process lives, has started, and reaches its store."""

from jobcore.health.health import Check, Health, HealthChecks
from jobcore.health.probe import Healthy, Probe
from jobcore.health.server import serve

__all__ = ["Check", "Health", "HealthChecks", "Healthy", "Probe", "serve"]
