"""Running a worker in a process of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from jobcore.cli.loading import lent, load
from jobcore.cli.mistakes import MistakeError
from jobcore.cli.probing import probed
from jobcore.cli.reloading import reload_on_changes
from jobcore.cli.stopping import PATIENCE, stopping
from jobcore.cli.store import StoreUrl, settings
from jobcore.default_manager import open_manager
from jobcore.instrumentation import Instrumentation
from jobcore.worker import Worker

_logger = logging.getLogger("jobcore.worker")


def worker(
    target: str,
    /,
    *,
    queue: tuple[str, ...] = (),
    concurrency: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    upkeep: Annotated[bool, Parameter(negative="--no-upkeep")] = True,
    probe: str | None = None,
    telemetry: bool = False,
    reload: bool = False,
    log: Literal["debug", "info", "warning", "error"] = "info",
    store: StoreUrl = None,
) -> int:
    """Run the jobs of a host's tasks until SIGTERM or SIGINT.

    The first signal lets running jobs end within the grace period; what is left then,
    or at a second signal, is cancelled and given back.

    Parameters
    ----------
    target
        Where the tasks are, as module:object: a Tasks object, or a function or async
        context manager that gives one.
    queue
        A queue to work on; may be said again. By default those that the tasks name.
    concurrency
        How many jobs run at a time.
    upkeep
        Whether it promotes, fires, releases, lifts and prunes, too.
    probe
        Answer probes at this HOST:PORT: /status/alive, /status/started, and
        /status/connected.
    telemetry
        Trace and measure by OpenTelemetry, as its SDK is set up here.
    reload
        Start again whenever a Python file changes here; for development.
    log
        How much is logged, on stderr.
    """
    config = settings(store)
    if reload:
        left_out = {"--reload", "--reload=true", "--reload=True"}
        arguments = [each for each in sys.argv[1:] if each not in left_out]
        return reload_on_changes(arguments, config.shutdown_grace_period)
    _log(target, log.upper())

    async def work() -> None:
        with stopping(config.shutdown_grace_period) as told:
            async with (
                lent(load(target), target) as tasks,
                open_manager(config=config, instrumentation=_seen(telemetry)) as jobs,
                probed(jobs, probe),
            ):
                working = Worker(
                    jobs,
                    tasks,
                    queues=queue or None,
                    concurrency=concurrency,
                    upkeep=upkeep,
                    patience=PATIENCE,
                )
                queues = ", ".join(working.queues)
                _logger.info("worker %s works on %s", working.id, queues)
                await told.let_work(working)

    asyncio.run(work())
    return 0


def _seen(telemetry: bool) -> Instrumentation | None:  # noqa: FBT001 - the option itself
    """What measures and traces the worker, if that is wanted."""
    if not telemetry:
        return None
    try:
        from jobcore.telemetry import Telemetry  # noqa: PLC0415 - needs an extra
    except ModuleNotFoundError as error:
        raise MistakeError("--telemetry:", str(error)) from error
    return Telemetry()


def _log(target: str, level: str) -> None:
    """Log what jobcore and the host say at *level*, and of others what is amiss."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("jobcore", target.partition(":")[0].partition(".")[0]):
        logging.getLogger(name).setLevel(level)
