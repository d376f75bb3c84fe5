"""The same program, tests and examples on every store, by one environment variable."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.script import EXAMPLES, environment, run
from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql, postgresql

STORES = (
    *("memory", "sqlite", "postgresql", "redis"),
    pytest.param("mysql", marks=mysql.needed),
)


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, tmp_path: Path) -> str:
    """What the variable is set to."""
    match kind:
        case "memory":
            return "memory://"
        case "sqlite":
            return f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
        case "postgresql":
            return postgresql.url("18")
        case "mysql":
            return asyncio.run(mysql.url())
        case _:
            return redis.url("6.2")


@pytest.mark.timeout(300)  # a run of pytest within, on a machine that may be busy
def test_the_program_of_a_host_runs_and_its_tests_pass_beside_it(store: str) -> None:
    finished = run("host_application.py", store=store)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == [
        "to ada@example.org: Welcome, Ada!",
        "Ada was welcomed",
        "to alan@example.org: Welcome, Alan!",
        "Alan was welcomed",
    ]
    # Options of the outer run, such as coverage with its threshold, are not meant.
    tested = subprocess.run(  # noqa: S603 - our own tests
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            str(EXAMPLES / "test_host_application.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLES.parent,
        env={**environment(store), "PYTEST_ADDOPTS": ""},
    )
    assert tested.returncode == 0, tested.stdout
    assert "7 passed" in tested.stdout


def test_checksums_are_made_and_known_to_the_next_run_where_the_store_lasts(
    kind: str, store: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(20):
        (tree / f"{number}").write_text(f"{kind} {number}")
    for lasting in (False, kind != "memory"):
        finished = run("checksums.py", "tree", "--json", cwd=tmp_path, store=store)
        assert finished.returncode == 0, finished.stderr
        numbers = json.loads(finished.stdout)
        assert numbers["completed"] == 20
        assert (numbers["jobs_per_second"] == 0) is lasting
        judged = subprocess.run(
            ["sha256sum", "--check", "--strict", "SHA256SUMS"],  # noqa: S607 - coreutils
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert judged.stdout.count(": OK") == 20, judged
