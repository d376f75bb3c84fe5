"""The SQL store of jobcore."""

from jobcore_sql.embedding import add_tables, current_revision, migrate
from jobcore_sql.options import SQLOptions
from jobcore_sql.store import SQLJobStore

__all__ = [
    "SQLJobStore",
    "SQLOptions",
    "add_tables",
    "current_revision",
    "migrate",
]
