"""A Redis server that a test may kill, fill, and set otherwise."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.redis_server import PROGRAM, RedisServer

# The environment of the tests has the wheel's program on its path.
_HERE: Final = shutil.which("redis-server", path=os.defpath)
_PROGRAMS: Final = (PROGRAM, *([Path(_HERE)] if _HERE else []))


@pytest.fixture(params=_PROGRAMS, ids=["wheel", "here"][: len(_PROGRAMS)])
def alone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of its own, which writes its log to disk every second; of the wheel, and
    of this machine if it has one."""
    server = RedisServer(
        tmp_path, request.param, appendonly="yes", appendfsync="everysec"
    )
    server.start()
    yield server
    server.stop()
