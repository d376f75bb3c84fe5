"""Jobs in an LMDB file, which any number of processes of one host share."""

from jobcore_lmdb.explaining import ExplainableLMDBJobStore
from jobcore_lmdb.schedules import SchedulingLMDBJobStore
from jobcore_lmdb.store import PlainLMDBJobStore

__all__ = ["LMDBJobStore", "PlainLMDBJobStore"]


class LMDBJobStore(ExplainableLMDBJobStore, SchedulingLMDBJobStore):
    """Keeps jobs in an LMDB file, can pause and limit them and tell why they wait, and
    keeps schedules."""
