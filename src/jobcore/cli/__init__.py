"""The `jobcore` command: it runs workers, shows what is stored, and acts on it."""

from __future__ import annotations

import sys
from typing import Final

_EXTRA: Final = {"cyclopts", "rich"}


def main() -> None:
    """Do what the command line says, and exit; without the extra `cli`, say how to
    install that."""
    try:
        from jobcore.cli.command import leave, run  # noqa: PLC0415 - they need the extra
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit("the command needs an extra: pip install 'jobcore-core[cli]'")
    leave(run(sys.argv[1:]))
