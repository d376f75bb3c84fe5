"""Verify: whether each job is where its status says, and nothing else is anywhere.

The texts of the jobs are what is true. They are gone through page by page, and so are
the indexes, and each page is compared in one step, so that a store may be verified
while it works. Only counts are of all of it: where they change meanwhile, they are not
judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any, Final

from jobcore import Verification
from jobcore_redis.keys import Partition
from jobcore_redis.problems import reading
from jobcore_redis.server import Server

_PAGE: Final = 100
_SETS: Final = (
    "queued",
    "scheduled",
    "held",
    "leases",
    "limited",
    "finished",
    "ids",
    "ticks",
)
_HASHES: Final = ("states", "results", "errors", "extras", "attempts", "schedules")
_OF_SCHEDULES: Final = ("schedules", "ticks")

Findings = defaultdict[str, list[str]]


async def verify(server: Server, *, mend: bool = False) -> Verification:
    """Read everything and compare; what was found is mended if wanted, by what the jobs
    say of themselves."""
    findings: Findings = defaultdict(list)
    for partition in server.partitions.all:
        await _Look(server, partition, findings, mend=mend).run()
    return Verification({rule: tuple(found) for rule, found in findings.items()})


class _Look:
    """A look at one partition."""

    def __init__(
        self, server: Server, partition: Partition, findings: Findings, *, mend: bool
    ) -> None:
        self._server = server
        self._partition = partition
        self._findings = findings
        self._mend = mend

    async def run(self) -> None:
        before = await self._counts()
        counted: Counter[bytes] = Counter()
        async for ids in self._scanned("HSCAN", "jobs"):
            counted.update(await self._inspect("jobs", ids))
        for kind in _SETS:
            async for members in self._scanned("ZSCAN", kind):
                await self._inspect(kind, members)
        for kind in _HASHES:
            async for names in self._scanned("HSCAN", kind):
                await self._inspect(kind, names)
        if await self._counts() == before != counted:
            await self._recount(before, counted)

    async def _recount(self, kept: Counter[bytes], counted: Counter[bytes]) -> None:
        told: list[Any] = []
        for name in sorted(kept.keys() | counted.keys()):
            if kept[name] != counted[name]:
                queue, _, status = name.decode().partition("\t")
                text = f"{kept[name]} {status} in {queue} should be {counted[name]}"
                self._findings["counts"].append(text)
                told += name, kept[name], counted[name]
        if self._mend:
            await self._server.call("recount", self._partition, told)

    async def _counts(self) -> Counter[bytes]:
        told = await self._server.command("HGETALL", self._partition.key("counts"))
        pairs = told.items() if isinstance(told, dict) else zip(told[::2], told[1::2])  # noqa: B905 - as Redis answers them
        with reading():
            return Counter({name: int(n) for name, n in pairs})

    async def _scanned(self, command: str, kind: str) -> AsyncIterator[list[bytes]]:
        """The members of an index or hash, page by page; some may come twice."""
        key, cursor, seen = self._partition.key(kind), 0, set[bytes]()
        while True:
            cursor, page = await self._server.command(
                command, key, cursor, "COUNT", _PAGE
            )
            names = [each if isinstance(each, bytes) else each[0] for each in page]
            fresh = [each for each in dict.fromkeys(names) if each not in seen]
            seen.update(fresh)
            yield fresh
            if not int(cursor):
                break

    async def _inspect(self, kind: str, members: list[bytes]) -> list[bytes]:
        """Judge a page, and answer the queues and statuses of the jobs on it."""
        what = "schedule" if kind in _OF_SCHEDULES else "job"
        standings: list[bytes] = []
        for start in range(0, len(members), _PAGE):
            told: list[Any] = [int(self._mend)]
            for each in members[start : start + _PAGE]:
                told += kind, each
            found, jobs = await self._server.call("inspect", self._partition, told)
            for rule, name in zip(found[::2], found[1::2], strict=True):
                self._findings[rule.decode()].append(f"{what} {name.decode()}")
            standings += jobs
        return standings
