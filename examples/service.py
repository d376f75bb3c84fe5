"""A service on Starlette that answers at once and works later.

    uv run --with uvicorn uvicorn --app-dir examples service:app

Its jobs live in the memory of the process; with JOBCORE_STORE_URL set to
sqlite+aiosqlite:///service.db they outlive it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from jobcore import (
    InvalidJobError,
    JobManager,
    JobNotFoundError,
    Tasks,
    Worker,
    open_manager,
)

tasks = Tasks()


@tasks.task(queue="reports", timeout=timedelta(minutes=5))
async def count_words(text: str) -> dict[str, int]:
    words = text.lower().split()
    return {word: words.count(word) for word in sorted(set(words))}


class State(TypedDict):
    jobs: JobManager


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[State]:
    """The worker runs beside the service, in its event loop. It may as well run in
    processes of its own: they open the same store and share nothing else."""
    async with open_manager() as jobs, Worker(jobs, tasks):
        yield {"jobs": jobs}


async def submit_report(request: Request) -> JSONResponse:
    jobs: JobManager = request.state.jobs
    body = await request.json()
    try:
        job = await jobs.submit(count_words.job(body["text"]))
    except (InvalidJobError, KeyError, TypeError) as error:
        return JSONResponse({"error": str(error)}, status_code=422)
    url = str(request.url_for("report_status", job_id=job.id))
    return JSONResponse(
        {"id": job.id, "status_url": url}, status_code=202, headers={"Location": url}
    )


async def report_status(request: Request) -> JSONResponse:
    jobs: JobManager = request.state.jobs
    job = await jobs.get(request.path_params["job_id"])
    if job.task != count_words.name:  # other jobs are nobody's business here
        raise JobNotFoundError(job.id)
    return JSONResponse(
        {
            "id": job.id,
            "status": job.status,
            "result": job.value,
            "error": job.failure.message if job.failure else None,
        }
    )


async def not_found(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=404)


app = Starlette(
    routes=[
        Route("/reports", submit_report, methods=["POST"]),
        Route("/reports/{job_id}", report_status, name="report_status"),
    ],
    lifespan=lifespan,
    exception_handlers={JobNotFoundError: not_found},
)
