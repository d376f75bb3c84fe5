"""The main example, on small trees: what it writes, says, and survives."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import checksums
import pytest

from tests.examples.script import command, run

ODD_NAMES = (
    "plain",
    "white space ",
    "new\nline",
    "back\\slash",
    "return\r",
    "ünï",
    "*",
)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The directory that it is started from, with a directory `tree` in it."""
    tree = tmp_path / "tree"
    (tree / "below" / "empty").mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        (tree / name).write_bytes(b"x" * number * 40_000)
    (tree / "below" / os.fsdecode(b"not \xff utf-8")).write_text("a")
    (tree / "link").symlink_to("plain")
    (tree / "below" / "up").symlink_to("..")
    return tmp_path


def files_below(start: Path) -> set[Path]:
    found = (start / "tree").rglob("*")
    return {each.relative_to(start) for each in found if each.is_file()}


def listed(start: Path, output: str = "SHA256SUMS") -> list[str]:
    """What `sha256sum --check` makes of the output, one line per file."""
    checked = subprocess.run(  # noqa: S603 - coreutils
        ["sha256sum", "--check", "--strict", output],  # noqa: S607 - likewise
        cwd=start,
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked
    return (start / output).read_bytes().decode(errors="surrogateescape").splitlines()


def numbers(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return shown


def records(start: Path) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(start / "checksums.db", timeout=30)) as database:
        return database.execute(
            "SELECT id, status, attempt FROM jobs ORDER BY id"
        ).fetchall()


def test_lists_every_file_once(start: Path) -> None:
    finished = run("checksums.py", "tree", "--json", cwd=start)

    files = files_below(start)
    assert finished.returncode == 0, finished.stderr
    assert len(files) == len(ODD_NAMES) + 2
    assert len(listed(start)) == len(files)
    assert b"\xff utf-8" in (start / "SHA256SUMS").read_bytes()
    shown = numbers(finished)
    assert list(shown) == [
        *("files", "completed", "failed", "attempts", "seconds", "jobs_per_second")
    ]
    assert shown["files"] == shown["completed"] == shown["attempts"] == len(files)
    assert shown["failed"] == 0
    rate = len(files) / shown["seconds"]
    assert shown["jobs_per_second"] == pytest.approx(rate, abs=0.1)


def test_submitting_again_changes_nothing(start: Path) -> None:
    run("checksums.py", "tree", cwd=start)
    before, text = records(start), (start / "SHA256SUMS").read_bytes()
    # The paths follow from how the directory is given; the jobs do not.
    again = run("checksums.py", start / "tree", "--json", cwd=start)

    assert again.returncode == 0, again.stderr
    assert records(start) == before
    assert (start / "SHA256SUMS").read_bytes() == text.replace(
        b"  tree/", b"  " + os.fsencode(start) + b"/tree/"
    )
    assert numbers(again)["completed"] == len(before)
    assert numbers(again)["jobs_per_second"] == 0


def test_reads_again_what_changed_and_forgets_what_is_gone(start: Path) -> None:
    run("checksums.py", "tree", cwd=start)
    jobs, lines = len(records(start)), listed(start)
    (start / "tree" / "plain").write_text("something else")
    (start / "tree" / "*").unlink()

    again = run("checksums.py", "tree", "--json", cwd=start)

    assert again.returncode == 0, again.stderr
    assert len(listed(start)) == len(lines) - 1
    assert len(records(start)) == jobs + 2, "the file, and the link to it"


def test_unreadable_files_are_listed_and_the_rest_is_done(start: Path) -> None:
    (start / "tree" / "dangling").symlink_to("nowhere")
    os.mkfifo(start / "tree" / "pipe")

    finished = run("checksums.py", "tree", "--json", cwd=start)

    assert finished.returncode == 1
    bar, dangling, pipe = finished.stderr.splitlines()
    assert "100%" in bar
    assert dangling.startswith("tree/dangling: FileNotFoundError: ")
    assert pipe == "tree/pipe: NotAFileError: is not a regular file"
    readable = len(files_below(start))
    assert len(listed(start)) == readable
    shown = numbers(finished)
    assert (shown["completed"], shown["failed"]) == (readable, 2)
    assert shown["attempts"] == readable + 6


def test_trees_share_a_store_and_its_own_files_are_left_out(start: Path) -> None:
    shutil.copytree(start / "tree", start / "other", symlinks=True)
    files = len(files_below(start))

    inner = run("checksums.py", "tree", cwd=start)
    outer = run("checksums.py", ".", "--workers", "1", cwd=start)

    assert inner.stdout == f"{files} of {files} files: SHA256SUMS\n"
    assert outer.stdout == f"{2 * files} of {2 * files} files: SHA256SUMS\n"
    assert len(listed(start)) == 2 * files


def test_store_and_output_can_be_chosen(start: Path) -> None:
    """Here by arguments; test_one_variable.py chooses other stores."""
    (start / "sums").mkdir()
    store = "sqlite+aiosqlite:///other.db"
    finished = run(
        *("checksums.py", "tree", "--store", store, "--output", "sums/all"), cwd=start
    )
    assert finished.returncode == 0, finished.stderr
    assert len(listed(start, "sums/all")) == len(files_below(start))
    assert (start / "other.db").exists()
    assert not (start / "checksums.db").exists()
    assert [each.name for each in (start / "sums").iterdir()] == ["all"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nowhere",), "nowhere is not a directory"),
        (("tree", "--workers", "0"), "at least one worker"),
        (("tree", "--store", "nosuch://"), "no store for 'nosuch'"),
    ],
)
def test_wrong_arguments_are_explained(
    start: Path, arguments: tuple[str, ...], problem: str
) -> None:
    finished = run("checksums.py", *arguments, cwd=start)
    assert finished.returncode not in {0, -9}
    assert problem in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_killed_run_is_completed_by_the_next(start: Path) -> None:
    tree = start / "tree"
    for number in range(600):
        (tree / f"{number}").write_bytes(number.to_bytes(2) * 10_000)
    killed = subprocess.Popen(  # noqa: S603 - our own example
        command("checksums.py", "tree"), cwd=start, stderr=subprocess.DEVNULL
    )
    try:
        for statuses in polled(start):
            unfinished = statuses.count("in_progress") + statuses.count("queued")
            if "in_progress" in statuses and unfinished >= 100:
                break
            assert killed.poll() is None, "it ended before it could be killed"
    finally:
        killed.kill()
        killed.wait()
    assert "in_progress" in {status for _, status, _ in records(start)}
    assert not (start / "SHA256SUMS").exists()

    began_at = time.monotonic()
    finished = run("checksums.py", "tree", "--json", cwd=start)

    assert finished.returncode == 0, finished.stderr
    assert time.monotonic() - began_at < 60
    files = files_below(start)
    assert len(listed(start)) == len(records(start)) == len(files)
    assert {status for _, status, _ in records(start)} == {"completed"}
    shown = numbers(finished)
    assert shown["completed"] == len(files)
    assert len(files) <= shown["attempts"] <= len(files) + 80, "only what it held"


def polled(start: Path) -> Iterator[list[str]]:
    """The statuses of all jobs, again and again, once there is a store."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            yield [status for _, status, _ in records(start)]
        except sqlite3.OperationalError:
            yield []
    raise TimeoutError


def test_a_line_is_what_sha256sum_writes(tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_text(name)
        digest = hashlib.sha256(name.encode()).hexdigest()
        written = subprocess.run(  # noqa: S603 - coreutils
            ["sha256sum", "--", name],  # noqa: S607 - likewise
            cwd=tmp_path,
            capture_output=True,
            check=True,
        ).stdout
        assert checksums.line(digest, Path(name)) == written
