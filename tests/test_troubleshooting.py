"""The page of troubleshooting is complete, and its programs run."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from jobcore import Cause, DefaultJobManager, InMemoryJobStore, JobRequest
from jobcore.faults import FAULTS as OF_ALL
from jobcore_redis.faults import FAULTS as OF_REDIS
from jobcore_sql.faults import FAULTS as OF_SQL

PAGE = (Path(__file__).parents[1] / "docs" / "troubleshooting.md").read_text()
PROGRAMS = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)


def codes(name: str) -> list[str]:
    """The codes in the first column of a table."""
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)\n\n", PAGE, re.DOTALL)
    firsts = [line.split("|")[1] for line in table.splitlines()[2:]]
    return [code for each in firsts for code in re.findall("`(.*?)`", each)]


def test_every_cause_is_explained_in_order() -> None:
    assert codes("causes") == [cause.value for cause in Cause]


def test_every_finding_is_explained_in_order() -> None:
    faults = [*OF_ALL, *OF_SQL, *OF_REDIS]
    assert codes("findings") == [each.code for each in faults]
    assert len({each.code for each in faults}) == len(faults)


@pytest.mark.anyio
@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_runs(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    whole = f"async def run(jobs, job_id):\n{indent(program, '    ')}"
    exec(compile(ast.parse(whole), "troubleshooting.md", "exec"), names)  # noqa: S102 - our own page
    store = InMemoryJobStore()
    async with store, DefaultJobManager(store) as jobs:
        job = await jobs.submit(JobRequest("send"))
        await jobs.claim("w-1", ["default"], 1)
        store.offset += jobs.config.job_claim_timeout * 10
        await names["run"](jobs, job.id)
    printed = capsys.readouterr().out
    assert "w-1" in printed or job.id in printed
