"""The SQL store of jobcore."""

from jobcore_sql.dialects.sqlite import SQLOptions
from jobcore_sql.store import SQLJobStore

__all__ = ["SQLJobStore", "SQLOptions"]
