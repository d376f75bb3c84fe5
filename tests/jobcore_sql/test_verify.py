"""What `verify` finds when the file was tampered with."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jobcore import StoreError
from jobcore.testing import a_job, a_request, inserted
from jobcore_sql import SQLJobStore

pytestmark = pytest.mark.anyio

TAMPERINGS = {
    "counts": "UPDATE counts SET n = n + 1",
    "unique_key": "UPDATE jobs SET unique_lock = 'other'",
    "labels": "DELETE FROM labels",
    "token": "UPDATE jobs SET token = 'x'",
    "lease": "UPDATE jobs SET lease_until = 5",
    "held_by": "UPDATE jobs SET held_by = 'x'",
    "attempt": "UPDATE jobs SET attempt = 1",
    "attempts": "INSERT INTO attempts (job_id, number, worker, started_at)"
    " VALUES ('none', 1, 'w', 0)",
}


@pytest.mark.parametrize("rule", TAMPERINGS)
async def test_verify_names_the_rule_that_is_broken(
    store: SQLJobStore, path: Path, rule: str
) -> None:
    await inserted(store, a_job(labels={"a": "b"}, unique_key="key"))
    assert (await store.verify()).sound
    database = sqlite3.connect(path)
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute(TAMPERINGS[rule])
    database.commit()
    database.close()
    findings = (await store.verify()).findings
    assert rule in findings
    assert all(findings.values())


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE jobs SET labels = '{'",
        "UPDATE jobs SET timeout = 'x'",
        "UPDATE jobs SET unique_scope = 'paused'",
        "UPDATE jobs SET max_retries = 'many'",
        "UPDATE jobs SET due_at = -100000000000000000",
    ],
)
async def test_a_row_that_cannot_be_read_is_an_error_of_the_store(
    store: SQLJobStore, path: Path, tampering: str
) -> None:
    await inserted(store, a_job())
    database = sqlite3.connect(path)
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute(tampering)
    database.commit()
    database.close()
    with pytest.raises(StoreError, match="not of this release"):
        await store.claim(a_request(limit=5))
    assert await store.workers() == [], "and the store goes on"
