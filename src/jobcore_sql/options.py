"""How a SQL store works, whatever its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import with_config

from jobcore_sql.naming import Naming

Synchronous = Literal["off", "normal", "full", "extra"]


@with_config(extra="forbid")
@dataclass(frozen=True, slots=True, kw_only=True)
class SQLOptions:
    """How a SQL store works.

    An empty or older database is brought to this release's schema with *auto_migrate*,
    and refused without.

    The tables lie in *schema*, where the database has schemas (PostgreSQL), and every
    name begins with *prefix*; stores with another schema or prefix are none of theirs.
    Without a schema it is the first of the connection's search path, which stays as it
    is. Both are made of lower case letters, digits and underscores.

    For SQLite: *busy_timeout* is how long a transaction waits for the lock that another
    process has. With *synchronous* `normal` a power failure (not a crash) may lose the
    last commits and damages nothing; `full` loses none, for one disk flush per commit.

    For servers: *pool_size* is how many connections the store opens at most, besides
    one that renews leases, which wait for nothing else, and one that listens (on
    PostgreSQL). A call that gets no answer within *call_timeout* is given up with its
    connection; a statement is ended by the server after *statement_timeout*, and after
    *lock_timeout* if it waits for a lock. On MySQL that is whole seconds, and an engine
    of the host's has its own timeouts. Behind a *transaction_pooler*, such as
    pgbouncer, nothing is kept in a connection from one transaction to the next: each
    makes its own settings, for a round trip or two, and no statement stays prepared.
    """

    auto_migrate: bool = True
    schema: str | None = None
    prefix: str = ""
    busy_timeout: timedelta = timedelta(seconds=30)
    synchronous: Synchronous = "normal"
    pool_size: int = 5
    transaction_pooler: bool = False
    call_timeout: timedelta = timedelta(seconds=15)
    statement_timeout: timedelta = timedelta(seconds=10)
    lock_timeout: timedelta = timedelta(seconds=2)

    def __post_init__(self) -> None:
        _ = self.naming  # which checks it

    @property
    def naming(self) -> Naming:
        """What the tables are called."""
        return Naming(self.schema, self.prefix)
