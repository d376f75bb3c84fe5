"""The reference has every setting, error and public name, as the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

import jobcore
import jobcore.wrappers
import jobcore_redis
import jobcore_sql
from jobcore import JobcoreConfig, JobcoreError
from jobcore_redis import RedisOptions
from jobcore_sql import SQLOptions

DOCS = Path(__file__).parents[1] / "docs"
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of tables, without their headings."""
    lines = [each for each in text.splitlines() if each.startswith("| `")]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def table(name: str) -> list[list[str]]:
    text = (DOCS / "settings.md").read_text()
    return rows(text.split(f"<!-- {name} -->\n")[1].split("\n\n")[0])


def shown(default: object) -> str:
    """A default as the tables show it."""
    match default:
        case None | ():
            return "none"
        case bool():
            return str(default).lower()
        case int():
            return f"{default:,}"
        case timedelta():
            return length(default)
        case _:
            return f"`{default}`" if default else "empty"


def length(time: timedelta) -> str:
    whole = [(unit, each) for unit, each in UNITS.items() if not time % each]
    unit, each = whole[0] if whole else ("s", timedelta(seconds=1))
    return f"{time / each:g} {unit}"


def test_every_setting_is_there_with_its_variable_and_default() -> None:
    assert [each[:3] for each in table("JobcoreConfig")] == [
        [f"`{name}`", f"`JOBCORE_{name.upper()}`", shown(field.default)]
        for name, field in JobcoreConfig.model_fields.items()
    ]


@pytest.mark.parametrize("options", [SQLOptions, RedisOptions])
def test_every_option_is_there_with_its_parameter_and_default(
    options: type[SQLOptions | RedisOptions],
) -> None:
    assert [each[:3] for each in table(options.__name__)] == [
        [f"`{each.name}`", f"`jobcore_{each.name}`", shown(each.default)]
        for each in fields(options)
    ]


def test_every_setting_says_something() -> None:
    for name in ("JobcoreConfig", "SQLOptions", "RedisOptions"):
        assert all(len(each) == 4 and each[3] for each in table(name))


def below(kind: type[JobcoreError]) -> set[type[JobcoreError]]:
    return {kind}.union(*(below(each) for each in kind.__subclasses__()))


def test_every_error_is_there_with_its_code() -> None:
    told = rows((DOCS / "errors.md").read_text())
    raised = {
        each for each in below(JobcoreError) if each.__module__.startswith("jobcore")
    }
    assert sorted(each[:2] for each in told) == sorted(
        [f"`{each.code}`", f"`{each.__name__}`"] for each in raised
    )
    assert all(len(each) == 4 and all(each) for each in told)


def test_no_two_errors_have_one_code() -> None:
    codes = [each[0] for each in rows((DOCS / "errors.md").read_text())]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    "package", [jobcore, jobcore.wrappers, jobcore_redis, jobcore_sql]
)
def test_every_public_name_is_there_once(package: object) -> None:
    name = getattr(package, "__name__", "")
    told = [
        found
        for page in (DOCS / "reference").glob("*.md")
        for found in re.findall(rf"^::: {name}\.(\w+)$", page.read_text(), re.MULTILINE)
    ]
    assert sorted(told) == sorted(getattr(package, "__all__", []))
