"""A Redis server that a test may kill, fill, and set otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import PROGRAMS, RedisServer


@pytest.fixture(params=PROGRAMS, ids=["wheel", "here"][: len(PROGRAMS)])
def alone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of its own, which writes its log to disk every second; of the wheel, and
    of this machine if it has one."""
    server = RedisServer(
        tmp_path, request.param, appendonly="yes", appendfsync="everysec"
    )
    server.start()
    yield server
    server.stop()
