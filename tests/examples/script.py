"""Runs examples as users do: each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def command(name: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *map(str, arguments)]


def environment(store: str | None) -> dict[str, str]:
    """Ours, in which *store* is the URL of the store, if any."""
    named = {} if store is None else {"JOBCORE_STORE_URL": store}
    return {**os.environ, **named}


def run(
    name: str,
    *arguments: str | Path,
    cwd: Path | None = None,
    store: str | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own examples
        command(name, *arguments),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=environment(store),
    )
