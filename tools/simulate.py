"""Simulate seeds until time is up, or one of them breaks an invariant.

    uv run tools/simulate.py [--seconds 60] [--first-seed 1] [--processes 2]
    uv run tools/simulate.py --seed 4711

The seeds are played one after the other, dealt out to processes. What they find is the
same on every machine; only how far they get depends on its speed. At the end a table
tells how often each fault met each event of a job. A seed that breaks an invariant is
printed with its violations, and the exit status is 1. `--seed` plays that one alone,
and prints its history.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from jobcore.testing.simulation import Meetings, simulate

BATCH = 50
"""So many seeds a process plays before it is given more."""


@dataclass
class Score:
    """What came of some seeds."""

    seeds: int = 0
    elapsed: float = 0.0
    calls: int = 0
    jobs: int = 0
    meetings: Meetings = field(default_factory=Meetings)
    violations: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Score) -> None:
        self.seeds += other.seeds
        self.elapsed += other.elapsed
        self.calls += other.calls
        self.jobs += other.jobs
        self.meetings.update(other.meetings)
        self.violations |= other.violations


def play(seeds: range) -> Score:
    score = Score()
    for seed in seeds:
        report = simulate(seed)
        score.seeds += 1
        score.elapsed += report.elapsed
        score.calls += len(report.history.calls)
        score.jobs += report.history.submitted
        score.meetings.update(report.meetings)
        if report.violations:
            score.violations[seed] = [str(each) for each in report.violations]
            break
    return score


def play_all(first: int, seconds: float, processes: int) -> Score:
    total, began_at = Score(), time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        while time.monotonic() - began_at < seconds and not total.violations:
            starts = (first + total.seeds + BATCH * n for n in range(processes))
            for score in pool.map(play, [range(each, each + BATCH) for each in starts]):
                total.add(score)
    return total


def show(total: Score, first: int, seconds: float) -> None:
    print(
        f"{total.seeds:,} seeds from {first} to {first + total.seeds - 1} in "
        f"{seconds:.0f} s, {total.seeds / seconds:.1f}/s: {total.elapsed / 3600:,.1f} "
        f"virtual hours, {total.jobs:,} jobs, {total.calls:,} calls to the store"
    )
    print(f"\nhow often which fault met which event:\n{total.meetings}")
    print(f"least often: {total.meetings.rarest():,}")


def replay(seed: int) -> int:
    report = simulate(seed, logs=True)
    for call in report.history.performed:
        print(call)
    for violation in report.violations:
        print(f"\n{violation}")
    print(f"\nseed {seed}: {len(report.violations)} violations")
    return 1 if report.violations else 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--first-seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options.add_argument("--seed", type=int, help="play this one alone")
    chosen = options.parse_args()
    if chosen.seed is not None:
        logging.basicConfig(level=logging.INFO)
        return replay(chosen.seed)
    began_at = time.monotonic()
    total = play_all(chosen.first_seed, chosen.seconds, chosen.processes)
    show(total, chosen.first_seed, time.monotonic() - began_at)
    for seed, violations in total.violations.items():
        print("", *violations, sep="\n")
        print(f"\nseed {seed} fails: uv run tools/simulate.py --seed {seed}")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
