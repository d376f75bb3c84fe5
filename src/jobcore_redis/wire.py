"""Connections of our own: how scripts reach one server with little ado.

What the driver does around a command, to take a connection from its pool, to watch over
its time, and to write it down, costs several times what the command does.
"""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from jobcore_redis.problems import is_of_replica
from jobcore_redis.replicas import checked


class Wire:
    """Sends commands, each over one of up to *most* connections of the pool of
    *client*, which are kept. One whose command has failed, or was cancelled, is closed
    by the driver, so that no call reads the answer to another, and connects when it is
    next used."""

    def __init__(self, client: Redis, most: int) -> None:
        self._pool: Any = client.connection_pool  # has no annotations
        self._places = asyncio.Semaphore(most)
        self._free: list[AbstractConnection] = []

    async def send(self, *parts: Any) -> Any:
        """What the server answers."""
        async with self._places:
            connection = await self._taken()
            try:
                packed = hiredis.pack_command(parts)
                await _send(connection, packed)
                return await connection.read_response()
            except ResponseError as error:
                await _left(connection, error)
                raise
            finally:
                self._free.append(connection)

    async def send_both(
        self, first: tuple[Any, ...], second: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        """What the server answers to two commands that follow each other over one
        connection; the error of either is raised."""
        async with self._places:
            connection = await self._taken()
            try:
                packed = hiredis.pack_command(first) + hiredis.pack_command(second)
                await _send(connection, packed)
                answers = [await _answer(connection), await _answer(connection)]
            finally:
                self._free.append(connection)
        return checked(answers)

    async def close(self) -> None:
        """Give the connections back to the pool."""
        while self._free:
            await self._pool.release(self._free.pop())

    async def _taken(self) -> AbstractConnection:
        if self._free:
            return self._free.pop()
        connection: AbstractConnection = await self._pool.get_connection()
        return connection


async def _send(connection: AbstractConnection, packed: bytes) -> None:
    if not connection.is_connected:
        # Sending would open it to where it led before; this asks sentinels again.
        await connection.connect()  # type: ignore[no-untyped-call]  # has none
    await connection.send_packed_command(packed, check_health=False)


async def _answer(connection: AbstractConnection) -> Any:
    """What comes next, if only an error: what follows it has to be read as well."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        await _left(connection, error)
        return error


async def _left(connection: AbstractConnection, error: ResponseError) -> None:
    """Close *connection* if *error* says that it leads to what has become a replica:
    where it is opened anew, it may lead to the master."""
    if is_of_replica(error):
        await connection.disconnect()
