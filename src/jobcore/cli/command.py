"""The command: all of its parts put together, and what becomes of errors."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Final

from cyclopts import App, CycloptsError, Parameter
from cyclopts.help import PlainFormatter

from jobcore.cli.acts import approve, cancel, delete, move, retry
from jobcore.cli.bench import bench
from jobcore.cli.control import pause, resume
from jobcore.cli.counts import stats, workers
from jobcore.cli.doctor import doctor
from jobcore.cli.jobs import jobs
from jobcore.cli.mistakes import MistakeError
from jobcore.cli.schedules import schedules, trigger
from jobcore.cli.show import show
from jobcore.cli.top import top
from jobcore.cli.worker import worker
from jobcore.errors import (
    InvalidJobError,
    JobcoreError,
    JobNotFoundError,
    ScheduleNotFoundError,
    UnknownStoreError,
    UnsupportedError,
)

GROUP: Final = "jobcore.commands"
"""The group of entry points by which distributions add commands: the name of each, and
where its `cyclopts.App` is."""

COMMANDS: Final = (
    *(worker, jobs, show, stats, top, workers),
    *(cancel, retry, move, approve, delete),
    *(pause, resume, schedules, trigger),
    *(doctor, bench),
)

_NO_LOG: Final = logging.NullHandler()
"""What is logged is for the logs of programs: a command says itself what is amiss."""
_MISTAKES: Final = (
    *(CycloptsError, MistakeError, InvalidJobError, JobNotFoundError),
    *(ScheduleNotFoundError, UnknownStoreError, UnsupportedError),
)


def command() -> App:
    """The whole command line."""
    app = App(
        name="jobcore",
        help="Background jobs: run workers, see what is stored, act on it.",
        version=version("jobcore-core"),
        help_formatter=PlainFormatter(),
        default_parameter=Parameter(negative=(), show_default=False),
    )
    for each in COMMANDS:
        app.command(each)
    for entry in entry_points(group=GROUP):
        theirs = entry.dist.name if entry.dist else entry.name
        app.command(entry.value, name=entry.name, help=f"What {theirs} adds.")
    return app


def run(arguments: Sequence[str]) -> int:
    """Do what *arguments* say, and answer the exit code: 0 where all is well, 1 where
    something failed or is wrong, 2 where the command was a mistake."""
    logging.getLogger("jobcore").addHandler(_NO_LOG)
    try:
        code: int | None = command()(
            arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except _MISTAKES as error:
        return _told(error, 2)
    except JobcoreError as error:
        return _told(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read has enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code or 0


def leave(code: int) -> None:
    """Exit, also where threads run that cannot be told to end."""
    sys.stdout.flush()
    sys.stderr.flush()
    this = threading.current_thread()
    if any(not each.daemon for each in threading.enumerate() if each is not this):
        os._exit(code)
    sys.exit(code)


def _told(error: Exception, code: int) -> int:
    sys.stderr.write(f"jobcore: {error}\n")
    return code
