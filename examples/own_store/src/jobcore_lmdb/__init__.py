"""Jobs in an LMDB file, which any number of processes of one host share."""

from jobcore_lmdb.control import LMDBJobStore
from jobcore_lmdb.store import PlainLMDBJobStore

__all__ = ["LMDBJobStore", "PlainLMDBJobStore"]
