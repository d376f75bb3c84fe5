"""The plugin in runs of pytest like those of hosts, in which warnings are errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
import pytest
from jobcore import DefaultJobManager, Tasks
from jobcore.testing import run_until_idle

tasks = Tasks()

@tasks.task()
async def greet(name):
    return "Hello, " + name

{mark}
@pytest.mark.parametrize("name", ["Ada", "Bob"])
async def test_each_test_has_an_open_manager_of_its_own(jobcore_manager, name):
    assert type(jobcore_manager) is DefaultJobManager
    await jobcore_manager.submit(greet.job(name))
    (job,) = await run_until_idle(jobcore_manager, tasks)
    assert job.value == "Hello, " + name

{mark}
async def test_it_has_these_settings(jobcore_manager, jobcore_config):
    assert jobcore_manager.config is jobcore_config
    assert type(jobcore_manager.store).__name__ == "{store}"
"""
ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
ALONE = """
import sys

def test_nothing_is_imported():
    assert [name for name in sys.modules if name.split(".")[0] == "jobcore"] == []
    assert "jobcore_pytest.plugin" in sys.modules
"""
(SETTINGS,) = re.findall(
    r"\n\n```python\n(.*?)```",
    (Path(__file__).parents[2] / "docs" / "testing.md").read_text(),
    re.DOTALL,
)
"""The code of the documentation that is in none of the examples."""
OWN = """
@pytest.mark.anyio
async def test_settings_are_those_of_the_host(jobcore_manager):
    assert jobcore_manager.config.default_max_retries == 0
"""
BARE = """
async def submit(jobs):
    pass

def test_a_test_that_nobody_runs(jobcore_manager):
    pass
"""


def write(folder: Path, *texts: str) -> None:
    (folder / "test_host.py").write_text("\n".join(texts))


def run(folder: Path, *options: str, passed: int, **variables: str) -> str:
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]  # else it warns
    if "no:asyncio" in options:
        scope = []
    ran = subprocess.run(  # noqa: S603 - our own tests
        [*command, "-p", "no:valkey", *scope, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTEST_ADDOPTS": "", **variables},
    )
    assert f" {passed} passed" in ran.stdout or not passed, ran.stdout + ran.stderr
    assert (ran.returncode == 0) is bool(passed), ran.stdout + ran.stderr
    return ran.stdout


def test_anyio_runs_the_tests(tmp_path: Path) -> None:
    mark = "@pytest.mark.anyio"
    write(
        tmp_path, TEST.format(mark=mark, store="InMemoryJobStore"), ANYIO, SETTINGS, OWN
    )
    run(tmp_path, passed=4)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio_runs_the_tests(tmp_path: Path, mode: str) -> None:
    mark = "@pytest.mark.asyncio" if mode == "strict" else ""
    write(tmp_path, TEST.format(mark=mark, store="InMemoryJobStore"))
    run(tmp_path, "-o", f"asyncio_mode={mode}", passed=3)


def test_the_store_is_where_the_option_says(tmp_path: Path) -> None:
    """Anyio's plugin is alone here."""
    url = f"sqlite+aiosqlite:///{tmp_path}/jobs.db"
    mark = "@pytest.mark.anyio"
    write(tmp_path, TEST.format(mark=mark, store="SQLJobStore"), ANYIO)
    run(tmp_path, "-p", "no:asyncio", "--jobcore-store-url", url, passed=3)
    assert [each.name for each in tmp_path.glob("*.db*")] == []


def test_a_run_that_asks_for_none_imports_nothing(tmp_path: Path) -> None:
    write(tmp_path, ALONE)
    run(tmp_path, passed=1)


def test_a_test_that_is_not_asynchronous_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, BARE)
    told = run(tmp_path, "-p", "no:asyncio", passed=0)
    assert "jobcore_manager needs a test marked by anyio, or pytest-asyncio" in told
