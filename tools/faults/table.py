"""What a run is told in: a few lines, and a row of the table in docs/faults.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from tools.faults.experiment import SETTINGS, WORKERS, Report

COLUMNS = (
    "fault",
    "store",
    "times",
    "jobs",
    "lost",
    "run twice",
    "of these to the end twice",
    "unexplained",
    "stale writes refused",
    "time to recovery: median, longest (bound)",
    "then to completion: median, longest",
    "lost by others",
    "workers, lease, sweep",
    "day",
)
BEGIN, END = "<!-- faults -->", "<!-- end of faults -->"


def row(fault: str, store: str, report: Report) -> tuple[str, ...]:
    """The cells of one run."""
    verdict = report.verdict
    return (
        fault,
        store,
        f"{verdict.strikes}",
        f"{verdict.jobs:,}",
        f"{len(verdict.lost)}",
        f"{verdict.run_twice:,}",
        f"{verdict.finished_twice:,}",
        f"{len(verdict.unexplained)}",
        f"{verdict.refused:,}",
        _recovery(report),
        _spread(verdict.completions),
        f"{verdict.bystanders}",
        f"{WORKERS}, {SETTINGS['job_claim_timeout']} s, "
        f"{SETTINGS['stale_job_claim_check_interval']} s",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )


def written(text: str, new: Sequence[str]) -> str:
    """The document *text* with the row *new* in its table, instead of an older one of
    the same fault and store."""
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = [_cells(line) for line in table.strip().splitlines()[2:]]
    places = [at for at, each in enumerate(rows) if each[:2] == tuple(new[:2])]
    rows[slice(places[0], places[0] + 1) if places else slice(len(rows), None)] = [
        tuple(new)
    ]
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, rows)]
    return "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])


def described(report: Report) -> str:
    """What a run showed, to be read at once."""
    verdict = report.verdict
    return "\n".join(
        [
            f"{verdict.strikes} strikes on workers that held {verdict.claims} jobs",
            f"{verdict.jobs} jobs in {report.seconds:.0f} s, {len(verdict.lost)} lost, "
            f"{report.attempts / verdict.jobs:.2f} claims per job; the last ones took "
            f"{report.drain:.1f} s",
            f"{verdict.run_twice} ran twice, {verdict.finished_twice} of them to the "
            f"end, {len(verdict.unexplained)} unexplained",
            f"{verdict.refused} stale writes refused",
            f"given back after {_recovery(report)}",
            f"then completed after {_spread(verdict.completions)}",
            f"{verdict.bystanders} claims lost by workers that were left alone",
            *(f"WRONG: {each}" for each in verdict.wrong),
        ]
    )


def _recovery(report: Report) -> str:
    bound = report.verdict.bound.total_seconds()
    return f"{_spread(report.verdict.recoveries)} ({bound:.2f} s)"


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s, {max(seconds):.2f} s" if seconds else "-"


def _cells(line: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in line.strip().strip("|").split("|"))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
