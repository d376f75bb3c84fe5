"""Faults under load, and what became of the jobs.

    uv run python -m tools.faults [--fault kill|freeze] [--store SQLite] [--times N]
        [--folder DIR] [--write docs/faults.md]

Without `--fault`, all of them. The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tools.faults.experiment import Experiment
from tools.faults.faults import FAULTS
from tools.faults.table import described, row, written

STORES = {"SQLite": "sqlite+aiosqlite:///{folder}/jobs.db"}
"""Where each store is; {folder} is empty at the beginning of each experiment."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Faults under load")
    parser.add_argument("--fault", choices=FAULTS, help="by default each")
    parser.add_argument("--store", choices=STORES, help="by default each")
    parser.add_argument("--times", metavar="N", type=int, help="by default its own")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="keep files there")
    parser.add_argument("--write", metavar="FILE", type=Path, help="update its table")
    return parser.parse_args()


@contextmanager
def folder_for(given: Path | None, fault: str, store: str) -> Iterator[Path]:
    if given is None:
        with TemporaryDirectory(prefix="jobcore-faults-") as name:
            yield Path(name)
    else:
        folder = given / f"{fault}-{store}"
        folder.mkdir(parents=True)
        yield folder


def main() -> int:
    given = arguments()
    wrong = False
    for store in [given.store] if given.store else STORES:
        for name in [given.fault] if given.fault else FAULTS:
            fault = FAULTS[name]
            with folder_for(given.folder, name, store) as folder:
                url = STORES[store].format(folder=folder)
                experiment = Experiment(fault, url, folder, Random())
                times = given.times or fault.times
                report = asyncio.run(experiment.run(times, print))
            print(described(report))
            wrong = wrong or bool(report.verdict.wrong)
            if given.write:
                text = given.write.read_text()
                given.write.write_text(written(text, row(fault.title, store, report)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
