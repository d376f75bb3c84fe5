"""What the pages about telemetry and deploying say is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.exported import samples

DOCS = Path(__file__).parents[1] / "docs"
TELEMETRY = (DOCS / "telemetry.md").read_text()
PAGES = {page: (DOCS / page).read_text() for page in ("telemetry.md", "deploying.md")}
PROGRAMS = [
    pytest.param(program, id=f"{page} {number}")
    for page, text in PAGES.items()
    for number, program in enumerate(
        re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    )
]
PRINTED = {
    "Telemetry()": "sent to ada@example.org\n",
    "jobs.health()": "Health(alive=True, started=True, connected=True)\n",
}
SUFFIXES = {
    ("counter", "{event}"): "_total",
    ("gauge", "{job}"): "",
    ("gauge", "s"): "_seconds",
    ("histogram", "s"): "_seconds_count",
}
LEFT_OUT = {"otel_scope_name", "otel_scope_version", "otel_scope_schema_url"}


def test_the_table_of_metrics_is_what_is_exported() -> None:
    table = TELEMETRY.split("<!-- metrics -->\n")[1].split("\n\n")[0]
    told = {}
    for row in table.splitlines()[2:]:
        name, kind, unit, attributes = (x.strip() for x in row.strip("|").split("|"))
        suffix = SUFFIXES[kind, unit.strip("`")]
        told[name.strip("`").replace(".", "_") + suffix] = {
            each.replace(".", "_") for each in re.findall("`(.*?)`", attributes)
        }
    exported = {
        name: labels.keys() - LEFT_OUT
        for name, labels in samples().items()
        if re.match("jobcore|messaging", name)
        and not re.search("_(bucket|sum|created)$", name)
    }
    assert told == exported


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run(program: str, tmp_path: Path) -> None:
    expected = "".join(out for call, out in PRINTED.items() if call in program)
    program = program.replace("start_http_server(9464)", "start_http_server(0)")
    ran = subprocess.run(  # noqa: S603 - what the pages say
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == (expected, "")


def test_programs_are_typed(tmp_path: Path) -> None:
    for number, each in enumerate(PROGRAMS):
        (tmp_path / f"program_{number}.py").write_text(str(each.values[0]))
    checked = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path)],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)", PAGES[page])
    assert targets
    assert [each for each in targets if not (DOCS / each).exists()] == []
