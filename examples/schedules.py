"""Schedules: work that recurs, declared with its task or made while the service runs.

uv run examples/schedules.py
"""

import asyncio
from datetime import timedelta

from jobcore import (
    Cron,
    Every,
    JobContext,
    Misfire,
    Overlap,
    Tasks,
    Worker,
    open_manager,
)

tasks = Tasks()
polled = asyncio.Event()


# Every worker that has the task sees to it that there is this one schedule.
@tasks.task(schedule=Every(timedelta(seconds=1), overlap=Overlap.SKIP))
async def poll_feeds() -> None:
    polled.set()


@tasks.task(context=True)
async def send_report(context: JobContext, region: str) -> str:
    """Its job knows what it was made for: a tick, or somebody's click."""
    made_for = "a tick" if "tick" in context.job.labels else "a click"
    return f"report of {region}, for {made_for}"


async def main() -> None:
    async with open_manager() as jobs, Worker(jobs, tasks):
        nightly = await jobs.schedule(
            "nightly-report",
            send_report.job("Bavaria"),
            Cron("30 2 * * mon-fri", "Europe/Berlin", misfire=Misfire.ONCE),
        )
        print("the next five nights are known:", len(nightly.upcoming(5)) == 5)

        # However often a button is pressed with this key, there is one job.
        clicks = [await jobs.trigger("nightly-report", key="click 7") for _ in range(3)]
        print(len({job.id for job in clicks}), "job:", await jobs.result(clicks[0]))

        await jobs.pause(schedule="nightly-report")
        for schedule in await jobs.schedules():
            print(schedule.name, "is paused" if schedule.paused else "goes on")
        await jobs.unschedule("nightly-report")
        await polled.wait()
        print("the feeds were polled")


if __name__ == "__main__":
    asyncio.run(main())
