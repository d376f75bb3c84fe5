"""The SQL store of jobcore."""

from jobcore_sql.options import SQLOptions
from jobcore_sql.store import SQLJobStore

__all__ = ["SQLJobStore", "SQLOptions"]
