from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobcore import Job
from jobcore.testing import a_job, a_request

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def stored(job_id: str, **fields: object) -> Job:
    return Job.stored(a_job(id=job_id, **fields), NOW)


def test_jobs_are_in_order_by_queue_priority_due_time_and_id() -> None:
    request = a_request(queues=("two", "one"))
    jobs = [
        stored("f", queue="other", priority=-9),
        stored("e", queue="one"),
        stored("d", queue="two", priority=1),
        stored("c", queue="two", delay=timedelta(hours=1)),
        stored("b", queue="two"),
        stored("a", queue="two"),
        stored("z", queue="two", priority=-1),
    ]
    assert "".join(job.id for job in request.in_order(jobs)) == "zabcdef"
