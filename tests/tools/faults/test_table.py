"""The table is renewed row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tools.faults.calls import CallReport
from tools.faults.cuts import CutReport
from tools.faults.experiment import Report
from tools.faults.judge import Verdict
from tools.faults.spread import SpreadReport
from tools.faults.table import (
    CALLS,
    CUTS,
    FAILOVERS,
    OUTAGES,
    SPREAD,
    WORKER_FAULTS,
    call_row,
    cut_row,
    described,
    failover_row,
    outage_row,
    spread_row,
    worker_row,
)

EMPTY = "# Faults\n\n<!-- faults -->\n<!-- end of faults -->\n\nThe end.\n"
VERDICT = Verdict(
    strikes=200,
    jobs=12345,
    lost=("job a is not in the store",),
    run_twice=21,
    finished_twice=3,
    unexplained=(),
    refused=4,
    claims=900,
    recoveries=(2.0, 2.5, 3.0),
    bound=timedelta(seconds=3.5),
    completions=(1.0, 9.0, 2.0),
    untimely=(),
    bystanders=0,
)
REPORT = Report(
    VERDICT,
    seconds=300,
    drain=4,
    attempts=20000,
    lease=timedelta(seconds=2),
    sweep=timedelta(seconds=0.5),
)


def test_a_row_has_all_columns() -> None:
    cells = dict(
        zip(WORKER_FAULTS.columns, worker_row("kill", "SQLite", REPORT), strict=True)
    )
    assert cells["fault"] == "kill"
    assert cells["jobs"] == "12,345"
    assert cells["lost"] == "1"
    assert cells["stale writes refused"] == "4"
    assert cells["time to recovery: median, longest (bound)"] == (
        "2.50 s, 3.00 s (3.50 s)"
    )
    assert cells["then to completion: median, longest"] == "2.00 s, 9.00 s"


def test_rows_are_added_and_replaced() -> None:
    one, other = (worker_row("kill", store, REPORT) for store in ("SQLite", "Redis"))
    text = WORKER_FAULTS.written(WORKER_FAULTS.written(EMPTY, one), other)
    newer = (*one[:2], "7", *one[3:])
    text = WORKER_FAULTS.written(text, newer)
    assert text.startswith("# Faults\n\n<!-- faults -->\n| fault | store |")
    assert text.endswith("<!-- end of faults -->\n\nThe end.\n")
    rows = [line for line in text.splitlines() if line.startswith("| kill")]
    assert [line.split(" | ")[1:3] for line in rows] == [
        ["SQLite", "7"],
        ["Redis", "200"],
    ]


def test_tables_are_written_each_in_its_place() -> None:
    verdict = replace(
        VERDICT,
        strikes=0,
        outages=20,
        resumptions=(0.5, 1.0, 4.0),
        resumed_within=timedelta(seconds=5),
        work=(0.01, 0.02, 0.04),
        most_work=0.1,
        refusals=7,
        forgotten=(0.2, 0.4),
        forgets=2,
        stale=("one", "two"),
    )
    cut = CutReport(cuts=8, done=2, lost=["one"])
    called = CallReport(calls=1000, done=900, undone=99, otherwise=["one"])
    rows = {
        OUTAGES: outage_row(
            "terminated", "PostgreSQL", replace(REPORT, verdict=verdict)
        ),
        FAILOVERS: failover_row("killed", replace(REPORT, verdict=verdict)),
        SPREAD: spread_row(SpreadReport(3000, (1100, 1000, 900), (31, 30, 29))),
        CUTS: cut_row("submit", "Redis", cut),
        CALLS: call_row("cancelled", "PostgreSQL", called),
    }
    text = "".join(
        f"<!-- {each.name} -->\n<!-- end of {each.name} -->\n" for each in rows
    )
    for table, row in rows.items():
        assert len(row) == len(table.columns)
        text = table.written(text, row)
    lines = [line for line in text.splitlines() if line[:5] not in {"<!-- ", "| ---"}]
    told = [line.rpartition(" | ")[0] for line in lines[1::2]]
    assert told == [
        "| terminated | PostgreSQL | 20 | 12,345 | 1 | 21 | 3 | 0 | 4"
        " | 1.00 s, 4.00 s (5.00 s) | 0 | 2.0%, 4.0% (10%) | 7 | 4, 2 s",
        "| killed | 20 | 12,345 | 2 | 0.40 s (2.00 s) | 1 | 21 | 3 | 0 | 4 | 2"
        " | 1.00 s, 4.00 s (5.00 s) | 0 | 4, 2 s",
        "| 3,000 | 1,100, 1,000, 900 | 31, 30, 29 | 10.0% (20%)",
        "| `submit` | Redis | 8 | 2 | 1 | 0 | 0",
        "| cancelled | PostgreSQL | 1,000 | 900 | 99 | 1 | 0 | 0 | 0",
    ]


def test_an_experiment_is_described_in_lines() -> None:
    assert "12345 jobs in 300 s, 1 lost, 1.62 claims per job" in described(REPORT)
