"""Jobs, put together of what Redis keeps of them: two texts, and some values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from pydantic_core import from_json

from jobcore import Job, JobStatus, Outcome
from jobcore_redis.first import first
from jobcore_redis.problems import reading
from jobcore_redis.units import instant

Bytes = bytes | None

_STATUSES: Final = {each.value.encode(): each for each in JobStatus}
_OUTCOMES: Final = {each.value.encode(): each for each in Outcome}


@reading()
def records(parts: Sequence[Sequence[Any]], ids: Sequence[bytes]) -> list[Job | None]:
    """The jobs that *parts* tell of *ids*, in their order."""
    texts, states, leases, results, errors, extras = parts
    return [
        None
        if text is None
        else job(job_id, text, state, lease, (result, error, extra))
        for job_id, text, state, lease, result, error, extra in zip(
            ids, texts, states, leases, results, errors, extras, strict=True
        )
    ]


def job(
    job_id: bytes,
    text: bytes,
    state: Bytes,
    lease: Bytes,
    values: tuple[Bytes, Bytes, Bytes],
) -> Job:
    """A job of its two texts, when its lease ends, and its result, error and extra."""
    fields = first(job_id, text)
    if state:
        fields.update(became(state))
    if lease is not None and fields["status"] is JobStatus.IN_PROGRESS:
        fields["lease_until"] = instant(lease)
    fields["result"], fields["error"], extra = values
    if extra is not None:
        fields["extra"] = _changed(extra)
    return Job.trusted(fields)


@reading()
def claimed(
    parts: Sequence[Any], ids: Sequence[bytes], effect: dict[str, Any]
) -> list[Job]:
    """The jobs that a claim has taken, with its *effect* on those that never ran."""
    texts, states, rest = parts
    values = iter(zip_longest(*rest)) if rest else iter(())
    jobs = []
    for job_id, text, state in zip(ids, texts, states, strict=True):
        fields = first(job_id, text)
        if state:
            fields.update(became(state))
            fields["lease_until"] = effect["lease_until"]
            fields["result"], fields["error"], extra = next(values)
            if extra is not None:
                fields["extra"] = _changed(extra)
        else:
            fields.update(effect)
        jobs.append(Job.trusted(fields))
    return jobs


def became(state: bytes) -> dict[str, Any]:
    """The fields that a job's state tells."""
    (
        _,
        requested,
        status,
        due,
        attempt,
        failures,
        losses,
        generation,
        holder,
        worker,
        started,
        ended,
        finished,
        outcome,
        _,
        _,
        reason,
        _,
    ) = state.split(b"\t", 17)
    return {
        "cancel_requested_at": instant(requested) if requested else None,
        "status": _STATUSES[status],
        "due_at": instant(due),
        "attempt": int(attempt),
        "failures": int(failures),
        "losses": int(losses),
        "generation": int(generation),
        "held_by": holder.decode() if holder else None,
        "worker": worker.decode() if worker else None,
        "started_at": instant(started) if started else None,
        "ended_at": instant(ended) if ended else None,
        "finished_at": instant(finished) if finished else None,
        "outcome": _OUTCOMES[outcome] if outcome else None,
        "reason": from_json(reason) if reason else None,
    }


def changed(value: Bytes) -> bytes:
    """How a value that may be None travels, and how an extra that was changed stays."""
    return b"-" if value is None else b"+" + value


def _changed(value: bytes) -> Bytes:
    return None if value == b"-" else value[1:]


@reading()
def holds_unique_key(job: Job, state: Bytes) -> bool:
    """Whether a job of this *state* holds its unique key."""
    if state:
        return state.split(b"\t", 16)[15] == b"1"
    return job.unique_key is not None and job.status in job.unique_scope


@reading()
def token(state: bytes) -> str:
    """The token of whoever holds the job of this *state*."""
    return state[: state.index(b"\t")].decode()
