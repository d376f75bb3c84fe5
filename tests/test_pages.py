"""What the pages show is so: their blocks of code are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT, blocks, run

pytestmark = pytest.mark.anyio

# Which test_writing_a_store.py runs step by step, and test_telemetry_page.py on a port
# that is free.
ELSEWHERE = {"writing_a_store.md", "telemetry.md", "deploying.md"}
PAGES = sorted(
    each
    for each in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if each.name not in ELSEWHERE
    and any(
        block.language in {"py", "python"} or block.mark == "run"
        for block in blocks(each)
    )
)


@pytest.mark.timeout(300)  # for pages that start programs, one after the other
@pytest.mark.parametrize("page", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
async def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOBCORE_STORE_URL", raising=False)
    await run(page, tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```python\nassert 1 == await_me\n```", "await_me"),
        (
            "```python\nimport asyncio\nawait asyncio.sleep(0)\nraise KeyError(7)\n```",
            "7",
        ),
        ("<!-- python\n1 / 0\n-->", "division"),
        ("```python\nprint(1)\n```\n<!-- printed -->\n```text\n2\n```", "printed was"),
        ("<!-- theirs -->\n```python\nno python\n```", "invalid syntax"),
        ("<!-- examples/hello.py -->\n```py\nnot there\n```", "no such part"),
        ("<!-- run -->\n```sh\necho no; false\n```", "no"),
        ("<!-- run -->\n```sh\npip install jobcore\n```", "pip install jobcore"),
        ("<!-- run -->\n```sh\npip install 'jobcore-sql[no]'\n```", "no"),
    ],
)
async def test_a_block_that_fails_fails_the_page(
    text: str, problem: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(Exception, match=problem) as raised:
        await run(page, tmp_path)
    assert "page.md, line" in raised.value.__notes__[0]


async def test_a_page_is_one_program(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- python\nimport asyncio\nn = 1\n-->\n```py\nawait asyncio.sleep(0)\n```\n"
        "<!-- in a thread -->\n```py\nn += asyncio.run(asyncio.sleep(0, 1))\n```\n"
        "<!-- file: said.txt -->\n```text\n2\n```\n"
        "<!-- end of: said.txt -->\n```text\n3\n```\n"
        "<!-- examples/hello.py -->\n```py\ntasks = Tasks()\n```\n"
        "<!-- run -->\n```sh\nexport WORD=there\ncat said.txt; echo $WORD\n```\n"
        "<!-- printed -->\n```text\n2\n\n\n3\nth...\n```\n"
    )
    await run(page, tmp_path)


GUIDES = ("tutorial", "swapping_a_store", "transactions", "limits", "upgrading")


@pytest.mark.parametrize("name", GUIDES)
def test_every_block_of_a_guide_is_used(name: str) -> None:
    used = {"py", "python"}
    left = [
        block
        for block in blocks(ROOT / "docs" / f"{name}.md")
        if not block.mark and block.language not in used
    ]
    assert left == []


@pytest.mark.parametrize("page", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
def test_the_name_of_a_file_is_seen(page: Path) -> None:
    names = re.findall(r"^(.*)\n\n<!-- file: (\S+) -->", page.read_text(), re.MULTILINE)
    assert [said for said, name in names if f"`{name}`" not in said] == []


def test_the_files_of_the_tutorial_are_typed(tmp_path: Path) -> None:
    for block in blocks(ROOT / "docs" / "tutorial.md"):
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.code)
        elif block.mark.startswith("end of: "):
            with (tmp_path / block.mark.removeprefix("end of: ")).open("a") as file:
                file.write(block.code)
    checked = subprocess.run(  # noqa: S603 - the checker, on files of our own
        [sys.executable, "-m", "mypy", "--strict", *tmp_path.glob("*.py")],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
