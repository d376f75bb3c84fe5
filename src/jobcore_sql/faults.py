"""The faults that are looked for on SQL databases."""

from __future__ import annotations

from typing import Final

from jobcore import Fault, Severity

_PROBLEM, _ADVICE = Severity.PROBLEM, Severity.ADVICE

SCHEMA_BEHIND: Final = Fault(
    code="schema_behind",
    severity=_PROBLEM,
    sentence="The tables are of revision {found}, and {expected} is this release's.",
    remedy="Migrate them: `python -m jobcore_sql migrate`.",
)
SCHEMA_AHEAD: Final = Fault(
    code="schema_ahead",
    severity=_ADVICE,
    sentence="The tables are of revision {found}, which is newer than {expected}.",
    remedy="This release can go on with them. Deploy the newer one here, too.",
)
MISSING_COLUMNS: Final = Fault(
    code="missing_columns",
    severity=_PROBLEM,
    sentence="Table {table} lacks {names}.",
    remedy="Somebody changed it by hand, or a migration did. Add what is missing.",
)
MISSING_INDEXES: Final = Fault(
    code="missing_indexes",
    severity=_PROBLEM,
    sentence="Table {table} lacks the indexes {names}: calls become slow as it grows.",
    remedy="Create them as the migrations do.",
)
MISSING_CONSTRAINTS: Final = Fault(
    code="missing_constraints",
    severity=_PROBLEM,
    sentence="Table {table} lacks the constraints {names}: nothing keeps jobs whole.",
    remedy="Create them as the migrations do.",
)
BLOAT: Final = Fault(
    code="bloat",
    severity=_ADVICE,
    sentence=(
        "Table {table} has {dead} dead rows beside {live} that live; the last vacuum "
        "was at {vacuumed_at}."
    ),
    remedy=(
        "Let autovacuum be on for it, end transactions that are open for long, and "
        "VACUUM it."
    ),
)
OLD_TRANSACTION: Final = Fault(
    code="old_transaction",
    severity=_ADVICE,
    sentence=(
        "A transaction of process {pid} ({state}) is open since "
        "{since:%Y-%m-%d %H:%M:%S} UTC: no row that is dead since then can be vacuumed."
    ),
    remedy="Let it end, or end it: SELECT pg_terminate_backend(pid).",
)
LARGE_LOG: Final = Fault(
    code="large_log",
    severity=_ADVICE,
    sentence="The write-ahead log {file} has {size} MiB.",
    remedy="Look for a process that reads for long, which keeps it from being reset.",
)
DEAF: Final = Fault(
    code="notifications_lost",
    severity=_ADVICE,
    sentence="No notification comes through, as behind a pooler of transactions.",
    remedy=(
        "Workers of other processes are woken by polling only. Give the store a way to "
        "the server past the pooler."
    ),
)
MAY_BE_DAMAGED: Final = Fault(
    code="may_be_damaged",
    severity=_PROBLEM,
    sentence="{setting} is {value}: a power failure may damage the database.",
    remedy="Turn it on, unless all jobs may be lost.",
)
MAY_LOSE_COMMITS: Final = Fault(
    code="may_lose_commits",
    severity=_ADVICE,
    sentence="{setting} is {value}: a power failure may lose the last commits.",
    remedy="See docs/durability.md for what that means.",
)

FAULTS: Final = (
    *(SCHEMA_BEHIND, SCHEMA_AHEAD),
    *(MISSING_COLUMNS, MISSING_INDEXES, MISSING_CONSTRAINTS),
    *(MAY_BE_DAMAGED, MAY_LOSE_COMMITS, BLOAT, OLD_TRANSACTION, LARGE_LOG, DEAF),
)
"""All of them, in the order in which they are looked for."""
