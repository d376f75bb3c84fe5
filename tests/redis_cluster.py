"""A Redis cluster of our own: three masters, each with a replica, on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import redis

from tests.ports import free_port
from tests.redis_server import PROGRAM, RedisServer

_MASTERS: Final = 3
_SLOTS: Final = 16384
_SETTINGS: Final = {
    "cluster_enabled": "yes",
    "cluster_node_timeout": "1000",
    "cluster_replica_validity_factor": "0",  # it may always follow its master
    "repl_diskless_sync": "yes",
}


class RedisCluster:
    """Its servers lie in folders in a *folder*, and share *settings*."""

    def __init__(self, folder: Path, program: Path = PROGRAM, **settings: str) -> None:
        self._folder = folder
        self.servers: list[RedisServer] = []
        for _ in range(2 * _MASTERS):
            port = free_port()
            home = folder / str(port)
            home.mkdir()
            given = {**_SETTINGS, **settings}
            self.servers.append(RedisServer(home, program, port, **given))

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.running()[0].port}"

    def start(self) -> None:
        """Start all and make them one cluster; return when it is whole."""
        for each in self.servers:
            each.begin()
        for each in self.servers:
            each.until_it_answers()
        first, masters = self.servers[0], self.servers[:_MASTERS]
        for number, each in enumerate(masters):
            low, high = (_SLOTS * n // _MASTERS for n in (number, number + 1))
            _asked(each, "CLUSTER ADDSLOTS", *range(low, high))
        for number, each in enumerate(self.servers):
            _asked(each, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            _asked(each, "CLUSTER MEET", "127.0.0.1", first.port)
        _until(lambda: all(map(self._knows_all, self.servers)))
        for replica, master in zip(self.servers[_MASTERS:], masters, strict=True):
            name = _asked(master, "CLUSTER MYID")
            _asked(replica, "CLUSTER REPLICATE", name)
        self.until_whole()

    def running(self) -> list[RedisServer]:
        return [each for each in self.servers if each.is_running]

    def masters(self) -> list[RedisServer]:
        """The running servers that think that they are masters."""
        return [each for each in self.running() if _role(each)[0] == b"master"]

    def master_of(self, key: str) -> RedisServer:
        """The master that *key* lies on, as all but the dead see it."""
        host = self.running()[0]
        with redis.RedisCluster(host="127.0.0.1", port=host.port) as client:
            node = client.get_node_from_key(key)
        assert node, "the slot is served"
        (found,) = [each for each in self.servers if each.port == node.port]
        return found

    def replica_of(self, master: RedisServer) -> RedisServer:
        """The one that follows *master*."""
        _, _, ((_, port, _),) = _role(master)
        (found,) = [each for each in self.servers if each.port == int(port)]
        return found

    def cut_off_replicas(self, master: RedisServer) -> None:
        """End their connections, which they make again when they can."""
        _asked(master, "CLIENT KILL TYPE replica")

    def until_served(self) -> None:
        """Until every running server knows a master of each slot, which lives."""
        _until(lambda: all(map(_serves, self.running())))

    def until_replaced(self) -> None:
        """Until there are as many masters as at first, and each slot is served."""
        _until(lambda: len(self.masters()) == _MASTERS)
        self.until_served()

    def until_whole(self) -> None:
        """Until, besides, as many masters as at first have each a replica that is up to
        date."""
        self.until_served()
        _until(lambda: sum(map(_is_followed, self.masters())) == _MASTERS)

    def remove(self) -> None:
        """End all, and delete what they have stored."""
        for each in self.servers:
            each.remove()
        self._folder.rmdir()

    def _knows_all(self, server: RedisServer) -> bool:
        told = _cluster_info(server)
        return told["cluster_known_nodes"] == str(len(self.servers))


def _asked(server: RedisServer, *command: Any) -> Any:
    with closing(redis.Redis(port=server.port, socket_timeout=5)) as client:
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


def _cluster_info(server: RedisServer) -> dict[str, str]:
    told: dict[str, str] = _asked(server, "CLUSTER INFO")
    return told


def _serves(server: RedisServer) -> bool:
    return _cluster_info(server)["cluster_state"] == "ok"


def _role(server: RedisServer) -> list[Any]:
    told: list[Any] = _asked(server, "ROLE")
    return told


def _is_followed(master: RedisServer) -> bool:
    _, _, replicas = _role(master)
    return bool(replicas)


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until, "the cluster came together"
        time.sleep(0.02)
