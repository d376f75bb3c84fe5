"""The benchmark on Redis, on a few jobs, and without peers but for the raw limit."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoServerError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SERVER = shutil.which("redis-server")
TINY = ("--jobs", "1500", "--repeat", "1")

pytestmark = pytest.mark.skipif(SERVER is None, reason="there is no redis-server")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, which is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("redis"))
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir")
    command = [str(SERVER), *options, folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    with Redis(port=port) as client:
        for _ in range(200):
            try:
                client.ping()
            except NoServerError:
                time.sleep(0.05)
            else:
                return
    pytest.fail("the server does not answer")


def run(url: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [
            *(sys.executable, str(BENCHMARKS / "run.py"), "--stores", "redis"),
            *map(str, arguments),
            "--no-plots",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "JOBCORE_BENCHMARK_REDIS_URL": url},
    )


def test_it_measures_in_a_database_that_is_empty_afterwards(
    url: str, tmp_path: Path
) -> None:
    with Redis.from_url(f"{url}/0") as other, Redis.from_url(f"{url}/15") as ours:
        other.set("theirs", "stays")
        works = ("--only", "bulk,drain", "--peers", "raw_redis")
        finished = run(url, *works, *TINY, "--output", tmp_path)
        assert finished.returncode == 0, finished.stderr
        assert ours.dbsize() == 0
        assert other.get("theirs") == b"stays"
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["failures"] == []
    samples = results["samples"]
    assert {(each["work"], each["contestant"]) for each in samples} == {
        *(("bulk", "jobcore"), ("drain", "jobcore")),
        *(("bulk", "raw_redis"), ("drain", "raw_redis")),
    }
    assert all(each["server_cpu"] > 0 for each in samples)


def test_a_database_in_use_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    with Redis.from_url(f"{url}/15") as ours:
        ours.set("theirs", "stays")
        finished = run(url, "--only", "one", "--peers", "", "--output", tmp_path)
        assert finished.returncode == 1
        assert finished.stderr.endswith("/15 is not empty, it has 1 keys\n")
        assert ours.get("theirs") == b"stays"
        ours.flushdb()
