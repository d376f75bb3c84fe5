"""The works that contestants are measured by, each told by what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from contestant import SUBMITS, Order
from processes import Entry
from stores import STORES

NAP = 0.01


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement: jobs per second, or milliseconds, and CPU time per job in
    microseconds of all contestant's processes and of the server, where there is one;
    and where jobs are only submitted, the bytes that the server keeps per job."""

    work: str
    store: str
    contestant: str
    jobs: int
    rate: float | None = None
    p50: float | None = None
    p99: float | None = None
    client_cpu: float | None = None
    server_cpu: float | None = None
    server_memory: float | None = None


@dataclass(frozen=True)
class Size:
    """How much work there is."""

    jobs: int
    concurrency: int
    samples: int
    pause: float


class UnsoundError(Exception):
    """What a contestant did is not what it was to do, so that its speed is none."""

    def __init__(self, contestant: str, complaints: Iterable[str]) -> None:
        self.contestant = contestant
        self.complaints = tuple(complaints)
        super().__init__(f"{contestant}: {', '.join(self.complaints)}")


def check_once(contestant: str, starts: Iterable[tuple[int, int]], jobs: int) -> None:
    """That the journal shows each of the *jobs*, and nothing else, started once."""
    times = Counter(number for number, _ in starts)
    odd = {number: times[number] for number in range(jobs) if times[number] != 1}
    if odd or len(times) != jobs:
        text = f"{len(odd)} of {jobs} jobs not started once, as {list(odd.items())[:5]}"
        raise UnsoundError(contestant, [text])


class Measurement:
    """One work on one store by one contestant, in a place of its own."""

    def __init__(self, entry: Entry, size: Size, url: str) -> None:
        self._entry = entry
        self._size = size
        self._store = STORES[entry.offer.store]
        self._url = url

    async def submit(self, work: str) -> Sample:
        """Submit in one of the ways."""
        part = {"one": 10, "tasks": 4, "bulk": 1}[work]
        jobs = self._jobs(part)
        server, memory = self._server_cpu(), self._server_memory()
        async with self._entry.playing(self._order("submit", jobs, way=work)) as it:
            await it.heard("ready")
            it.tell()
            done = await it.heard("done")
        if done["left"] != jobs:
            raise UnsoundError(self._entry.label, [f"{done['left']} of {jobs} stored"])
        sample = self._sample(work, jobs, done["seconds"], done["cpu"], server)
        kept = self._server_memory()
        if kept is None or memory is None:
            return sample
        return replace(sample, server_memory=(kept - memory) / jobs)

    async def drain(self, work: str) -> Sample:
        """Drain what was submitted before, with one worker or two."""
        jobs = self._jobs(1)
        shared = self._store.is_shared
        if shared:
            async with self._entry.playing(self._order("submit", jobs)) as it:
                await it.heard("ready")
                it.tell()
                await it.heard("done")
        nap = NAP if work == "nap" else 0.0
        ends = []
        async with AsyncExitStack() as stack:
            workers = []
            for number in range(2 if work == "two" else 1):
                order = self._order(
                    "drain", jobs, nap=nap, fill=not shared, check=number == 0
                )
                worker = await stack.enter_async_context(self._entry.playing(order))
                await worker.heard("ready")
                workers.append(worker)
            server = self._server_cpu()
            for worker in workers:
                worker.tell()
            ends = [await worker.heard("done") for worker in workers]
        seconds = self._judge(ends, jobs)
        cpu = sum(each["cpu"] for each in ends)
        return self._sample(work, jobs, seconds, cpu, server)

    async def latency(self, work: str) -> Sample:
        """From the call that submits a lone job to its start in another process."""
        jobs = self._size.samples
        async with (
            self._entry.playing(self._order("listen", jobs)) as listener,
            self._entry.playing(self._order("call", jobs)) as caller,
        ):
            await listener.heard("ready")
            await caller.heard("ready")
            caller.tell()
            calls = dict((await caller.heard("done"))["calls"])
            starts = (await listener.heard("done"))["starts"]
        check_once(self._entry.label, starts, jobs)
        waits = [(at - calls[number]) / 1e6 for number, at in starts]
        cuts = quantiles(waits, n=100, method="inclusive")
        return Sample(
            work=work,
            store=self._entry.offer.store,
            contestant=self._entry.label,
            jobs=jobs,
            p50=cuts[49],
            p99=cuts[98],
        )

    def _jobs(self, part: int) -> int:
        return max(int(self._size.jobs * self._entry.offer.share) // part, 10)

    def _order(self, role: str, jobs: int, **more: Any) -> Order:
        return Order(
            role=role,
            store=self._entry.offer.store,
            variant=self._entry.offer.variant,
            url=self._url,
            jobs=jobs,
            concurrency=self._size.concurrency,
            pause=self._size.pause,
            **more,
        )

    def _judge(self, ends: list[dict[str, Any]], jobs: int) -> float:
        """The seconds from the first start to the moment when all jobs had started and
        the store showed that none was left."""
        starts = [start for each in ends for start in each["starts"]]
        check_once(self._entry.label, starts, jobs)
        complaints = [text for each in ends for text in each["complaints"]]
        if complaints:
            raise UnsoundError(self._entry.label, complaints)
        began = min(at for _, at in starts)
        return float(max(each["ended"] for each in ends) - began) / 1e9

    def _server_cpu(self) -> float | None:
        return self._store.server_cpu and self._store.server_cpu()

    def _server_memory(self) -> int | None:
        return self._store.server_memory and self._store.server_memory()

    def _sample(
        self, work: str, jobs: int, seconds: float, cpu: float, server: float | None
    ) -> Sample:
        used = self._server_cpu()
        return Sample(
            work=work,
            store=self._entry.offer.store,
            contestant=self._entry.label,
            jobs=jobs,
            rate=jobs / seconds,
            client_cpu=cpu / jobs * 1e6,
            server_cpu=None
            if used is None or server is None
            else (used - server) / jobs * 1e6,
        )


_BY_WORK: dict[str, Callable[[Measurement, str], Awaitable[Sample]]] = {
    **dict.fromkeys(sorted(SUBMITS), Measurement.submit),
    **dict.fromkeys(("drain", "two", "nap"), Measurement.drain),
    "latency": Measurement.latency,
}
WORKS: dict[str, str] = {
    "one": "submit one at a time",
    "tasks": "submit in 50 tasks at once",
    "bulk": "submit 1000 in one call",
    "drain": "drain no-op jobs, one worker process",
    "two": "drain no-op jobs, two worker processes",
    "nap": "drain jobs that sleep 10 ms, one worker process",
    "latency": "start of a lone job in another process",
}


async def measured(entry: Entry, work: str, size: Size) -> Sample:
    """One sample, in a place that is new and gone afterwards."""
    with TemporaryDirectory(prefix="jobcore-benchmark-") as folder:
        async with STORES[entry.offer.store].place(Path(folder)) as url:
            return await _BY_WORK[work](Measurement(entry, size, url), work)
