"""A service on Litestar that answers at once and works later.

    uv run --with uvicorn uvicorn --app-dir examples litestar_service:app

Its jobs live in the memory of the process; with JOBCORE_STORE_URL set to
sqlite+aiosqlite:///service.db they outlive it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from jobcore import (
    InvalidJobError,
    Job,
    JobManager,
    JobNotFoundError,
    JobStatus,
    Tasks,
    Worker,
    open_manager,
)

tasks = Tasks()


@tasks.task(queue="reports", timeout=timedelta(minutes=5))
async def count_words(text: str) -> dict[str, int]:
    words = text.lower().split()
    return {word: words.count(word) for word in sorted(set(words))}


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """The worker runs beside the service, in its event loop. It may as well run in
    processes of its own: they open the same store and share nothing else."""
    async with open_manager() as jobs, Worker(jobs, tasks):
        app.state.jobs = jobs
        yield


async def job_manager(state: State) -> JobManager:
    jobs: JobManager = state.jobs
    return jobs


Jobs = NamedDependency[SkipValidation[JobManager]]


@dataclass
class Text:
    text: str


@dataclass
class Report:
    id: str
    status: JobStatus
    result: dict[str, int] | None
    error: str | None

    @classmethod
    def of(cls, job: Job[Any]) -> "Report":
        error = job.failure.message if job.failure else None
        return cls(id=job.id, status=job.status, result=job.value, error=error)


@post("/reports", status_code=202)
async def submit_report(
    data: JSONBody[Text], jobs: Jobs, request: Request[Any, Any, Any]
) -> Response[Report]:
    job = await jobs.submit(count_words.job(data.text))
    url = request.url_for("report", job_id=job.id)
    return Response(Report.of(job), headers={"Location": url})


@get("/reports/{job_id:str}", name="report")
async def get_report(job_id: FromPath[str], jobs: Jobs) -> Report:
    job = await jobs.get(job_id)
    if job.task != count_words.name:  # other jobs are nobody's business here
        raise JobNotFoundError(job_id)
    return Report.of(job)


def not_found(
    _request: Request[Any, Any, Any], error: JobNotFoundError
) -> Response[dict[str, str]]:
    return Response({"detail": str(error)}, status_code=404)


def invalid(
    _request: Request[Any, Any, Any], error: InvalidJobError
) -> Response[dict[str, str]]:
    return Response({"detail": str(error)}, status_code=422)


app = Litestar(
    [submit_report, get_report],
    lifespan=[lifespan],
    dependencies={"jobs": Provide(job_manager)},
    exception_handlers={JobNotFoundError: not_found, InvalidJobError: invalid},
    logging_config=None,  # which is left to whoever runs this
)
