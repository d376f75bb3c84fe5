"""Each distribution is built, installed alone, and used as it was installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.redis_server import RedisServer

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "jobcore": "jobcore_core",
    "jobcore_pytest": "jobcore_pytest",
    "jobcore_redis": "jobcore_redis",
    "jobcore_sql": "jobcore_sql",
}
"""The import packages, which are folders in src, and their distributions' files."""
DRIVERS = ("sqlalchemy", "alembic", "aiosqlite", "asyncmy", "asyncpg", "redis")

IMPORT_ALL = """
import importlib, pathlib, sys
name, left_out = sys.argv[1], tuple(sys.argv[2:])
package = pathlib.Path(importlib.import_module(name).__file__).parent
assert package.parent.name == "site-packages", package
for file in package.rglob("*.py"):
    module = ".".join(file.relative_to(package.parent).with_suffix("").parts)
    if not module.startswith(left_out or "-"):
        importlib.import_module(module.removesuffix(".__init__"))
"""

NEED_A_DRIVER = {
    "mysql": "jobcore_sql.dialects.mysql",
    "postgresql": "jobcore_sql.dialects.postgresql",
}
NEEDS_PYTEST_ASYNCIO = "jobcore_pytest.asyncio_fixture"
NEED_ANY_DRIVER = ("jobcore_sql.connections", "jobcore_sql.pool")

OPEN_A_SERVER = """
import sys
from jobcore import StoreError, store_from_url
try:
    print(type(store_from_url(f"{sys.argv[1]}://127.0.0.1/jobs")).__name__)
except StoreError as error:
    print(error)
"""

IMPORT_TELEMETRY = """
try:
    import jobcore.telemetry
except ImportError as error:
    print(error)
"""

FIND = """
import importlib.util, sys
print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])
"""


