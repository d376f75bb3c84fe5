"""How the tasks of a worker are found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jobcore.cli.loading import lent, load
from jobcore.cli.mistakes import MistakeError

pytestmark = pytest.mark.anyio

MODULE = """
from contextlib import asynccontextmanager
from jobcore import Tasks

class Host:
    tasks = Tasks()
    number = 7

def made():
    return Host.tasks

async def awaited():
    return Host.tasks

left = []

@asynccontextmanager
async def entered():
    yield Host.tasks
    left.append(True)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the working directory."""
    name = f"host_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    return name


@pytest.mark.parametrize("name", ["Host.tasks", "made", "awaited", "entered"])
async def test_tasks_are_an_object_or_given_by_one(module: str, name: str) -> None:
    target = f"{module}:{name}"
    tasks = load(f"{module}:Host.tasks")
    async with lent(load(target), target) as found:
        assert found is tasks
    assert (load(f"{module}:left") == [True]) is (name == "entered")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("{}", "must be module:object"),
        ("{}:", "must be module:object"),
        ("nowhere.jobs:tasks", "there is no module 'nowhere'"),
        ("{}.jobs:tasks", "there is no module"),
        ("{}:Host.nothing", "has no 'Host.nothing'"),
        ("{}:Host.number", "gives no Tasks, but something of type int"),
    ],
)
async def test_what_is_not_there_is_named(
    module: str, target: str, sentence: str
) -> None:
    target = target.format(module)
    with pytest.raises(MistakeError, match=sentence):
        async with lent(load(target), target):
            pass


async def test_what_fails_within_the_module_is_its_own_error(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("import no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError):
        load(f"{module}:tasks")
