"""The guide to writing a store: its steps pass the tests that it says, one by one."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "writing_a_store.md"
SETTINGS = "[tool.pytest]\nstrict = true\npythonpath = ['.']\n"


class Block(NamedTuple):
    """A block of code, and what the comment before it calls it."""

    name: str
    language: str
    code: str


BLOCKS = [
    Block(*found)
    for found in re.findall(
        r"(?:<!-- ([^>]*) -->\n)?```(\w+)\n(.*?)\n```", PAGE.read_text(), re.DOTALL
    )
]
STEPS = [n for n, block in enumerate(BLOCKS) if block.name == "step"]
(WHOLE,) = (n for n, block in enumerate(BLOCKS) if block.name == "whole proof")


def written(folder: Path, blocks: list[Block]) -> Path:
    """The files that a reader has who has read *blocks*."""
    store = [each.code for each in blocks if each.name == "file_store.py"]
    store += [each.code for each in blocks if each.name == "file_store.py, at the end"]
    (folder / "file_store.py").write_text("\n\n".join(store) + "\n")
    tests = [each.code for each in blocks if each.name == "test_file_store.py"]
    (folder / "test_file_store.py").write_text(tests[-1] + "\n")
    (folder / "pyproject.toml").write_text(SETTINGS)
    return folder


def run(folder: Path, *arguments: str) -> str:
    # Options of the outer run, such as coverage with its threshold, are not meant.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    finished = subprocess.run(  # noqa: S603 - what the guide says
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=inherited,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def outcomes(folder: Path, command: str) -> tuple[int, int]:
    """How many tests *command* passed, and how many it skipped."""
    pytest_itself, *options = shlex.split(command)
    assert pytest_itself == "pytest"
    told = run(folder, "-m", "pytest", *options)
    passed, skipped = (
        int(found[1]) if (found := re.search(rf"(\d+) {kind}", told)) else 0
        for kind in ("passed", "skipped")
    )
    return passed, skipped


@pytest.mark.parametrize("step", STEPS)
def test_each_step_passes_its_tests(tmp_path: Path, step: int) -> None:
    folder = written(tmp_path, BLOCKS[:step])
    passed, _ = outcomes(folder, BLOCKS[step].code)
    assert passed >= 10


@pytest.mark.timeout(600)
def test_the_whole_store_passes_all_tests_without_a_skip(tmp_path: Path) -> None:
    passed, skipped = outcomes(written(tmp_path, BLOCKS[:WHOLE]), BLOCKS[WHOLE].code)
    assert passed > 230
    assert skipped == 0


def test_the_store_works(tmp_path: Path) -> None:
    (program,) = (each.code for each in BLOCKS if each.name == "program")
    (written(tmp_path, BLOCKS) / "program.py").write_text(program)
    assert run(tmp_path, "program.py") == "Hello, world!\n"
    assert (tmp_path / "jobs.json").exists()


def test_the_entry_point_leads_to_the_store(tmp_path: Path) -> None:
    (text,) = (each.code for each in BLOCKS if each.language == "toml")
    points = tomllib.loads(text)["project"]["entry-points"]["jobcore.stores"]
    module, _, name = points["file"].partition(":")
    folder = written(tmp_path, BLOCKS)
    run(folder, "-c", f"from {module} import {name}; {name}('file://jobs.json')")


def test_the_store_is_typed(tmp_path: Path) -> None:
    folder = written(tmp_path, BLOCKS)
    run(folder, "-m", "mypy", "--strict", "file_store.py", "test_file_store.py")


def test_every_block_is_used() -> None:
    names = {each.name for each in BLOCKS if each.language in {"python", "sh"}}
    assert names == {
        *("file_store.py", "file_store.py, at the end", "test_file_store.py"),
        *("step", "whole proof", "program"),
    }


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)]+\.(?:md|py))\)", PAGE.read_text())
    assert targets
    assert [each for each in targets if not (PAGE.parent / each).exists()] == []
