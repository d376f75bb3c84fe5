"""Let pgbench claim: what the server alone makes of the store's claim statement.

    uv run benchmarks/pgbench.py [--jobs 100000] [--limit 100] [--clients 1]

Fills a database of its own on the server that JOBCORE_BENCHMARK_POSTGRES_URL names and
has all of it claimed. Nothing is ended, so that dead rows are left as by a worker.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import bare
import report
from bare import Bare
from stores import POSTGRES, STORES

PAGE = 10_000
SETTINGS = """
    SELECT name, setting FROM pg_settings
    WHERE source = 'client' AND setting NOT LIKE '% %'
"""
CLAIMED = "SELECT count(*) FROM jobs WHERE status = 'in_progress'"


def script(claiming: Bare) -> str:
    """The claim in pgbench's language, with a token of its own each time."""
    names = claiming.statement.names
    literals = claiming.literals()

    def literal(parameter: re.Match[str]) -> str:
        place = int(parameter[1]) - 1
        return ":holder" if names[place] == "holder" else literals[place]

    text = re.sub(r"\$(\d+)", literal, claiming.text)
    return f"\\set holder random(1, 1000000000000)\n{' '.join(text.split())};\n"


async def fill(url: str, count: int) -> dict[str, str]:
    """Let there be *count* queued jobs; the settings of the store's connections."""
    many = bare.inserting_many()
    async with bare.connections(url, 1) as (connection,):
        for first in range(0, count, PAGE):
            page = range(first, min(first + PAGE, count))
            values = many.values(
                new_id_list=[f"{number:036}" for number in page],
                new_payload_list=[b"%d" % number for number in page],
            )
            await connection.fetch(many.text, *values)
        return dict(await connection.fetch(SETTINGS))


async def pgbench(url: str, given: argparse.Namespace, rounds: int) -> float:
    """The claims per second, of all clients together."""
    settings = await fill(url, rounds * given.limit * given.clients)
    options = (f"-c {name}={value}" for name, value in settings.items())
    with TemporaryDirectory(prefix="jobcore-pgbench-") as folder:
        file = Path(folder) / "claim.sql"
        file.write_text(script(bare.claiming(given.limit)))
        process = await asyncio.create_subprocess_exec(
            *(shutil.which("pgbench") or "pgbench", "--no-vacuum", "-M", "prepared"),
            *("-c", str(given.clients), "-t", str(rounds), "-f", file, url),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PGOPTIONS": " ".join(options)},
        )
        said, _ = await process.communicate()
    found = re.search(rb"tps = ([0-9.]+)", said)
    assert found is not None, "pgbench failed"
    return float(found[1])


async def measure(given: argparse.Namespace) -> None:
    rounds = given.jobs // given.limit // given.clients
    async with STORES["postgresql"].place(Path()) as url:
        rate = await pgbench(url, given, rounds)
        async with bare.connections(url, 1) as (connection,):
            claimed = await connection.fetchval(CLAIMED)
    assert claimed == rounds * given.limit * given.clients, f"only {claimed} claimed"
    heads = ("claims of", "claims/s", "jobs/s", "ms of a claim")
    line = (
        f"{given.limit} by {given.clients} clients",
        report.number(rate),
        report.number(rate * given.limit),
        report.number(1e3 / rate * given.clients),
    )
    print("\n".join(report.table(heads, [line])))


def main() -> None:
    parser = argparse.ArgumentParser(description="Let pgbench claim")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=100, help="jobs of a claim")
    parser.add_argument("--clients", type=int, default=1)
    given = parser.parse_args()
    if "postgresql" not in STORES:
        parser.error(f"{POSTGRES} names no server")
    print("; ".join(f"{name}: {value}" for name, value in report.machine().items()))
    asyncio.run(measure(given))


if __name__ == "__main__":
    main()
