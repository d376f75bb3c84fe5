"""The store by somebody else passes the kit, is small, and is found when installed."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.script import EXAMPLES

OWN_STORE = EXAMPLES / "own_store"
PACKAGE = OWN_STORE / "src" / "jobcore_lmdb"


def lines_of_code(file: Path) -> int:
    """The lines of *file* without blank ones, comments and docstrings."""
    text = file.read_text()
    told = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in told
        for number, line in enumerate(text.splitlines(), start=1)
    )


@pytest.mark.timeout(600)
def test_its_tests_pass_without_a_skip() -> None:
    # Options of the outer run, such as coverage with its threshold, are not meant, nor
    # is a plugin that is installed for other tests and warns where it is not set up.
    inherited = {**os.environ, "PYTEST_ADDOPTS": "-p no:asyncio"}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        check=False,
        cwd=OWN_STORE,
        env=inherited,
    )
    assert finished.returncode == 0, finished.stdout
    told = re.search(r"^(\d+) passed in", finished.stdout, re.MULTILINE)
    assert told is not None, "nothing is skipped"
    assert int(told[1]) > 600


def test_without_its_abilities_it_has_at_most_400_lines() -> None:
    abilities = {"control.py", "explaining.py", "schedules.py"}
    plain = [each for each in PACKAGE.glob("*.py") if each.name not in abilities]
    assert sum(map(lines_of_code, plain)) <= 400


def test_it_uses_the_public_names_of_jobcore_only() -> None:
    imported = {
        node.module
        for file in OWN_STORE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    ours = {each for each in imported if each.split(".")[0] == "jobcore"}
    assert ours == {"jobcore", "jobcore.testing"}
