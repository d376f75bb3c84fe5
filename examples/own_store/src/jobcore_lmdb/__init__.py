"""Jobs in an LMDB file, which any number of processes of one host share."""

from jobcore_lmdb.control import ControlledLMDBJobStore
from jobcore_lmdb.schedules import SchedulingLMDBJobStore
from jobcore_lmdb.store import PlainLMDBJobStore

__all__ = ["LMDBJobStore", "PlainLMDBJobStore"]


class LMDBJobStore(ControlledLMDBJobStore, SchedulingLMDBJobStore):
    """Keeps jobs in an LMDB file, can pause and limit them, and keeps schedules."""
