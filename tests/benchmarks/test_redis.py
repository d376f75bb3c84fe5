"""The benchmark on Redis, on a few jobs, and without peers but for the raw limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.redis_server import PROGRAM, PROGRAMS, RedisServer

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = ("--jobs", "1500", "--repeat", "1")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, which is gone afterwards: the newest there is."""
    server = RedisServer(
        tmp_path_factory.mktemp("redis"), PROGRAMS.get("here", PROGRAM)
    )
    server.start()
    yield server.url
    server.stop()


def command(*arguments: str | Path) -> list[str]:
    script = [sys.executable, str(BENCHMARKS / "run.py"), "--stores", "redis"]
    return [*script, *map(str, arguments), "--no-plots"]


def run(url: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return finished(url, command(*arguments))


def finished(url: str, script: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        script,
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
        ended = run(url, *works, *TINY, "--output", tmp_path)
        assert ended.returncode == 0, ended.stderr
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
    submitted = [each for each in samples if each["work"] == "bulk"]
    assert all(each["server_memory"] > 0 for each in submitted)


@pytest.mark.slow
def test_growing_stores_lie_side_by_side_and_are_sound(url: str) -> None:
    script = [sys.executable, str(BENCHMARKS / "growth.py"), "--store", "redis"]
    tiny = ("--sizes", "500,1000", "--times", "2", "--no-plots")
    ended = finished(url, [*script, *tiny])
    assert ended.returncode == 0, ended.stderr
    assert "| claim of 100" in ended.stdout
    assert "scripts slower than 10 ms: " in ended.stdout
    with Redis.from_url(f"{url}/15") as ours:
        assert ours.dbsize() == 0


def test_a_database_in_use_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    with Redis.from_url(f"{url}/15") as ours:
        ours.set("theirs", "stays")
        ended = run(url, "--only", "one", "--peers", "", "--output", tmp_path)
        assert ended.returncode == 1
        assert ended.stderr.endswith("/15 is not empty, it has 1 keys\n")
        assert ours.get("theirs") == b"stays"
        ours.flushdb()


@pytest.mark.slow
def test_a_run_that_is_ended_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    works = ("--only", "bulk", "--peers", "", "--jobs", "1000000", "--repeat", "1")
    with Redis.from_url(f"{url}/15") as ours:
        running = subprocess.Popen(  # noqa: S603 - our own script
            command(*works, "--output", tmp_path),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "JOBCORE_BENCHMARK_REDIS_URL": url},
        )
        while not ours.dbsize():
            assert running.poll() is None, "it ended before it was told to"
            time.sleep(0.01)
        running.terminate()
        assert running.wait(60) != 0
        assert ours.dbsize() == 0
