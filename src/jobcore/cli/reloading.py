"""A worker that is started again whenever source files change, for development."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from jobcore.cli.mistakes import MistakeError


def reload_on_changes(arguments: Sequence[str], grace: timedelta) -> int:
    """Run `jobcore` with *arguments* until told to stop, anew after each change of a
    Python file below the working directory."""
    try:
        from watchfiles import PythonFilter, run_process  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MistakeError(
            "--reload", "needs an extra: pip install 'jobcore-core[cli,reload]'"
        ) from error
    command = shlex.join([sys.executable, "-m", "jobcore", *arguments])
    run_process(
        Path.cwd(),
        target=command,
        target_type="command",
        watch_filter=PythonFilter(),
        debounce=400,
        sigint_timeout=int(grace.total_seconds()) + 2,
    )
    return 0