def run(*command: str | Path, cwd: Path) -> str:
    finished = subprocess.run(  # noqa: S603 - our own tools
        [str(each) for each in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def uv(*arguments: str | Path, cwd: Path = ROOT) -> None:
    command = shutil.which("uv")
    assert command is not None, "uv is needed: pip install uv"
    run(command, *arguments, "--quiet", cwd=cwd)


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own."""

    folder: Path

    @classmethod
    def created(cls, folder: Path, *options: str) -> Environment:
        uv("venv", "--python", sys.executable, *options, folder)
        return cls(folder)

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self, *arguments: str | Path) -> None:
        uv("pip", "install", "--python", self.python, *arguments)

    def run(self, *arguments: str | Path) -> str:
        """Python, without the working directory and PYTHON… variables."""
        return run(self.python, "-I", *arguments, cwd=self.folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels, made from the tree."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in PACKAGES:
        uv("build", "--wheel", "--out-dir", folder, ROOT / "src" / package)
    return folder


def wheel(built: Path, package: str) -> Path:
    (found,) = built.glob(f"{PACKAGES[package]}-*.whl")
    return found


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def project(package: str) -> dict[str, Any]:
    text = (ROOT / "src" / package / "pyproject.toml").read_text()
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def modules(package: str) -> set[str]:
    """The modules of a package, and its scripts, as the wheel names them."""
    folder = ROOT / "src" / package
    found = [*folder.rglob("*.py"), *folder.rglob("*.lua")]
    return {each.relative_to(ROOT / "src").as_posix() for each in found}


def example_of(package: str) -> str:
    """The program in a distribution's README."""
    (program,) = programs(ROOT / "src" / package / "README.md")
    return program


def programs(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_has_its_package_and_nothing_else(built: Path, package: str) -> None:
    held = contents(wheel(built, package))
    facts = {name for name in held if ".dist-info/" in name}
    marked = modules(package) | {f"{package}/py.typed"}
    assert held.keys() - facts == marked
    assert {name.partition("/")[2] for name in facts} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_carries_the_licence(built: Path, package: str) -> None:
    held = contents(wheel(built, package))
    (name,) = [each for each in held if each.endswith("licenses/LICENSE")]
    assert held[name] == (ROOT / "LICENSE").read_bytes()
    (name,) = [each for each in held if each.endswith("/METADATA")]
    metadata = held[name].decode()
    assert "License-Expression: MIT\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert (ROOT / "src" / package / "README.md").read_text() in metadata


def test_the_sql_wheel_has_the_migrations(built: Path) -> None:
    held = contents(wheel(built, "jobcore_sql"))
    prefix = "jobcore_sql/migrations/versions/r0001"
    assert [name for name in held if name.startswith(prefix)]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_from_the_sdist_is_the_same(
    built: Path, package: str, tmp_path: Path
) -> None:
    uv("build", "--out-dir", tmp_path, ROOT / "src" / package)
    assert contents(wheel(tmp_path, package)) == contents(wheel(built, package))
    (source,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "py.typed"} <= names


def test_versions_are_in_step() -> None:
    versions = {project(package)["version"] for package in PACKAGES}
    (version,) = versions
    for package in ("jobcore_redis", "jobcore_sql"):
        assert f"jobcore-core~={version}" in project(package)["dependencies"]
    kit = project("jobcore")["optional-dependencies"]["testing"]
    assert f"jobcore-pytest~={version}" in kit
    assert (
        f"jobcore-core[testing]~={version}" in project("jobcore_pytest")["dependencies"]
    )


def test_the_core_alone_says_hello(built: Path, tmp_path: Path) -> None:
    environment = Environment.created(tmp_path / "alone")
    environment.install(wheel(built, "jobcore"))
    others = PACKAGES.keys() - {"jobcore"}
    foreign = (*others, "pytest", "hypothesis", *DRIVERS)
    assert environment.run("-c", FIND, "jobcore", *foreign) == "['jobcore']\n"
    optional = ("jobcore.cli", "jobcore.telemetry", "jobcore.testing")
    environment.run("-c", IMPORT_ALL, "jobcore", *optional)
    assert environment.run("-c", example_of("jobcore")) == "Hello, world!\n"
    advice = environment.run("-c", IMPORT_TELEMETRY)
    assert advice == "OpenTelemetry is missing: pip install 'jobcore-core[otel]'\n"


@pytest.fixture(scope="session")
def sql_alone(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the SQL store, and no driver of a server."""
    environment = Environment.created(tmp_path_factory.mktemp("sql") / "alone")
    environment.install("--find-links", built, wheel(built, "jobcore_sql"))
    return environment


def test_the_sql_store_alone_brings_the_core(sql_alone: Environment) -> None:
    environment = sql_alone
    assert environment.run("-c", FIND, "pytest", "hypothesis") == "[]\n"
    left_out = ["jobcore_sql.command", *NEED_ANY_DRIVER, *NEED_A_DRIVER.values()]
    environment.run("-c", IMPORT_ALL, "jobcore_sql", *left_out)
    assert environment.run("-c", example_of("jobcore_sql")) == "Hello, world!\n"
    assert (environment.folder / "jobs.db").exists()


def test_the_redis_store_alone_brings_the_core(
    built: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = Environment.created(tmp_path / "alone")
    environment.install("--find-links", built, wheel(built, "jobcore_redis"))
    assert environment.run("-c", FIND, "jobcore_sql", "pytest", "hypothesis") == "[]\n"
    environment.run("-c", IMPORT_ALL, "jobcore_redis")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        there = example_of("jobcore_redis").replace(
            "redis://localhost:6379", server.url
        )
        assert environment.run("-c", there) == "Hello, world!\n"
    finally:
        server.stop()


def test_a_store_by_somebody_else_needs_the_core_alone(
    built: Path, tmp_path: Path
) -> None:
    folder = ROOT / "examples" / "own_store"
    uv("build", "--wheel", "--out-dir", tmp_path, folder)
    (own,) = tmp_path.glob("jobcore_lmdb-*.whl")
    environment = Environment.created(tmp_path / "alone")
    environment.install("--find-links", built, own)
    foreign = ("jobcore_sql", "pytest", "hypothesis", *DRIVERS)
    assert environment.run("-c", FIND, "jobcore", "lmdb", *foreign) == (
        "['jobcore', 'lmdb']\n"
    )
    environment.run("-c", IMPORT_ALL, "jobcore_lmdb")
    (program,) = programs(folder / "README.md")
    assert environment.run("-c", program) == "Hello, world!\n"
    assert (environment.folder / "jobs.lmdb").exists()


@pytest.mark.parametrize(
    ("scheme", "extra"),
    [("postgresql", "postgresql"), ("mysql", "mysql"), ("mariadb", "mysql")],
)
def test_a_server_asks_for_its_extra_by_name(
    sql_alone: Environment, scheme: str, extra: str
) -> None:
    told = sql_alone.run("-c", OPEN_A_SERVER, scheme)
    assert f"pip install 'jobcore-sql[{extra}]'" in told


@pytest.mark.parametrize(
    ("extra", "schemes"),
    [("postgresql", ("postgresql",)), ("mysql", ("mysql", "mariadb"))],
)
def test_an_extra_brings_the_driver_of_a_server(
    built: Path, tmp_path: Path, extra: str, schemes: tuple[str, ...]
) -> None:
    environment = Environment.created(tmp_path / "alone")
    wanted = f"jobcore-sql[{extra}] @ {wheel(built, 'jobcore_sql').as_uri()}"
    environment.install("--find-links", built, wanted)
    others = [each for name, each in NEED_A_DRIVER.items() if name != extra]
    others.append("jobcore_sql.command")
    environment.run("-c", IMPORT_ALL, "jobcore_sql", *others)
    for scheme in schemes:
        assert environment.run("-c", OPEN_A_SERVER, scheme) == "SQLJobStore\n"


def test_the_extra_brings_telemetry(built: Path, tmp_path: Path) -> None:
    environment = Environment.created(tmp_path / "alone")
    environment.install(f"jobcore-core[otel] @ {wheel(built, 'jobcore').as_uri()}")
    environment.run("-c", IMPORT_ALL, "jobcore", "jobcore.cli", "jobcore.testing")


def test_the_extra_brings_the_kit(built: Path, tmp_path: Path) -> None:
    environment = Environment.created(tmp_path / "alone")
    wanted = f"jobcore-core[testing] @ {wheel(built, 'jobcore').as_uri()}"
    environment.install("--find-links", built, wanted)
    environment.run("-c", IMPORT_ALL, "jobcore", "jobcore.cli", "jobcore.telemetry")
    environment.run("-c", IMPORT_ALL, "jobcore_pytest", NEEDS_PYTEST_ASYNCIO)
    test = environment.folder / "test_example.py"
    test.write_text(example_of("jobcore_pytest"))
    told = environment.run("-m", "pytest", "-W", "error", test)
    assert " 1 passed" in told


def test_the_command_asks_for_its_extra_which_brings_it(
    built: Path, tmp_path: Path
) -> None:
    core = wheel(built, "jobcore")
    environment = Environment.created(tmp_path / "alone")
    environment.install(core)
    command = environment.folder / "bin" / "jobcore"
    asked = subprocess.run(  # noqa: S603 - our own command
        [command], capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "pip install 'jobcore-core[cli]'" in asked.stderr
    environment.install(f"jobcore-core[cli] @ {core.as_uri()}")
    environment.run("-c", IMPORT_ALL, "jobcore", "jobcore.telemetry", "jobcore.testing")
    assert (
        run(command, "--version", cwd=tmp_path) == f"{project('jobcore')['version']}\n"
    )


def test_pip_installs_the_folder_of_the_core(tmp_path: Path) -> None:
    environment = Environment.created(tmp_path / "alone", "--seed")
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(environment.python, *pip, "./src/jobcore", cwd=ROOT)
    assert environment.run("-c", FIND, "jobcore", *DRIVERS) == "['jobcore']\n"
    assert environment.run("-c", example_of("jobcore")) == "Hello, world!\n"
