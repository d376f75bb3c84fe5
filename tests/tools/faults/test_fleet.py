"""A fleet never hides that a worker ended by itself."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tools.faults.fleet import Fleet, WorkerDiedError

pytestmark = pytest.mark.anyio


async def test_a_worker_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    fleet = Fleet(
        1, ["nonsense://", "queue", str(tmp_path / "j")], {}, tmp_path / "log"
    )
    with pytest.raises(WorkerDiedError):
        async with fleet:
            pass
    assert "UnknownStoreError" in (tmp_path / "log").read_text()


async def test_a_killed_worker_is_replaced_and_a_dead_one_is_an_error(
    tmp_path: Path,
) -> None:
    command = [f"sqlite+aiosqlite:///{tmp_path}/jobs.db", "queue", str(tmp_path / "j")]
    async with Fleet(1, command, {}, tmp_path / "log") as fleet:
        (first,) = fleet.ready().values()
        await fleet.kill(first)
        await fleet.complete()
        (second,) = fleet.ready().values()
        assert second.worker != first.worker
        second.send(signal.SIGKILL)
        await second.process.wait()
        with pytest.raises(WorkerDiedError):
            fleet.ready()
