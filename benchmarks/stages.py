"""Tell where the time of a drain goes, in microseconds of CPU per job and stage.

    uv run benchmarks/stages.py [--stores memory,sqlite] [--jobs 50000] [--functions 20]

py-spy looks at the draining process from outside, a few hundred times a second, so that
nothing is added to what is measured. Each look at a thread that runs counts for the
stage of the innermost function of jobcore, to which belongs what it calls in other
libraries. The looks share out the CPU time of the process, so that the stages add up
to it. On a busy machine a thread that waits for a CPU is taken for one that runs.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import processes
import report
from contestant import Order
from processes import Entry
from stores import STORES

LOOP = "event loop"
WAITING = frozenset(
    {"concurrent/futures/thread.py:_worker", "jobcore_sql/lane.py:_serve_one"}
)
"""Innermost only in a thread that waits for work, or for a CPU to go on with it."""
STAGES: dict[str, str] = {
    "jobcore/claiming.py": "claim",
    "jobcore/memory/store.py:claim": "claim: the store",
    "jobcore_sql/claim.py": "claim: the store",
    "jobcore_sql/gate.py": "claim: the store",
    "jobcore_sql/single/claim.py": "claim: the store",
    "jobcore/worker/worker.py": "claim",
    "jobcore/worker/slots.py": "start and slots",
    "jobcore/worker/run.py": "start and slots",
    "jobcore/worker/suspects.py": "start and slots",
    "jobcore/arguments.py": "validate arguments",
    "benchmarks/with_jobcore.py:work": "handler",
    "jobcore/lifecycle.py": "outcome",
    "jobcore/payload.py": "outcome",
    "jobcore/worker/report.py": "report",
    "jobcore/ending.py": "report",
    "jobcore/report.py": "report",
    "jobcore/reporting.py": "report",
    "jobcore/batching.py": "report",
    "jobcore/calls.py": "report",
    "jobcore/default_manager.py:claim": "claim",
    "jobcore/default_manager.py": "report",
    "jobcore/memory/store.py:apply": "apply: the store",
    "jobcore_sql/apply.py": "apply: the store",
    "jobcore_sql/single/end.py": "apply: the store",
    "jobcore/worker/leases.py": "leases",
    "jobcore_sql/renew.py": "leases",
    "jobcore/memory/store.py:renew": "leases",
    "jobcore/upkeep.py": "upkeep",
    "jobcore_sql/wake.py": "waiting",
    "jobcore_sql/probe.py": "waiting",
    "jobcore_sql/connections.py": "begin, commit, threads",
    "jobcore_sql/pool.py": "begin, commit, threads",
    "jobcore_sql/lane.py": "begin, commit, threads",
    "jobcore_sql/dialects/sqlite.py": "begin, commit, threads",
    "concurrent/futures/thread.py": "begin, commit, threads",
}
"""To which stage a file belongs, or one function of it. What is not here belongs to
whoever called it."""
ORDER = tuple(dict.fromkeys(STAGES.values()))

_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+):(?P<line>\d+)\)")
_OURS = re.compile(r"/(?:src/)?((?:(?<=src/)jobcore\w*|benchmarks)/.+)")
_OTHERS = re.compile(r".*/python3\.\d+/(?:site-packages/)?")


@dataclass(frozen=True)
class Frame:
    function: str
    file: str

    @property
    def stage(self) -> str | None:
        """The stage that it belongs to by itself."""
        named = STAGES.get(f"{self.file}:{self.function}")
        return named or STAGES.get(self.file)


def frames(stack: str) -> Iterator[Frame]:
    """The frames of a stack as py-spy writes it, the innermost first."""
    for text in reversed(stack.split(";")):
        if found := _FRAME.fullmatch(text):
            file = found["file"]
            ours = _OURS.search(file)
            name = ours[1] if ours else _OTHERS.sub("", file)
            yield Frame(found["function"], name)


def stage_of(stack: Sequence[Frame]) -> str:
    """The stage of the innermost frame that has one."""
    return next((each.stage for each in stack if each.stage), LOOP)


def counted(text: str) -> tuple[Counter[str], Counter[str]]:
    """How often each stage was seen, and each function as the innermost."""
    stages, functions = Counter[str](), Counter[str]()
    for line in text.splitlines():
        stack, _, times = line.rpartition(" ")
        found = list(frames(stack))
        innermost = f"{found[0].file}:{found[0].function}" if found else LOOP
        if innermost not in WAITING:
            stages[stage_of(found)] += int(times)
            functions[innermost] += int(times)
    return stages, functions


async def watched(entry: Entry, order: Order, rate: int, folder: Path) -> float:
    """Drain, and let py-spy write into *folder* what it saw; the CPU time of the drain
    in microseconds per job."""
    async with entry.playing(order) as worker:
        await worker.heard("ready")
        spy = await asyncio.create_subprocess_exec(
            *(shutil.which("uv") or "uv", "tool", "run", "--quiet", "py-spy==0.4.1"),
            *("record", "--pid", str(worker.id), "--rate", str(rate)),
            *("--format", "raw", "--full-filenames", "--output", folder / "stacks"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = b""
        while spy.stdout is not None and b"Sampling process" not in said:
            said = await spy.stdout.readline()
            assert said, "py-spy does not run here; it needs ptrace"
        worker.tell()
        done = await worker.heard("done")
    await spy.communicate()
    return float(done["cpu"]) / order.jobs * 1e6


def an_order(entry: Entry, jobs: int, url: str) -> Order:
    """To fill the store and to drain it."""
    store = entry.offer.store
    return Order(role="drain", store=store, url=url, jobs=jobs, fill=True)


async def measure(entry: Entry, given: argparse.Namespace) -> str:
    """The table of one store."""
    store = STORES[entry.offer.store]
    with TemporaryDirectory(prefix="jobcore-stages-") as name:
        folder = Path(name)
        async with store.place(folder) as url:
            cpu = await watched(
                entry, an_order(entry, given.jobs, url), given.rate, folder
            )
        stages, functions = counted((folder / "stacks").read_text())
    total = stages.total()
    heads = (f"stage, {entry.offer.store}", "CPU µs per job", "part")
    shares = [(each, stages[each] / total) for each in (*ORDER, LOOP) if stages[each]]
    lines = [(each, f"{part * cpu:.2f}", f"{part:.0%}") for each, part in shares]
    lines.append(("all", f"{cpu:.2f}", f"{total:,} looks"))
    text = list(report.table(heads, lines))
    if given.functions:
        most = functions.most_common(given.functions)
        lines = [
            (each, f"{n / total * cpu:.2f}", f"{n / total:.0%}") for each, n in most
        ]
        text += ["", *report.table(("innermost function", *heads[1:]), lines)]
    return "\n".join(text)


async def run(given: argparse.Namespace) -> None:
    for entry in await processes.entries(report.OURS):
        if entry.offer.store in given.stores:
            print(await measure(entry, given), end="\n\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Where the time of a drain goes")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=STORES)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=250, help="looks per second")
    parser.add_argument("--functions", type=int, default=0, help="how many to list")
    given = parser.parse_args()
    if unknown := set(given.stores) - set(STORES):
        parser.error(f"{sorted(unknown)} is not among {list(STORES)}")
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    print()
    asyncio.run(run(given))


if __name__ == "__main__":
    main()
