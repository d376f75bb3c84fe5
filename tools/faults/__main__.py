"""Faults under load, and what became of the jobs.

    uv run python -m tools.faults [--fault NAME] [--store STORE] [--times N]
        [--folder DIR] [--write docs/faults.md]

Without `--fault` all of them, without `--store` on each store that can have it. What is
not run stays in the page as it is. The exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.faults.places import STORES, place
from tools.faults.runs import RUNS, Entry


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Faults under load")
    parser.add_argument("--fault", choices=RUNS, help="by default each")
    parser.add_argument("--store", choices=STORES, help="by default each")
    parser.add_argument("--times", metavar="N", type=int, help="by default its own")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="keep files there")
    parser.add_argument("--write", metavar="FILE", type=Path, help="update its tables")
    return parser.parse_args()


@contextmanager
def folder_for(given: Path | None, fault: str, store: str) -> Iterator[Path]:
    if given is None:
        with TemporaryDirectory(prefix="jobcore-faults-") as name:
            yield Path(name)
    else:
        folder = given / f"{fault}-{store}".replace(" ", "-")
        folder.mkdir(parents=True)
        yield folder


async def run(name: str, store: str, folder: Path, times: int | None) -> list[Entry]:
    async with place(store, folder) as there:
        chosen = RUNS[name]
        return await chosen.run(there, times or chosen.times, print)


def main() -> int:
    given = arguments()
    is_wrong = False
    for name in [given.fault] if given.fault else RUNS:
        for store in RUNS[name].stores:
            if given.store not in {None, store}:
                continue
            print(f"{name} on {store}")
            with folder_for(given.folder, name, store) as folder:
                entries = asyncio.run(run(name, store, folder, given.times))
            for each in entries:
                is_wrong = is_wrong or bool(each.wrong)
                for sentence in each.wrong:
                    print(f"WRONG: {sentence}")
                if given.write:
                    text = given.write.read_text()
                    given.write.write_text(each.table.written(text, each.row))
    return 1 if is_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
