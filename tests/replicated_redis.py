"""A Redis server of our own, and its replica, which Sentinel may watch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import redis

from tests.redis_server import RedisServer

_LONG: Final = 20_000
"""Milliseconds that a replica may need to be up to date."""


class ReplicatedRedis:
    """A master and a replica of it, in folders in a *folder*."""

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder = folder
        self.master, self.replica = (
            RedisServer(_made(folder / name), program, appendonly="yes")
            for name in ("master", "replica")
        )

    def start(self) -> None:
        """Start both; return when the replica has all that the master has."""
        self.master.start()
        self.replica.start()
        with redis.Redis(port=self.replica.port) as client:
            client.replicaof("127.0.0.1", self.master.port)
        with redis.Redis(port=self.master.port) as client:
            client.set("first", "")
            assert client.wait(1, _LONG) == 1, self.replica.log()

    def stop(self) -> None:
        """End both, also what stands still."""
        self.replica.kill()
        self.master.kill()

    def remove(self) -> None:
        """End all, and delete what they have stored."""
        self.stop()
        shutil.rmtree(self._folder)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
