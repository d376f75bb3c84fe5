"""What the README says is so: its commands, programs, diagram and map."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from abc import ABC
from pathlib import Path
from typing import Any

import pytest

from jobcore import JobcoreConfig, abilities, store_from_url
from jobcore.lifecycle import TRANSITIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = {
    "uv": "pip install uv",
    "show": "uv run examples/checksums.py src",
    "tests": "uv run pytest",
}
STORES = {
    "memory": "memory://",
    "SQLite": "sqlite+aiosqlite:///jobs.db",
    "PostgreSQL": "postgresql+asyncpg://localhost/jobs",
    "MariaDB, MySQL": "mysql+asyncmy://localhost/jobs",
    "Redis": "redis://localhost",
    "Redis Cluster": "redis+cluster://localhost",
}
ABILITIES = [
    each
    for each in vars(abilities).values()
    if isinstance(each, type)
    and each.__module__ == abilities.__name__
    and ABC in each.__bases__
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", README, re.DOTALL)


def marked(name: str) -> str:
    """The block after a marker."""
    (found,) = re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
    return str(found)


def run(
    command: list[str], cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - what the README says
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_these(name: str) -> None:
    assert marked(name) == COMMANDS[name]


def test_the_main_example_runs_word_for_word(tmp_path: Path) -> None:
    """In a folder that looks like the root, so that nothing is left in the root."""
    for folder in ("src", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shown = run(marked("show").split(), tmp_path, UV_PROJECT=str(ROOT))
    assert shown.returncode == 0, shown.stderr
    assert "100%" in shown.stderr
    judged = run(["sha256sum", "--check", "SHA256SUMS"], tmp_path)
    assert judged.returncode == 0, judged.stdout
    assert "src/jobcore/__init__.py: OK" in judged.stdout.splitlines()


def test_the_first_program_has_ten_lines() -> None:
    assert len(blocks("python")[0].splitlines()) == 10


@pytest.mark.parametrize(
    ("number", "printed"),
    [(0, "sent 'Hello' to ada@example.org\n"), (1, "Statistics(queues={})\n")],
)
def test_programs_run(tmp_path: Path, number: int, printed: str) -> None:
    assert len(blocks("python")) == 2
    program = run([sys.executable, "-c", blocks("python")[number]], tmp_path)
    assert (program.stdout, program.stderr) == (printed, "")


def test_programs_are_typed(tmp_path: Path) -> None:
    for number, program in enumerate(blocks("python")):
        (tmp_path / f"program_{number}.py").write_text(program)
    checked = run([sys.executable, "-m", "mypy", "--strict", str(tmp_path)], ROOT)
    assert checked.returncode == 0, checked.stdout


def test_the_store_is_found_in_all_three_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOBCORE_STORE_URL", raising=False)
    assert JobcoreConfig().store_url == "memory://"
    (argument,) = re.findall(r'open_manager\("(sqlite.*?)"\)', README)

    (text,) = blocks("toml")
    (tmp_path / "jobcore.toml").write_text(text)
    assert tomllib.loads(text) == {"store_url": argument}
    assert JobcoreConfig().store_url == argument

    (tmp_path / "jobcore.toml").write_text('store_url = "memory://"')
    (line,) = [each for each in blocks("sh") if each.startswith("export ")]
    name, _, value = line.removeprefix("export ").partition("=")
    monkeypatch.setenv(name, value)
    assert JobcoreConfig().store_url == value == argument


@pytest.mark.parametrize("ability", ABILITIES, ids=lambda each: each.__name__)
def test_the_table_of_promises_says_who_has_an_ability(ability: type[Any]) -> None:
    (table,) = re.findall(r"<!-- promises -->\n(.*?)\n\n", README, re.DOTALL)
    heading, _, *rows = [line.strip("|").split("|") for line in table.splitlines()]
    assert [each.strip() for each in heading[1:]] == list(STORES)
    (said,) = [row[1:] for row in rows if f"(`{ability.__name__}`)" in row[0]]
    there = [store_from_url(url).ability(ability) for url in STORES.values()]
    assert [each.strip() for each in said] == [
        "yes" if each else "no" for each in there
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_program_and_tests_run_by_one_variable(number: int, tmp_path: Path) -> None:
    """On another store than they name; test_one_variable.py has the rest."""
    setting, *command = marked("variable").splitlines()[number].split()
    name, _, url = setting.partition("=")
    assert url == STORES["Redis"]
    command = [str(ROOT / each) if "/" in each else each for each in command]
    own = {name: f"sqlite+aiosqlite:///{tmp_path}/jobs.db", "PYTEST_ADDOPTS": ""}
    ran = run(command, tmp_path, UV_PROJECT=str(ROOT), **own)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "jobs.db").exists() is (number == 0), "tests leave nothing"


def test_the_diagram_is_the_table() -> None:
    (diagram,) = blocks("mermaid")
    kind, *lines = diagram.splitlines()
    assert kind == "stateDiagram-v2"
    drawn = [re.fullmatch(r"    (\S+) --> (\S+): (.+)", line) for line in lines]
    assert all(drawn), "every line is an arrow with its event"
    arrows = [each.groups() for each in drawn if each]
    steps = [each for each in arrows if each[0] != "[*]"]
    assert len(set(arrows)) == len(arrows)
    assert set(steps) == {
        (status.value, after.value, event.value)
        for status, events in TRANSITIONS.items()
        for event, after in events.items()
    }
    assert [each for each in arrows if each not in steps] == [
        ("[*]", "scheduled", "submit, due later"),
        ("[*]", "queued", "submit"),
        ("[*]", "held", "submit, to be approved"),
    ]


def test_every_module_is_on_the_map() -> None:
    """Folders are packages, and two spaces further right is what they hold."""
    listed: list[str] = []
    folders: list[str] = []
    for line in marked("map").splitlines():
        name, _, purpose = line.strip().partition(" ")
        assert purpose.strip(), f"{name} has no purpose"
        depth = (len(line) - len(line.lstrip())) // 2
        folders[depth:] = [name.rstrip("/")]
        listed.append("/".join(folders) + ("/__init__.py" if name[-1] == "/" else ""))
    there = {
        each.relative_to(ROOT / "src").as_posix()
        for each in (ROOT / "src").rglob("*.py")
    }
    assert len(set(listed)) == len(listed)
    assert set(listed) == there


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert targets
    assert [each for each in targets if not (ROOT / each).exists()] == []


def test_every_distribution_is_on_the_shelf() -> None:
    for file in (ROOT / "src").glob("*/pyproject.toml"):
        name = tomllib.loads(file.read_text())["project"]["name"]
        assert f"`{name}`" in README
        assert name in (ROOT / "CHANGELOG.md").read_text()


def test_the_drawing_is_the_diagram() -> None:
    drawing = (ROOT / "docs" / "life.svg").read_text().replace("&gt;", ">")
    arrows = re.findall(r"<title>(\S+ --> \S+: .+?)</title>", drawing)
    (diagram,) = blocks("mermaid")
    assert sorted(arrows) == sorted(each.strip() for each in diagram.splitlines()[1:])
    shown = set(re.findall(r"<text [^>]*>([^<]+)</text>", drawing))
    assert {each.partition(": ")[2] for each in arrows} <= shown
