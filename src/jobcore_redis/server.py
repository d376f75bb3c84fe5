"""The server, or the servers of a cluster: where scripts are called."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.exceptions import NoScriptError, ResponseError

from jobcore import CallTimeout, StoreError, StoreNotOpenError
from jobcore_redis.checks import check
from jobcore_redis.connect import CONNECTIONS, Client, address, close, connected
from jobcore_redis.keys import Partition, Partitions
from jobcore_redis.options import RedisOptions
from jobcore_redis.problems import (
    CLOSED,
    ERRORS,
    NEVER_OPENED,
    ODD,
    OPEN,
    OTHER_LOOP,
    OTHER_PROCESS,
    NotReplicatedError,
    mapped,
    reading,
)
from jobcore_redis.replicas import send_both
from jobcore_redis.scripts import WAITED_FOR, all_keys, script
from jobcore_redis.wire import Wire

_FIRST_WITH_FLAGS: Final = (7,)
_OF_A_CLUSTER: Final = 12
"""How many partitions a cluster has by default: some for each of a few masters."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_SILENT: Final = timedelta(seconds=5)
"""After which a subscription is asked whether it still lives."""


class Server:
    """Opens, calls and closes."""

    def __init__(self, given: str | Client, options: RedisOptions) -> None:
        self._given = given
        self.options: RedisOptions = options
        if isinstance(given, str):
            self._url, self.options = address(given, options)
        self._timeout = CallTimeout(self.options.call_timeout)
        self._client: Client | None = None
        self._wire: Wire | None = None
        self._problem = NEVER_OPENED
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._flagged = False
        number = self.options.partitions or 1
        self.partitions: Partitions = Partitions(self.options, number)

    async def open(self) -> None:
        if self._client is not None:
            raise StoreNotOpenError(OPEN)
        self._loop, self._process = asyncio.get_running_loop(), os.getpid()
        # One that was left behind in another event loop would set no timer in this.
        self._timeout = CallTimeout(self.options.call_timeout)
        if isinstance(self._given, str):
            self._client = connected(self._url, self.options.call_timeout)
            if isinstance(self._client, Redis):
                self._wire = Wire(self._client, CONNECTIONS)
        else:
            self._client = self._given
            _check_client(self._given)
        try:
            versions = [check(each) for each in (await self.told()).values()]
            self._flagged = min(versions) >= _FIRST_WITH_FLAGS
            self.partitions = Partitions(self.options, await self._count())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        client, self._client, self._problem = self._client, None, CLOSED
        wire, self._wire = self._wire, None
        is_ours = client is not self._given and self._process == os.getpid()
        if wire is not None and is_ours:
            await wire.close()
        if client is not None and is_ours:
            await close(client)
        self._timeout.close()

    async def call(
        self, name: str, partition: Partition, arguments: Sequence[Any] = ()
    ) -> Any:
        """What the script *name* answers on the keys of *partition*. A server that does
        not know it, as after a restart or a failover, is given its text."""
        waits = name in WAITED_FOR and self.options.wait_replicas > 0
        wanted = script(name, flagged=self._flagged, waits=waits)
        keys = partition.keys(wanted.keys)
        rest = (len(keys), *keys, *arguments)
        send = self._replicated if waits else self._sent
        try:
            return await send("EVALSHA", wanted.sha, *rest)
        except NoScriptError:
            return await send("EVAL", wanted.text, *rest)

    async def command(self, *parts: Any) -> Any:
        """What a command answers."""
        async with self._client_in_use() as client:
            return await client.execute_command(*parts)

    async def told(self) -> dict[str, dict[str, Any]]:
        """What each server that holds jobs tells of itself, by its name if there may be
        several."""
        async with self._client_in_use() as client:
            if not isinstance(client, RedisCluster):
                return {"": await _info(client)}
            every = await client.info(target_nodes=RedisCluster.PRIMARIES)
            return every if "redis_version" not in every else {"": every}

    async def slots_not_served(self) -> int:
        """How many slots of a cluster no server has."""
        async with self._client_in_use() as client:
            if not isinstance(client, RedisCluster):
                return 0
            ranges = await client.execute_command("CLUSTER SLOTS")
            served: int = sum(last - first + 1 for first, last in ranges)
            return SLOTS - served

    async def publish(self, told: str) -> None:
        """Tell all who listen in this namespace."""
        await self._sent("PUBLISH", self.channel, told)

    async def erase(self) -> None:
        """Delete all that is kept in this namespace."""
        for each in self.partitions.all:
            await self.command("DEL", *each.keys(all_keys()))
        await self.command("DEL", self._number)

    async def messages(self) -> AsyncGenerator[str, None]:
        """What is told in this namespace, until the connection breaks; at first nothing
        but an empty text, as it is not known what was told before."""
        client, silence = self.usable(), CallTimeout(_SILENT)
        try:
            subscription = client.pubsub()
            try:
                await subscription.subscribe(self.channel)
                yield ""
                is_asked = False
                while True:
                    told = await _told(subscription, silence)
                    if told is not None:
                        is_asked = False
                        if told["type"] == "message":
                            yield told["data"].decode(errors="replace")
                    elif is_asked:
                        raise TimeoutError
                    else:
                        is_asked = True
                        await subscription.ping()
            finally:
                silence.close()
                await subscription.aclose()  # type: ignore[no-untyped-call]  # has none
        except ERRORS as error:
            raise mapped(error) from error

    @property
    def has_wire(self) -> bool:
        """Whether it is one server, and the connections to it are ours."""
        return self._wire is not None

    @property
    def channel(self) -> str:
        """Where is told what is new in this namespace."""
        return f"{self.options.prefix}:{self.options.namespace}:news"

    @property
    def _number(self) -> str:
        """The key under which is kept how many partitions there are."""
        return f"{self.options.prefix}:{self.options.namespace}:partitions"

    async def _count(self) -> int:
        """How many partitions the data has."""
        cluster = isinstance(self._client, RedisCluster)
        wanted = self.options.partitions or (_OF_A_CLUSTER if cluster else 1)
        await self.command("SET", self._number, wanted, "NX")
        told = await self.command("GET", self._number)
        with reading():
            kept = int(told)
        if self.options.partitions not in {None, kept}:
            problem = f"it has {kept} partitions, not {self.options.partitions}"
            raise StoreError(problem)
        return kept

    async def _sent(self, *parts: Any) -> Any:
        """What a command answers, by the shortest way; NoScriptError as it is."""
        client = self.usable()
        send = client.execute_command if self._wire is None else self._wire.send
        try:
            with self._timeout():
                return await send(*parts)
        except NoScriptError:
            raise
        except (*ERRORS, *ODD) as error:
            raise mapped(error) from error

    async def _replicated(self, *parts: Any) -> Any:
        """What a call of a script answers, once replicas have what it wrote."""
        wanted, waited = self.options.wait_replicas, self.options.wait_timeout
        wait = ("WAIT", wanted, waited // _MILLISECOND)
        client = self.usable()
        try:
            with self._timeout():
                if self._wire is None:
                    answer, replicas = await send_both(client, parts, wait)
                else:
                    answer, replicas = await self._wire.send_both(parts, wait)
        except NoScriptError:
            raise
        except (*ERRORS, *ODD) as error:
            raise mapped(error) from error
        if replicas < wanted:
            raise NotReplicatedError(replicas, wanted, waited)
        return answer

    @asynccontextmanager
    async def _client_in_use(self) -> AsyncIterator[Client]:
        client = self.usable()
        try:
            with self._timeout():
                yield client
        except (*ERRORS, *ODD) as error:
            raise mapped(error) from error

    def usable(self) -> Client:
        """The client; StoreNotOpenError where it may not be used from here."""
        if self._client is None:
            raise StoreNotOpenError(self._problem)
        if self._process != os.getpid():
            raise StoreNotOpenError(OTHER_PROCESS)
        if self._loop is not asyncio.get_running_loop():
            raise StoreNotOpenError(OTHER_LOOP)
        return self._client


async def _told(subscription: PubSub, silence: CallTimeout) -> dict[str, Any] | None:
    """What is told next, but for who has subscribed; None where nothing is for a
    while."""
    try:
        with silence():
            told: dict[str, Any] | None = await subscription.get_message(
                ignore_subscribe_messages=True, timeout=None
            )
    except TimeoutError:
        return None
    return told


async def _info(client: Redis) -> dict[str, Any]:
    """What a server tells of itself; fakeredis, which tells nothing, does what the
    oldest does."""
    try:
        told: dict[str, Any] = await client.info()
    except ResponseError as error:
        if not str(error).startswith("unknown command"):
            raise
        return {"redis_version": "6.2"}
    return told


def _check_client(client: Client) -> None:
    if client.get_encoder().decode_responses:
        problem = "the client decodes what it is answered, and jobs are bytes"
        raise StoreError(problem)
