"""Rules that transactions on MySQL keep, where a server is there to try them on."""

from __future__ import annotations

import os
from typing import Final

from tests.jobcore_sql.mysql import NAMED
from tools.mutants.mutant import Mutant
from tools.mutants.places import (
    MYSQL,
    MYSQL_PLANS,
    MYSQL_TABLES,
    MYSQL_TRANSACTIONS,
)

_APPLY: Final = "jobcore_sql/apply.py"
_CLAIM: Final = "jobcore_sql/claim.py"
_CURSOR: Final = "jobcore_sql/dialects/mysql_cursor.py"
_DIALECT: Final = "jobcore_sql/dialects/mysql.py"
_POOL: Final = "jobcore_sql/pool.py"

_ALL: Final = (
    Mutant(
        "mysql: a repeated write is made twice",
        _APPLY,
        "answer is not Answer.APPLIED or transition.came_before(row.receipt)",
        "answer is not Answer.APPLIED",
        {MYSQL: ("apply_repeated",)},
    ),
    Mutant(
        "mysql: a claim waits for what is locked",
        _CLAIM,
        "    .limit(LIMIT)\n    .with_for_update(skip_locked=True)\n",
        "    .limit(LIMIT)\n    .with_for_update()\n",
        {MYSQL_TRANSACTIONS: ("passes_by",)},
    ),
    Mutant(
        "mysql: claims go by due time before priority",
        _CLAIM,
        "_PLACE = (jobs.c.priority, jobs.c.due_at, jobs.c.id)",
        "_PLACE = (jobs.c.due_at, jobs.c.priority, jobs.c.id)",
        {MYSQL: ("test_claim_takes", "test_claim_looks")},
    ),
    Mutant(
        "mysql: two claims count the jobs of a key at a time",
        "jobcore_sql/gate.py",
        "if not self._transaction.dialect.has_one_writer:",
        "if False:",
        {MYSQL: ("under_concurrent_claims",)},
    ),
    Mutant(
        "mysql: what a deadlock undid stays undone",
        _POOL,
        "_REPEATS: Final = 5",
        "_REPEATS: Final = 0",
        {MYSQL_TRANSACTIONS: ("deadlock",)},
    ),
    Mutant(
        "mysql: what is newer than the host's snapshot is not seen",
        "jobcore_sql/insert.py",
        "        look = _CLOSER_LOOK  # at what another transaction stored meanwhile\n",
        "",
        {MYSQL_TRANSACTIONS: ("snapshot",)},
    ),
    Mutant(
        "mysql: what is taken is an error",
        "jobcore_sql/bulk.py",
        "if not dialect.is_taken(error):",
        "if True:",
        {MYSQL_TRANSACTIONS: ("newer_than_the_snapshot",)},
    ),
    Mutant(
        "mysql: what reads has no snapshot",
        _DIALECT,
        '"START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT"',
        '"COMMIT"',
        {MYSQL_TRANSACTIONS: ("one_instant",)},
    ),
    Mutant(
        "mysql: long values are cut",
        _CURSOR,
        "_binary x'",
        "x'",
        {MYSQL_TABLES: ("long",)},
    ),
    Mutant(
        "mysql: a statement that is too long is an outage",
        _CURSOR,
        "if len(text) >= self._longest:",
        "if False:",
        {MYSQL_TABLES: ("too_long",)},
    ),
    Mutant(
        "mysql: an index has the jobs of all statuses in one",
        "jobcore_sql/partial.py",
        "condition.led_by is not None",
        "False",
        {MYSQL_PLANS: ()},
    ),
    Mutant(
        "mysql: a migration that was cut short begins anew",
        "jobcore_sql/migrations/builder.py",
        "if context.as_sql or context.impl.transactional_ddl:",
        "if True:",
        {MYSQL_TABLES: ("cut_short",)},
    ),
    Mutant(
        "mysql: what is folded is counted twice",
        "jobcore_sql/fold.py",
        "        transaction.write(_DELETE, ",
        "        id(",
        {"tests/jobcore_sql/test_fold.py": ("promote",)},
    ),
)

MYSQLS: Final = _ALL if NAMED in os.environ else ()
