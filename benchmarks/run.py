"""Measure jobcore and its peers on the same work, in one run.

    uv run benchmarks/run.py [--only drain,two] [--stores sqlite] [--peers huey]

Prints a table per work and store, and writes `results.json`, `results.md` and a plot
per work into the output folder. Peers run in environments of their own, which uv makes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import processes
import report
from processes import HERE, SilentError
from stores import STORES, OccupiedError
from works import WORKS, Sample, Size, UnsoundError, measured


def arguments() -> argparse.Namespace:
    """What is wanted."""
    parser = argparse.ArgumentParser(description="Measure jobcore and its peers")
    parser.add_argument("--only", type=_listed(WORKS), default=list(WORKS))
    parser.add_argument("--stores", type=_listed(STORES), default=list(STORES))
    names = processes.names()
    peers = [each for each in names if each != report.OURS]
    parser.add_argument("--peers", type=_listed(peers), default=peers)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--samples", type=int, default=300, help="of the latency")
    parser.add_argument("--pause", type=float, default=0.1, help="between lone jobs")
    parser.add_argument("--output", type=Path, default=HERE / "output")
    parser.add_argument("--markdown", type=Path, help="a file for the report")
    parser.add_argument("--no-plots", dest="plots", action="store_false")
    return parser.parse_args()


def _listed(known: Iterable[str]) -> Callable[[str], list[str]]:
    def listed(text: str) -> list[str]:
        wanted = [each for each in text.split(",") if each]
        if unknown := set(wanted) - set(known):
            problem = f"{sorted(unknown)} is not among {list(known)}"
            raise argparse.ArgumentTypeError(problem)
        return wanted

    return listed


async def run(given: argparse.Namespace) -> report.Results:
    """All samples. Every contestant has its turn before any has its next, so that a
    machine that slows down does so for all. A peer that fails is noted, and jobcore may
    not fail."""
    entries = [
        entry
        for name in (report.OURS, *given.peers)
        for entry in await processes.entries(name)
        if entry.offer.store in given.stores and entry.offer.works & set(given.only)
    ]
    size = Size(given.jobs, given.concurrency, given.samples, given.pause)
    samples: list[Sample] = []
    failures: list[str] = []
    for repeat in range(given.repeat):
        for work in given.only:
            for entry in entries:
                if work not in entry.offer.works:
                    continue
                try:
                    sample = await measured(entry, work, size)
                except (SilentError, UnsoundError) as error:
                    if entry.name == report.OURS:
                        raise
                    place = f"{entry.label}, {work}, {entry.offer.store}"
                    failures.append(f"{place}: {error}")
                else:
                    samples.append(sample)
                    _tell(repeat, sample)
    return report.Results(report.machine(), entries, samples, failures)


def _tell(repeat: int, sample: Sample) -> None:
    figure = f"{sample.rate:,.0f} jobs/s" if sample.rate else f"p50 {sample.p50:.1f} ms"
    place = f"{sample.work:8} {sample.store:8} {sample.contestant}"
    print(f"{repeat + 1}. {place}: {figure}", file=sys.stderr, flush=True)


def main() -> int:
    given = arguments()
    try:
        results = asyncio.run(run(given))
    except (OccupiedError, SilentError, UnsoundError) as error:
        print(error, file=sys.stderr)
        return 1
    text = report.markdown(results)
    print(text)
    given.output.mkdir(parents=True, exist_ok=True)
    raw = given.output / "results.json"
    known = {
        "machine": results.machine,
        "works": WORKS,
        "samples": list(map(asdict, results.samples)),
        "failures": results.failures,
    }
    raw.write_text(json.dumps(known, indent=1))
    for file in filter(None, (given.output / "results.md", given.markdown)):
        file.write_text(text)
    if given.plots:
        processes.run_script("plot.py", raw, given.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
