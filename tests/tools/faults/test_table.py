"""The table is renewed row by row."""

from __future__ import annotations

from datetime import timedelta

from tools.faults.experiment import Report
from tools.faults.judge import Verdict
from tools.faults.table import COLUMNS, described, row, written

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
REPORT = Report(VERDICT, seconds=300, drain=4, attempts=20000)


def test_a_row_has_all_columns() -> None:
    cells = dict(zip(COLUMNS, row("kill", "SQLite", REPORT), strict=True))
    assert cells["fault"] == "kill"
    assert cells["jobs"] == "12,345"
    assert cells["lost"] == "1"
    assert cells["stale writes refused"] == "4"
    assert cells["time to recovery: median, longest (bound)"] == (
        "2.50 s, 3.00 s (3.50 s)"
    )
    assert cells["then to completion: median, longest"] == "2.00 s, 9.00 s"


def test_rows_are_added_and_replaced() -> None:
    one, other = (row("kill", store, REPORT) for store in ("SQLite", "Redis"))
    text = written(written(EMPTY, one), other)
    newer = (*one[:2], "7", *one[3:])
    text = written(text, newer)
    assert text.startswith("# Faults\n\n<!-- faults -->\n| fault | store |")
    assert text.endswith("<!-- end of faults -->\n\nThe end.\n")
    rows = [line for line in text.splitlines() if line.startswith("| kill")]
    assert [line.split(" | ")[1:3] for line in rows] == [
        ["SQLite", "7"],
        ["Redis", "200"],
    ]


def test_what_is_wrong_is_said() -> None:
    assert "WRONG: job a is not in the store" in described(REPORT)
