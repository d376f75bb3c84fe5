"""A pooler of transactions in front of a server: pgbouncer, where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.ports import free_port

# Debian puts it where only root looks.
PROGRAM: str | None = shutil.which("pgbouncer") or shutil.which(
    "pgbouncer", path="/usr/sbin"
)

_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
max_client_conn = 100
"""


class PgBouncer:
    """Runs beside the tests, in a *folder*, before the server on a port."""

    def __init__(self, folder: Path, server: int) -> None:
        self.port: int = free_port()
        self._file = folder / "pgbouncer.ini"
        text = _SETTINGS.format(server=server, port=self.port)
        if os.geteuid() == 0:  # it refuses to run as root
            text += "user = nobody\n"
        self._file.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM
        command = [PROGRAM, "--quiet", str(self._file)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - Debian's
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
