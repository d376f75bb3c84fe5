"""Drop the rules of jobcore one by one, and see which tests notice.

    uv run python -m tools.mutants [--markdown] [--jobs 4] [--alone] [WORD ...]

The tests that are to notice must pass on the sources as they are. Then every mutant, or
those with one of the WORDs in their rule, is tried on a copy of the sources; with
`--alone` only those that are noticed without a server. The exit code is 0 if each was
caught in every place where it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tests.jobcore_redis import servers as redis
from tests.jobcore_sql import mysql
from tests.jobcore_sql.postgresql import NAMED, OWN
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer
from tools.mutants.catalogue import ALONE, MUTANTS
from tools.mutants.mutant import Mutant, Places
from tools.mutants.report import HEAD, row, text
from tools.mutants.trial import ROOT, check, compiled_sources

UNCHANGED: Final = 60.0
"""Seconds that a test may take on the sources as they are."""


def union(mutants: Iterable[Mutant]) -> Places:
    """The tests of all *mutants*."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    everything = set()
    for mutant in mutants:
        for file, words in mutant.places.items():
            places[file].update(words)
            if not words:
                everything.add(file)
    return {
        file: () if file in everything else tuple(sorted(words))
        for file, words in places.items()
    }


def try_all(wanted: Sequence[Mutant], jobs: int, *, markdown: bool) -> bool:
    """Try the *wanted* mutants, and say whether all were caught."""
    for each in wanted:
        each.changed((ROOT / "src" / each.file).read_text())
    with compiled_sources() as sources, ThreadPoolExecutor(jobs) as pool:
        unchanged = [
            pool.submit(check, sources, None, {file: words}, UNCHANGED)
            for file, words in union(wanted).items()
        ]
        trials = [pool.submit(check, sources, each, each.places) for each in wanted]
        found = [each.result() for each in unchanged]
        if any(each.red or each.killed for each in found):
            pool.shutdown(cancel_futures=True)
            red = [each.test for verdict in found for each in verdict.red]
            print("red on the sources as they are:", *red, sep="\n  ")
            return False
        caught = 0
        for mutant, trial in zip(wanted, trials, strict=True):
            verdict = trial.result()
            caught += verdict.caught_in(mutant.places)
            print((row if markdown else text)(mutant, verdict), flush=True)
    print(f"\n{caught} of {len(wanted)} mutants caught")
    return caught == len(wanted)


@contextmanager
def servers() -> Iterator[None]:
    """Servers that all trials share, as those that are killed cannot end their own."""
    server = PostgresServer(Path(mkdtemp(prefix="jobcore-mutants-")))
    server.start()
    redis_server = RedisServer(Path(mkdtemp(prefix="jobcore-mutants-redis-")))
    redis_server.start()
    os.environ[OWN] = server.url()
    os.environ[redis.OWN] = redis_server.url
    for named in (NAMED, redis.NAMED):
        os.environ.pop(named, None)
    os.environ[mysql.PREFIX] = f"jobcore_mutants_{os.getpid()}"
    try:
        yield
    finally:
        server.remove()
        redis_server.remove()
        if mysql.NAMED in os.environ:
            asyncio.run(mysql.drop_all(os.environ[mysql.PREFIX]))


def main() -> None:
    parser = argparse.ArgumentParser("tools.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--markdown", action="store_true", help="print a table")
    parser.add_argument("--alone", action="store_true", help="none on servers")
    parser.add_argument("--jobs", type=int, default=4, help="how many at a time")
    given = parser.parse_args()
    words: list[str] = given.words
    wanted = [
        each
        for each in (ALONE if given.alone else MUTANTS)
        if not words or any(word in each.rule for word in words)
    ]
    if given.markdown:
        print(HEAD)
    began_at = time.monotonic()
    with servers():
        all_caught = try_all(wanted, given.jobs, markdown=given.markdown)
    print(f"{time.monotonic() - began_at:.0f} s")
    sys.exit(0 if all_caught else 1)


if __name__ == "__main__":
    main()
