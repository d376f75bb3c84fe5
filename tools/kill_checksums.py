"""Kill `examples/checksums.py` in the middle of its work, again and again.

    uv run tools/kill_checksums.py DIR [--kills 10]

Each time it is killed with SIGKILL while at least one job of that very process is in
progress and at least 100 jobs are unfinished, and then started again. At the end every
file must be in the output exactly once, `sha256sum --check` must agree, and no job may
be in progress.
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "checksums.py"
PATIENCE = 300.0
ENOUGH = 100
MOST_DONE = 500
"""How many jobs a process may have done before it is killed, by chance."""
COUNTS = """
    SELECT
        total(status = 'in_progress' AND worker LIKE :worker),
        total(status = 'completed' AND worker LIKE :worker),
        total(status IN ('scheduled', 'queued', 'held', 'in_progress'))
    FROM jobs
"""


def counts(database: Path, process: int) -> tuple[int, int, int]:
    """How many jobs the process has in progress and has completed, and how many of all
    are unfinished."""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)
    except sqlite3.OperationalError:
        return 0, 0, 0
    try:
        worker = {"worker": f"%-{process}-%"}
        found = connection.execute(COUNTS, worker).fetchone()
    except sqlite3.OperationalError:
        return 0, 0, 0
    finally:
        connection.close()
    return int(found[0]), int(found[1]), int(found[2])


def start(top: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(EXAMPLE), str(top), "--json"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def kill(top: Path, folder: Path, number: int) -> bool:
    """Start the example and kill it in the middle; False if it got to its end."""
    process = start(top, folder)
    until = time.monotonic() + PATIENCE
    enough_done = random.randrange(MOST_DONE)
    while process.poll() is None and time.monotonic() < until:
        in_progress, done, unfinished = counts(folder / "checksums.db", process.pid)
        if in_progress and done >= enough_done and unfinished >= ENOUGH:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            print(
                f"kill {number}: {in_progress} in progress, {done} completed by it, "
                f"{unfinished} unfinished"
            )
            return True
        time.sleep(0.002)
    process.communicate()
    return False


def finish(top: Path, folder: Path) -> list[str]:
    """Let the example end, and say what is wrong."""
    process = start(top, folder)
    output, _ = process.communicate(timeout=PATIENCE)
    print(f"exit {process.returncode}: {output.splitlines()[-1]}")
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    files = [each for each in top.rglob("*") if not each.is_dir()]
    listed = Counter(line[66:] for line in lines)
    check = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"],  # noqa: S607
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    connection = sqlite3.connect(folder / "checksums.db")
    left = connection.execute(
        "SELECT count(*) FROM jobs WHERE status = 'in_progress'"
    ).fetchone()[0]
    connection.close()
    print(f"{len(files)} files, {len(lines)} lines, {left} jobs in progress")
    findings = {
        "the example failed": process.returncode,
        "files are missing or too many": listed.keys() != set(map(str, files)),
        "files are listed twice": set(listed.values()) - {1},
        f"sha256sum disagrees: {check.stderr}": check.returncode,
        "jobs are in progress": left,
    }
    return [finding for finding, found in findings.items() if found]


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the main example, repeatedly")
    parser.add_argument("directory", metavar="DIR", type=Path)
    parser.add_argument("--kills", metavar="N", type=int, default=10)
    given = parser.parse_args()
    top = given.directory.resolve()
    with TemporaryDirectory() as name:
        for number in range(1, given.kills + 1):
            if not kill(top, Path(name), number):
                print(f"kill {number}: it ended before; too few files in {top}")
                return 1
        findings = finish(top, Path(name))
    print("\n".join(findings) or "every file once, and nothing left over")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
