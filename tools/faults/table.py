"""What a run is told in: a few lines, and rows of the tables in docs/faults.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

from tools.faults.calls import CallReport
from tools.faults.cuts import CutReport
from tools.faults.experiment import WORKERS, Report
from tools.faults.judge import Verdict
from tools.faults.spread import UNEVEN, SpreadReport

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the document, between two comments with its *name*. The first *keys*
    of its *columns* tell its rows apart."""

    name: str
    keys: int
    columns: Row

    def written(self, text: str, new: Row) -> str:
        """The document *text* with the row *new*, in the place of an older one."""
        begin, end = f"<!-- {self.name} -->", f"<!-- end of {self.name} -->"
        before, _, rest = text.partition(begin)
        table, _, after = rest.partition(end)
        rows = [_cells(line) for line in table.strip().splitlines()[2:]]
        key = new[: self.keys]
        places = [at for at, each in enumerate(rows) if each[: self.keys] == key]
        at = places[0] if places else len(rows)
        rows[at : at + 1] = [new]
        lines = [_line(self.columns), _line(["---"] * len(new)), *map(_line, rows)]
        return "\n".join([f"{before}{begin}", *lines, f"{end}{after}"])


WORKER_FAULTS: Final = Table(
    "faults",
    2,
    (
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
    ),
)
OUTAGES: Final = Table(
    "outages",
    2,
    (
        "fault",
        "store",
        "times",
        "jobs",
        "lost",
        "run twice",
        "of these to the end twice",
        "unexplained",
        "stale writes refused",
        "until a worker goes on: median, longest (bound)",
        "claims lost",
        "work of a worker meanwhile: median, most (bound)",
        "submits refused",
        "workers, lease",
        "day",
    ),
)
FAILOVERS: Final = Table(
    "failovers",
    1,
    (
        "fault",
        "times",
        "jobs",
        "forgotten",
        "the first of them before the fault (bound)",
        "lost",
        "run twice",
        "of these to the end twice",
        "unexplained",
        "stale writes refused",
        "stale writes accepted",
        "until a worker goes on: median, longest (bound)",
        "claims lost",
        "workers, lease",
        "day",
    ),
)
SPREAD: Final = Table(
    "spread",
    1,
    (
        "jobs",
        "claims at each master",
        "scripts run by each master",
        "furthest from even (bound)",
        "day",
    ),
)
CUTS: Final = Table(
    "cuts",
    2,
    (
        "act",
        "store",
        "cuts",
        "of these when it was done",
        "lost",
        "done twice, or in part",
        "errors, or other answers",
        "day",
    ),
)
CALLS: Final = Table(
    "calls",
    2,
    (
        "calls",
        "store",
        "how many",
        "done",
        "not done",
        "done twice, or in part",
        "errors",
        "deadlocks",
        "left behind",
        "day",
    ),
)


def worker_row(fault: str, store: str, report: Report) -> Row:
    """For a fault of workers."""
    verdict = report.verdict
    lease, sweep = report.lease.total_seconds(), report.sweep.total_seconds()
    return (
        *(fault, store, f"{verdict.strikes}", *_of_jobs(report)),
        _recovery(report),
        _spread(verdict.completions),
        f"{verdict.bystanders}",
        f"{WORKERS}, {lease:g} s, {sweep:g} s",
        _today(),
    )


def outage_row(fault: str, store: str, report: Report) -> Row:
    """For an outage of a server."""
    verdict = report.verdict
    return (
        *(fault, store, f"{verdict.outages}", *_of_jobs(report)),
        _resumption(report),
        f"{verdict.bystanders}",
        _work(verdict),
        f"{verdict.refusals}",
        f"{WORKERS}, {report.lease.total_seconds():g} s",
        _today(),
    )


def failover_row(fault: str, report: Report) -> Row:
    """For the loss of a server that another took the place of."""
    verdict = report.verdict
    jobs, lost, *others = _of_jobs(report)
    first = f"{max(verdict.forgotten):.2f} s" if verdict.forgotten else "-"
    return (
        *(fault, f"{verdict.outages}", jobs),
        *(f"{len(verdict.forgotten)}", f"{first} ({verdict.forgets:.2f} s)"),
        *(lost, *others, f"{len(verdict.stale)}"),
        *(_resumption(report), f"{verdict.bystanders}"),
        f"{WORKERS}, {report.lease.total_seconds():g} s",
        _today(),
    )


def spread_row(report: SpreadReport) -> Row:
    """For a queue that was worked off by all masters."""
    return (
        f"{report.jobs:,}",
        ", ".join(f"{each:,}" for each in report.claims),
        ", ".join(f"{each:,}" for each in report.scripts),
        f"{report.furthest:.1%} ({UNEVEN:.0%})",
        _today(),
    )


def cut_row(act: str, store: str, report: CutReport) -> Row:
    """For an act that was cut off at each of its requests."""
    wrong = (report.lost, report.otherwise, report.refused)
    return (
        *(f"`{act}`", store, f"{report.cuts}", f"{report.done}"),
        *(f"{len(each)}" for each in wrong),
        _today(),
    )


def call_row(title: str, store: str, report: CallReport) -> Row:
    """For calls to which something was done."""
    counts = (report.calls, report.done, report.undone, len(report.otherwise))
    after = (len(report.refused), report.deadlocks, len(report.left))
    return (title, store, *(f"{each:,}" for each in (*counts, *after)), _today())


def described(report: Report) -> str:
    """What an experiment showed, to be read at once."""
    verdict = report.verdict
    struck = [
        f"{verdict.strikes} strikes on workers that held {verdict.claims} jobs",
        f"given back after {_recovery(report)}",
        f"then completed after {_spread(verdict.completions)}",
    ]
    gone_on = [f"{verdict.outages} outages, then going on after {_resumption(report)}"]
    return "\n".join(
        [
            *(gone_on if verdict.outages else struck),
            f"{len(verdict.forgotten)} forgotten, {verdict.refusals} submits refused, "
            f"{_work(verdict)} of a core used meanwhile",
            f"{verdict.jobs} jobs in {report.seconds:.0f} s, {len(verdict.lost)} lost, "
            f"{report.attempts / verdict.jobs:.2f} claims per job; the last ones took "
            f"{report.drain:.1f} s",
            f"{verdict.run_twice} ran twice, {verdict.finished_twice} of them to the "
            f"end, {len(verdict.unexplained)} unexplained",
            f"{verdict.refused} stale writes refused",
            f"{verdict.bystanders} claims lost by workers that were left alone",
        ]
    )


def _of_jobs(report: Report) -> Row:
    verdict = report.verdict
    return (
        f"{verdict.jobs:,}",
        f"{len(verdict.lost)}",
        f"{verdict.run_twice:,}",
        f"{verdict.finished_twice:,}",
        f"{len(verdict.unexplained)}",
        f"{verdict.refused:,}",
    )


def _recovery(report: Report) -> str:
    bound = report.verdict.bound.total_seconds()
    return f"{_spread(report.verdict.recoveries)} ({bound:.2f} s)"


def _resumption(report: Report) -> str:
    within = report.verdict.resumed_within.total_seconds()
    return f"{_spread(report.verdict.resumptions)} ({within:.2f} s)"


def _work(verdict: Verdict) -> str:
    if not verdict.work:
        return "-"
    middle, most = median(verdict.work), max(verdict.work)
    return f"{middle:.1%}, {most:.1%} ({verdict.most_work:.0%})"


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s, {max(seconds):.2f} s" if seconds else "-"


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _cells(line: str) -> Row:
    return tuple(each.strip() for each in line.strip().strip("|").split("|"))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
