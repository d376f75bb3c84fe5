"""A Redis server that a test may kill, fill, and set otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import PROGRAMS, RedisServer
from tests.replicated_redis import ReplicatedRedis
from tests.watched_redis import WatchedRedis


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Path:
    """The server of each wheel, and of this machine if it has one."""
    return PROGRAMS[request.param]


@pytest.fixture
def alone(tmp_path: Path, program: Path) -> Iterator[RedisServer]:
    """A server of its own, which writes its log to disk every second."""
    server = RedisServer(tmp_path, program, appendonly="yes", appendfsync="everysec")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def replicated(tmp_path: Path, program: Path) -> Iterator[ReplicatedRedis]:
    """A master that has a replica."""
    servers = ReplicatedRedis(tmp_path, program)
    servers.start()
    yield servers
    servers.stop()


@pytest.fixture
def watched(tmp_path: Path, program: Path) -> Iterator[WatchedRedis]:
    """A master that has a replica, and sentinels which watch over both."""
    servers = WatchedRedis(tmp_path, program)
    servers.start()
    yield servers
    servers.stop()
