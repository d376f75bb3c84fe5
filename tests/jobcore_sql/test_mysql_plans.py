"""What MySQL does for the statements that must stay cheap: no scan, no sorting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from jobcore.testing import named
from jobcore_sql import SQLJobStore
from jobcore_sql.dialects.mysql_cursor import Cursor
from tests.jobcore_sql import mysql
from tests.jobcore_sql.test_plans import (
    a_bit_of_all,
    ahead,
    claim,
    claim_past_the_held,
    due_schedules,
    end,
    expired,
    find_by_label,
    fire,
    lift,
    limited,
    many_schedules,
    no_due_schedules,
    promote,
    prune,
    renew,
    statistics,
)

pytestmark = [pytest.mark.anyio, mysql.needed]

ACTS = [
    (claim, "jobs_queued"),
    (claim_past_the_held, "jobs_limited"),
    (end, "PRIMARY"),
    (renew, "PRIMARY"),
    (expired, "jobs_in_progress"),
    (promote, "jobs_scheduled"),
    (lift, "jobs_held"),
    (prune, "jobs_finished"),
    (statistics, "jobs_queued"),
    (due_schedules, "schedules_due"),
    (no_due_schedules, "schedules_due"),
    (fire, "PRIMARY"),
    (find_by_label, "PRIMARY"),
    (ahead, "jobs_queued"),
    (limited, "jobs_limited"),
]
WALKED = ("SELECT", "UPDATE", "DELETE", "WITH")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever the server runs, with its values."""
    seen: list[str] = []
    query = Cursor._query

    async def noting(cursor: Cursor, text: str) -> None:
        seen.append(text)
        await query(cursor, text)

    monkeypatch.setattr(Cursor, "_query", noting)
    return seen


@pytest.fixture
async def full(statements: list[str]) -> AsyncIterator[SQLJobStore]:
    """A store with jobs of all kinds; *statements* are those that follow."""
    async with mysql.empty_store() as store:
        await store.insert([named(store, each) for each in a_bit_of_all()])
        await many_schedules(store)
        await mysql.run("ANALYZE TABLE jobs, schedules")
        statements.clear()
        yield store


async def plans(statements: Iterable[str]) -> list[tuple[str, str, str, str, str]]:
    """How the server goes about each of *statements*: for each table that it reads, the
    way, the index, what it does besides, and the statement."""
    found = []
    for each in dict.fromkeys(statements):
        if each.startswith(WALKED):
            rows = await mysql.run(f"EXPLAIN {each}")
            found += [(row[2], row[3], row[5], row[9] or "", each) for row in rows]
    return found


@pytest.mark.parametrize(
    ("act", "index"), ACTS, ids=[each.__name__ for each, _ in ACTS]
)
async def test_a_verb_reads_by_its_index(
    full: SQLJobStore,
    statements: list[str],
    act: Callable[[SQLJobStore], Awaitable[None]],
    index: str,
) -> None:
    await act(full)
    tables = {"jobs", "labels", "schedules"}
    seen = [each for each in await plans(statements) if each[0] in tables]
    assert index in {used for _, _, used, _, _ in seen}
    assert not [each for each in seen if each[1] in {"ALL", "index"}]
    assert not [each for each in seen if "filesort" in each[3]]
