"""Hello world is short, says hello, and is checked by types."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.script import EXAMPLES, run

CALL = 'send_email.job("ada@example.org")'
SOURCE = (EXAMPLES / "hello.py").read_text()


def statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """All but docstrings, imports and the start of the event loop."""
    found: list[ast.stmt] = []
    for each in body:
        match each:
            case ast.Import() | ast.ImportFrom() | ast.If():
                continue
            case ast.Expr(value=ast.Constant(value=str())):
                continue
        found += [each, *statements(getattr(each, "body", []))]
    return found


def test_prints_the_result() -> None:
    finished = run("hello.py")
    assert (finished.stdout, finished.stderr) == ("sent to ada@example.org\n", "")
    assert finished.returncode == 0


def test_is_six_statements() -> None:
    assert len(statements(ast.parse(SOURCE).body)) == 6


@pytest.mark.parametrize(
    ("argument", "refusal"),
    [('"a"', None), ("1", "arg-type"), ('"a", "b"', "call-arg"), ("", "call-arg")],
)
def test_types_of_a_call_are_checked(
    tmp_path: Path, argument: str, refusal: str | None
) -> None:
    assert CALL in SOURCE
    changed = tmp_path / "hello_changed.py"
    changed.write_text(SOURCE.replace(CALL, f"send_email.job({argument})"))
    checked = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, "-m", "mypy", "--strict", str(changed)],
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLES.parent,
    )
    assert checked.returncode == (0 if refusal is None else 1), checked.stdout
    assert refusal is None or f"[{refusal}]" in checked.stdout
