"""One trace joins a submit in one process and the run in another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HOST = """
import asyncio, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from jobcore import JobRequest, Tasks, Worker, open_manager
from jobcore.telemetry import Telemetry

provider, tasks = TracerProvider(), Tasks()
exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\\n")
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("host")

@tasks.task()
async def greet() -> None:
    with tracer.start_as_current_span("greeting"):
        pass

async def submit(jobs):
    with tracer.start_as_current_span("request"):
        await jobs.submit(JobRequest("greet"))

async def work(jobs):
    (job,) = (await jobs.find()).jobs
    async with Worker(jobs, tasks):
        await jobs.result(job)

async def main(act):
    url, telemetry = "sqlite+aiosqlite:///jobs.db", Telemetry(tracer_provider=provider)
    async with open_manager(url, instrumentation=telemetry) as jobs:
        await act(jobs)

asyncio.run(main({"submit": submit, "work": work}[sys.argv[1]]))
"""


def host(act: str, folder: Path) -> dict[str, Any]:
    """The spans of a process that does this, by name."""
    finished = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", HOST, act],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    spans = [json.loads(line) for line in finished.stdout.splitlines()]
    return {each["name"]: each for each in spans}


def test_one_trace_joins_two_processes(tmp_path: Path) -> None:
    here, there = host("submit", tmp_path), host("work", tmp_path)
    assert here.keys() == {"request", "submit default"}
    assert there.keys() == {"run default", "greeting"}
    request, submit = here["request"], here["submit default"]
    run, greeting = there["run default"], there["greeting"]
    spans = (request, submit, run, greeting)
    assert len({each["context"]["trace_id"] for each in spans}) == 1
    assert [each["parent_id"] for each in spans] == [
        None,
        *(each["context"]["span_id"] for each in (request, submit, run)),
    ]
