"""The rules of pausing, and of what is held for a pause."""

from __future__ import annotations

from jobcore import lifecycle
from jobcore.abilities import Paused, QueueControl
from jobcore.job import JobStatus
from jobcore.query import Filter
from jobcore.store import JobStore
from jobcore.testing.conformance.claim import ids_of
from jobcore.testing.conformance.control import ControlConformance, held
from jobcore.testing.work import (
    LEASE,
    a_claim,
    a_job,
    a_request,
    a_token,
    applied,
    claimed,
    current,
    inserted,
    named,
    neighbours,
)
from jobcore.transition import Answer


class PauseRules(ControlConformance):
    async def test_paused_names_what_is_paused(self, control: QueueControl) -> None:
        assert await control.paused() == Paused()
        await control.pause(queue="mail")
        await control.pause(task="greet")
        await control.pause(queue="Mail", task="send")
        queues, tasks = frozenset({"mail", "Mail"}), frozenset({"greet", "send"})
        assert await control.paused() == Paused(queues, tasks)
        await control.resume(queue="mail")
        await control.resume(task="send")
        assert await control.paused() == Paused(
            frozenset({"Mail"}), frozenset({"greet"})
        )

    async def test_pause_and_resume_repeated_have_one_effect(
        self, control: QueueControl
    ) -> None:
        for _ in range(2):
            await control.pause(queue="mail", task="greet")
        for _ in range(2):
            await control.resume(queue="mail", task="greet")
        assert await control.paused() == Paused()

    async def test_claim_passes_by_a_paused_queue(
        self, store: JobStore, control: QueueControl
    ) -> None:
        (mail,) = await inserted(store, a_job(queue="mail"))
        (other,) = await inserted(store, a_job(queue="other"))
        await control.pause(queue="mail")
        result = await store.claim(a_request(limit=5, queues=("mail", "other")))
        assert ids_of(result) == [other.id]
        assert await current(store, mail.id) == mail, "its jobs stay queued"
        await control.resume(queue="mail")
        result = await store.claim(a_request(limit=5, queues=("mail", "other")))
        assert ids_of(result) == [mail.id]

    async def test_pause_lets_run_what_runs(
        self, store: JobStore, control: QueueControl
    ) -> None:
        claim = await a_claim(store)
        await control.pause(queue="default", task="greet")
        renewal = await store.renew([claim], 2 * LEASE)
        assert (renewal.lost, renewal.requested) == (frozenset(), frozenset())
        await applied(store, lifecycle.complete(claim, b"1"))

    async def test_claim_holds_jobs_of_a_paused_task(
        self, store: JobStore, control: QueueControl
    ) -> None:
        (job,) = await inserted(store, a_job(task="Mail.send"))
        (other,) = await inserted(store, a_job())
        await control.pause(task="Mail.send")
        result = await store.claim(a_request(limit=5))
        assert ids_of(result) == [other.id]
        assert (result.held, result.deferred) == (1, 0)
        changed = {"status": JobStatus.HELD, "held_by": "task:Mail.send"}
        assert await current(store, job.id) == job.model_copy(update=changed)

    async def test_resume_leaves_held_jobs_to_lift(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, a_job())
        await control.pause(task="greet")
        await store.claim(a_request())
        await control.resume(task="greet")
        result = await store.claim(a_request(limit=5))
        assert ids_of(result) == [], "a held job waits for lift"

    async def test_claim_frees_the_key_of_a_job_it_holds_outside_its_scope(
        self, store: JobStore, control: QueueControl
    ) -> None:
        scope = frozenset({JobStatus.QUEUED})
        await inserted(store, a_job(unique_key="key", unique_scope=scope))
        await control.pause(task="greet")
        await store.claim(a_request())
        (answer,) = await store.insert([named(store, a_job(unique_key="key"))])
        assert answer.created

    async def test_apply_cancels_a_held_job(
        self, store: JobStore, control: QueueControl
    ) -> None:
        (queued,) = await inserted(store, a_job())
        await control.pause(task="greet")
        await store.claim(a_request())
        (job,) = await held(store)
        await applied(store, lifecycle.cancel(job, a_token()))
        canceled = await current(store, job.id)
        assert (canceled.status, canceled.held_by) == (JobStatus.CANCELED, None)
        refused = lifecycle.cancel(queued, a_token())
        assert await store.apply([refused]) == [Answer.STATUS]
        await control.resume(task="greet")
        assert await control.lift(None, 9) == 0

    async def test_delete_takes_held_jobs(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, a_job(), a_job())
        await control.pause(task="greet")
        await store.claim(a_request())
        assert await store.delete(Filter(statuses=frozenset({JobStatus.HELD})), 9) == 2
        await control.resume(task="greet")
        assert await control.lift(None, 9) == 0

    async def test_claim_stops_at_its_bound(
        self, store: JobStore, control: QueueControl
    ) -> None:
        paused = neighbours(store, *(a_job() for _ in range(500)))
        free = neighbours(store, *(a_job(task="send") for _ in range(30)))
        await inserted(store, *paused, *free)
        await control.pause(task="greet")
        result = await store.claim(a_request(limit=100))
        assert result.examined == 4 * 100 + 64, "it looks at 4n + 64 entries"
        assert result.bounded, "it says that asking again at once is worth it"
        assert (ids_of(result), result.held) == ([], 464)
        assert len(await held(store)) == 464
        result = await store.claim(a_request(limit=100))
        assert ids_of(result) == [job.id for job in free]
        assert (result.held, result.bounded) == (36, False)

    async def test_claim_stops_at_a_bound_of_its_own(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, *(a_job() for _ in range(30)))
        await control.pause(task="greet")
        result = await store.claim(a_request(limit=5, most=20))
        assert (result.examined, result.held, result.bounded) == (20, 20, True)
        result = await store.claim(a_request(limit=5, most=20))
        assert (result.examined, result.held, result.bounded) == (10, 10, False)

    async def test_claim_has_one_bound_for_all_its_queues(
        self, store: JobStore, control: QueueControl
    ) -> None:
        queues = tuple(f"q{n}" for n in range(4))
        jobs = [a_job(queue=queue) for queue in queues for _ in range(25)]
        await inserted(store, *jobs)
        await control.pause(task="greet")
        result = await store.claim(a_request(limit=1, queues=queues))
        assert (result.examined, result.held, result.bounded) == (68, 68, True)

    async def test_lift_leaves_what_a_pause_still_holds(
        self, store: JobStore, control: QueueControl
    ) -> None:
        await inserted(store, a_job(), a_job(task="send"))
        await control.pause(task="greet")
        await control.pause(task="send")
        await store.claim(a_request())
        assert await control.lift(None, 9) == 0
        await control.resume(task="send")
        assert await control.lift(["task:greet"], 9) == 0
        assert await control.lift(None, 9) == 1
        assert [job.task for job in await held(store)] == ["greet"]

    async def test_lift_queues_what_a_pause_held_at_its_old_place(
        self, store: JobStore, control: QueueControl
    ) -> None:
        new = neighbours(store, *(a_job(priority=n % 3) for n in range(9)))
        jobs = await inserted(store, *new)
        await control.pause(task="greet")
        await store.claim(a_request())
        await control.resume(task="greet")
        assert await control.lift(["task:greet"], 4) == 4, "in batches of its limit"
        in_order = sorted(jobs, key=lambda job: (job.priority, job.id))
        assert await held(store) == [
            job.model_copy(update={"status": JobStatus.HELD, "held_by": "task:greet"})
            for job in in_order[4:]
        ]
        assert await control.lift(["task:greet"], 9) == 5
        assert await control.lift(["task:greet"], 9) == 0
        assert [claim.job_id for claim in await claimed(store, 9)] == [
            job.id for job in in_order
        ]
        assert (await current(store, jobs[0].id)).held_by is None
