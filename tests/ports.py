"""Ports of loopback that nobody listens on, for servers of our own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from random import SystemRandom
from typing import Final

BUS: Final = 10000
"""How far from its port a server of a cluster speaks to the others."""
_PORTS: Final = range(12000, 22000)
"""Neither these nor those of the bus are given to whoever asks the system for any port,
so that nobody connects from one before its server listens there."""


def free_port() -> int:
    """A port that nobody listens on, for now, nor on that of its bus; another one each
    time."""
    return next(_free)


def _ports() -> Iterator[int]:
    # Not the shared source of chance, which tests set, and so each process alike.
    for port in SystemRandom().sample(_PORTS, len(_PORTS)):
        if _is_free(port) and _is_free(port + BUS):
            yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_free = _ports()
