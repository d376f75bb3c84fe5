"""A FastAPI service that answers at once and works later.

    uv run --with uvicorn uvicorn --app-dir examples fastapi_service:app

Its jobs live in the memory of the process; with JOBCORE_STORE_URL set to
sqlite+aiosqlite:///service.db they outlive it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from fastapi import Body, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

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


class State(TypedDict):
    jobs: JobManager


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
    """The worker runs beside the service, in its event loop. It may as well run in
    processes of its own: they open the same store and share nothing else."""
    async with open_manager() as jobs, Worker(jobs, tasks):
        yield {"jobs": jobs}


app = FastAPI(lifespan=lifespan)


async def job_manager(request: Request) -> JobManager:
    jobs: JobManager = request.state.jobs
    return jobs


Jobs = Annotated[JobManager, Depends(job_manager)]


class Report(BaseModel):
    id: str
    status: JobStatus
    result: dict[str, int] | None
    error: str | None

    @classmethod
    def of(cls, job: Job[Any]) -> "Report":
        error = job.failure.message if job.failure else None
        return cls(id=job.id, status=job.status, result=job.value, error=error)


@app.post("/reports", status_code=202)
async def submit_report(
    text: Annotated[str, Body(embed=True)],
    jobs: Jobs,
    request: Request,
    response: Response,
) -> Report:
    job = await jobs.submit(count_words.job(text))
    response.headers["Location"] = str(request.url_for("get_report", job_id=job.id))
    return Report.of(job)


@app.get("/reports/{job_id}")
async def get_report(job_id: str, jobs: Jobs) -> Report:
    job = await jobs.get(job_id)
    if job.task != count_words.name:  # other jobs are nobody's business here
        raise JobNotFoundError(job_id)
    return Report.of(job)


@app.exception_handler(JobNotFoundError)
async def not_found(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


@app.exception_handler(InvalidJobError)
async def invalid(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=422)
