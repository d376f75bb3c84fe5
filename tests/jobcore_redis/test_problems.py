"""Each error of a server is worth repeating, or it is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import exceptions

from jobcore import StoreError, StoreUnavailableError
from jobcore.testing import a_job, inserted
from jobcore_redis import RedisJobStore
from jobcore_redis.problems import ERRORS, mapped
from tests.jobcore_redis import servers
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

PASSING = (
    exceptions.ReadOnlyError("You can't write against a read only replica."),
    exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    exceptions.MasterDownError("Link with MASTER is down"),
    exceptions.ClusterDownError("CLUSTERDOWN The cluster is down"),
    exceptions.TryAgainError("Multiple keys request during rehashing of slot"),
    exceptions.ConnectionError("Connection closed by server."),
    exceptions.TimeoutError("Timeout reading from socket"),
    exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
    exceptions.ResponseError(
        "Error running script (call to f_ea): @user_script:7: @user_script: 7: "
        "-READONLY You can't write against a read only replica."
    ),
    exceptions.ResponseError("BUSY Redis is busy running a script."),
    exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    ConnectionResetError("reset"),
    TimeoutError(),
    AttributeError("'NoneType' object has no attribute 'writelines'"),
    exceptions.RedisClusterException("Redis Cluster cannot be connected."),
    exceptions.SlotNotCoveredError('Slot "7" is not covered by the cluster.'),
)
LASTING = (
    exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
    exceptions.NoPermissionError("this user has no permissions to run 'evalsha'"),
    exceptions.AuthenticationError("invalid username-password pair"),
    exceptions.ResponseError("WRONGTYPE Operation against a key of the wrong kind"),
    exceptions.ResponseError("user_script:3: attempt to index a nil value"),
    exceptions.ResponseError("BUSYKEY Target key name already exists."),
    exceptions.ResponseError(
        "Error running script (call to f_ea): @user_script:7: @user_script: 7: "
        "-OOM command not allowed when used memory > 'maxmemory'."
    ),
    exceptions.DataError("Invalid input of type"),
)


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_an_outage_is_worth_repeating(error: Exception) -> None:
    assert isinstance(error, ERRORS)
    assert isinstance(mapped(error), StoreUnavailableError)


@pytest.mark.parametrize("error", LASTING, ids=str)
def test_what_lasts_is_not(error: Exception) -> None:
    found = mapped(error)
    assert type(found) is StoreError
    assert str(error) in str(found)


def test_a_timeout_says_what_happened() -> None:
    assert "no answer in time" in str(mapped(TimeoutError()))


SETTINGS = [
    ("REPLICAOF", "127.0.0.1", "1"),
    ("CONFIG SET", "min-replicas-to-write", "1"),
]
"""By which a server takes no writes: it is a replica, or has too few of its own."""


@pytest.mark.parametrize("setting", SETTINGS, ids=["replica", "replicas"])
async def test_a_script_that_may_not_write_now_is_worth_repeating(
    alone: RedisServer, setting: tuple[str, ...]
) -> None:
    async with RedisJobStore(alone.url) as store:
        servers.run(alone.url, *setting)
        with pytest.raises(StoreUnavailableError):
            await inserted(store, a_job())
        with pytest.raises(StoreUnavailableError):
            await store.turn("duty", timedelta(seconds=1))


async def test_a_script_that_fills_the_memory_is_refused_for_that(
    alone: RedisServer,
) -> None:
    async with RedisJobStore(alone.url) as store:
        servers.run(alone.url, "CONFIG SET", "maxmemory", "1")
        with pytest.raises(StoreError, match="its memory is full"):
            await inserted(store, a_job())


def test_a_full_memory_is_called_so() -> None:
    full = exceptions.OutOfMemoryError("allow-oom flag is not set on the script")
    assert str(mapped(full)) == (
        "the store failed: its memory is full: raise maxmemory, or prune "
        "(OutOfMemoryError: allow-oom flag is not set on the script)"
    )
