"""Workers: they claim jobs, run their handlers, renew their leases, and report."""

from jobcore.worker.worker import Worker

__all__ = ["Worker"]
