"""A write, and the wait for replicas to have it, over the connection that wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import PipelineCommand
from redis.exceptions import NoScriptError

from jobcore_redis.connect import Client
from jobcore_redis.problems import ERRORS

Command: TypeAlias = tuple[Any, ...]

_FIRST_KEY: Final = 3
"""Where a call of a script has it."""


async def send_both(client: Client, call: Command, wait: Command) -> tuple[Any, Any]:
    """What the server answers to the call of a script and to a wait, which follow each
    other over one connection of *client*; the error of either is raised."""
    if isinstance(client, RedisCluster):
        return await _send_in_cluster(client, call, wait)
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.execute_command(*call)
        pipeline.execute_command(*wait)
        return checked(await pipeline.execute(raise_on_error=False))


def checked(answers: Sequence[Any]) -> tuple[Any, Any]:
    """Both *answers*, if none is an error."""
    for each in answers:
        if isinstance(each, BaseException):
            raise each
    first, second = answers
    return first, second


async def _send_in_cluster(
    client: RedisCluster, call: Command, wait: Command
) -> tuple[Any, Any]:
    """A cluster that changes is something that its client copes with for one command,
    but not for two. So that is left to it, and then the call, which may be repeated,
    goes with the wait to where it was answered."""
    try:
        return await _send_to_node(client, call, wait)
    except NoScriptError:
        raise
    except ERRORS:
        answer = await client.execute_command(*call)
    _, replicas = await _send_to_node(client, call, wait)
    return answer, replicas


async def _send_to_node(
    client: RedisCluster, call: Command, wait: Command
) -> tuple[Any, Any]:
    await client.initialize()
    node: Any = client.get_node_from_key(call[_FIRST_KEY])
    commands = [
        PipelineCommand(place, *each) for place, each in enumerate((call, wait))
    ]
    await node.execute_pipeline(commands)
    return checked([each.result for each in commands])
