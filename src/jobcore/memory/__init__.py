"""A store in memory: the shortest true reading of the contract.

It lives and dies with its process and is for tests, for small services that may lose
their jobs, and for reading. No method but `wait` awaits anything, so each is one atomic
step of the event loop.
"""

from jobcore.memory.store import InMemoryJobStore

__all__ = ["InMemoryJobStore"]
