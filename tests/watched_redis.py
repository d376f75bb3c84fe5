"""A Redis server of our own with a replica, and the sentinels that watch over them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import redis

from tests.redis_server import RedisServer
from tests.replicated_redis import ReplicatedRedis

SERVICE: Final = "jobs"
_SENTINELS: Final = 3
_QUORUM: Final = 2
_CONFIGURATION: Final = """\
bind 127.0.0.1
port {port}
dir {folder}
logfile {folder}/log
sentinel monitor {service} 127.0.0.1 {master} {quorum}
sentinel down-after-milliseconds {service} {down_after}
sentinel failover-timeout {service} 3000
"""


class WatchedRedis(ReplicatedRedis):
    """A master and a replica, which takes its place when that has not answered for
    *down_after* milliseconds."""

    def __init__(self, folder: Path, program: Path, down_after: int = 1000) -> None:
        super().__init__(folder, program)
        self.sentinels = [
            _Sentinel(
                folder / f"sentinel{number}", program, self.master.port, down_after
            )
            for number in range(_SENTINELS)
        ]

    @property
    def url(self) -> str:
        hosts = (f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"redis+sentinel://{','.join(hosts)}/{SERVICE}"

    def start(self) -> None:
        """Start all; return when the sentinels know the servers and each other."""
        super().start()
        for each in self.sentinels:
            each.start()
        _until(lambda: all(each.knows_all() for each in self.sentinels))

    def change_places(self) -> None:
        """Let the sentinels make the replica the master, and the master its replica."""
        _until(self._asked_to_fail_over)
        self.until_promoted()

    def until_promoted(self) -> None:
        """Until all sentinels name the replica as the master."""
        port = self.replica.port
        _until(lambda: all(each.master() == port for each in self.sentinels))

    def stop(self) -> None:
        for each in self.sentinels:
            each.kill()
        super().stop()

    def _asked_to_fail_over(self) -> bool:
        try:
            self.sentinels[0].asked("SENTINEL FAILOVER", SERVICE)
        except redis.ResponseError:  # as the replica has not been looked at yet
            return False
        return True


class _Sentinel(RedisServer):
    """One that watches the *master* that listens on a port."""

    def __init__(
        self, folder: Path, program: Path, master: int, down_after: int
    ) -> None:
        folder.mkdir()
        super().__init__(folder, program)
        self._file = folder / "sentinel.conf"
        self._file.write_text(
            _CONFIGURATION.format(
                port=self.port,
                folder=folder,
                service=SERVICE,
                master=master,
                quorum=_QUORUM,
                down_after=down_after,
            )
        )
        self.arguments = [str(self._file), "--sentinel"]

    def asked(self, *command: Any) -> Any:
        with redis.Redis(port=self.port) as client:
            return client.execute_command(*command)

    def master(self) -> int:
        """The port of the master."""
        _, port = self.asked("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(port)

    def clients(self) -> int:
        """How many are connected, besides other sentinels, which come and go."""
        names = [each["name"] for each in self.asked("CLIENT LIST")]
        return sum(not name.startswith("sentinel-") for name in names)

    def until_left_by(self, all_but: int) -> None:
        """Until no more than so many are connected."""
        _until(lambda: self.clients() <= all_but)

    def knows_all(self) -> bool:
        told = self.asked("SENTINEL MASTER", SERVICE)
        others, replicas = told["num-other-sentinels"], told["num-slaves"]
        return (others, replicas) == (_SENTINELS - 1, 1)


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until, "the sentinels agreed"
        time.sleep(0.02)
