"""The tables as a part of the `jobcore` command."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jobcore_sql.schema import HEAD
from tests.jobcore.cli.conftest import Command, command
from tests.jobcore_sql import postgresql
from tests.postgres_server import psql

__all__ = ["command"]


def test_tables_are_made_and_found_to_be_right(command: Command, url: str) -> None:
    told = command("schema", "check", "--store", url)
    assert (told.code, told.err) == (1, "")
    assert told.out == "there are no tables: `jobcore schema upgrade` makes them\n"
    for _ in range(2):
        told = command("schema", "upgrade", "--store", url)
        assert (told.code, told.out, told.err) == (0, f"{HEAD}\n", "")
    told = command("schema", "check", "--store", url)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"revision {HEAD}, and {HEAD} is this release's\n"


def test_what_is_missing_is_named(command: Command, url: str, path: Path) -> None:
    command("schema", "upgrade", "--store", url)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP INDEX jobs_queued")
    connection.close()
    told = command("schema", "check", "--store", url)
    assert told.code == 1
    assert "lacks the indexes jobs_queued" in told.out


def test_the_sql_of_an_upgrade_does_what_the_upgrade_does(
    command: Command, url: str, path: Path
) -> None:
    script = command("schema", "sql", "--store", url).out
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    assert command("schema", "check", "--store", url).code == 0
    assert command("schema", "sql", "--store", url).out == ""


def test_the_sql_is_whole_on_a_server_too(command: Command, server: str) -> None:
    there, database = postgresql.url(server), postgresql.database(server)
    for names in ("", "&jobcore_prefix=sql_"):
        url = f"{there}?jobcore_schema=by_sql{names}"
        script = command("schema", "sql", "--store", url).out
        assert script.startswith("BEGIN;")
        assert script.rstrip().endswith("COMMIT;")
        try:
            psql(database, script)
            assert command("schema", "check", "--store", url).code == 0
        finally:
            psql(database, "DROP SCHEMA by_sql CASCADE")


@pytest.mark.parametrize("act", ["upgrade", "check", "sql"])
@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        ("memory://", 2, "a store of 'memory' has no tables"),
        ("redis://localhost", 2, "a store of 'redis' has no tables"),
        ("sqlite:////there/is/none.db", 1, "unable to open"),
        ("postgresql://127.0.0.1:1/jobs", 1, "Connect"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    command: Command, act: str, url: str, code: int, sentence: str
) -> None:
    told = command("schema", act, "--store", url)
    assert (told.code, told.out) == (code, "")
    assert sentence in told.err
    assert told.err.count("\n") == 1
