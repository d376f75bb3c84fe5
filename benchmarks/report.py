"""The results of a run as text: one table per work and store, then the settings."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from processes import Entry
from works import WORKS, Sample

OURS = "jobcore"


@dataclass(frozen=True)
class Results:
    """What a run found: where, who took part, and what failed."""

    machine: Mapping[str, str]
    entries: Sequence[Entry]
    samples: Sequence[Sample]
    failures: Sequence[str]


@dataclass(frozen=True)
class Row:
    """A contestant's samples of one work on one store, put together."""

    contestant: str
    samples: Sequence[Sample]

    def middle(self, name: str) -> float | None:
        """The median of what is called *name*."""
        values = self.values(name)
        return median(values) if values else None

    def values(self, name: str) -> list[float]:
        """All that is called *name*."""
        found = (getattr(each, name) for each in self.samples)
        return [each for each in found if each is not None]


def machine() -> dict[str, str]:
    """Where the figures come from."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpus": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def rows(samples: Sequence[Sample], work: str, store: str) -> list[Row]:
    """One row per contestant, in the order in which they were measured."""
    found = [each for each in samples if (each.work, each.store) == (work, store)]
    labels = dict.fromkeys(each.contestant for each in found)
    return [
        Row(label, [each for each in found if each.contestant == label])
        for label in labels
    ]


def markdown(results: Results) -> str:
    """The whole report."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    samples = results.samples
    yield "; ".join(f"{name}: {value}" for name, value in results.machine.items())
    for work, title in WORKS.items():
        for store in dict.fromkeys(each.store for each in samples):
            found = rows(samples, work, store)
            if found:
                yield f"\n**{title}, {store}**\n"
                yield from _latencies(found) if work == "latency" else _rates(found)
    if results.failures:
        yield "\n**failed, and not counted**\n"
        yield from (f"* {each}" for each in results.failures)
    yield "\n**settings**\n"
    yield from table(
        ("contestant", "store", "version", "settings"),
        [
            (each.label, each.offer.store, each.version, each.offer.settings)
            for each in results.entries
        ],
    )


def _rates(found: Sequence[Row]) -> Iterator[str]:
    ours = _ours(found, "rate")
    yield from table(
        (
            "contestant",
            "jobs/s",
            "min-max",
            "jobcore is",
            "CPU µs per job",
            "jobcore uses",
            "µs of the server",
            "bytes",
            "jobs",
        ),
        [
            (
                row.contestant,
                number(row.middle("rate")),
                span(row.values("rate")),
                ratio(ours, row.middle("rate")),
                number(row.middle("client_cpu")),
                ratio(_ours(found, "client_cpu"), row.middle("client_cpu")),
                number(row.middle("server_cpu")),
                number(row.middle("server_memory")),
                f"{row.samples[0].jobs:,} x {len(row.samples)}",
            )
            for row in found
        ],
    )


def _latencies(found: Sequence[Row]) -> Iterator[str]:
    yield from table(
        ("contestant", "p50 ms", "min-max", "p99 ms", "min-max", "jobs"),
        [
            (
                row.contestant,
                number(row.middle("p50")),
                span(row.values("p50")),
                number(row.middle("p99")),
                span(row.values("p99")),
                f"{row.samples[0].jobs:,} x {len(row.samples)}",
            )
            for row in found
        ],
    )


def _ours(found: Sequence[Row], name: str) -> float | None:
    return next((each.middle(name) for each in found if each.contestant == OURS), None)


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown that is one in plain text, too."""
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    for cells in (heads, ["-" * width for width in widths], *lines):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"| {' | '.join(padded)} |"


def number(value: float | None) -> str:
    """A figure with as many digits as it is worth."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def span(values: Sequence[float]) -> str:
    """The least and the most."""
    return f"{number(min(values))}-{number(max(values))}" if values else "-"


def ratio(ours: float | None, theirs: float | None) -> str:
    """How many times theirs ours is."""
    return f"{ours / theirs:.2f} x" if ours and theirs else "-"
