"""The invariants S1 to S12: what must never happen, whatever the faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from jobcore.attempt import Outcome
from jobcore.claim import Claim
from jobcore.job import TERMINAL, Job, JobStatus
from jobcore.lifecycle import LOST
from jobcore.testing.simulation.history import Call, Change, Event, History
from jobcore.transition import Answer

_SPENT: Final = {Outcome.FAILED, Outcome.TIMED_OUT}


class Finding(NamedTuple):
    """What went wrong, with which job, and when."""

    time: float
    job_id: str
    problem: str


Rule = Callable[[History], Iterator[Finding]]


def s1_one_current_claim(history: History) -> Iterator[Finding]:
    """A job is handed out while it is queued, and to one claim at a time."""
    current: dict[str, str] = {}
    for call in history.performed:
        for change in call.changes:
            started = change.event is Event.CLAIM
            if started and not _was(change, JobStatus.QUEUED):
                yield _at(call, change, "was claimed though it was not queued")
            if not _is_running(change):
                current.pop(change.job_id, None)
        for claim in _handed_out(call):
            holder = current.setdefault(claim.job_id, claim.token)
            if holder != claim.token:
                problem = f"was handed to {call.process} while another claim is current"
                yield Finding(time_of(call), claim.job_id, problem)


def s2_only_the_holder_writes(history: History) -> Iterator[Finding]:
    """Ends and renewals count with the current token, and always with it."""
    current: dict[str, str] = {}
    for call in history.performed:
        if call.verb == "renew" and call.error is None:
            yield from _wrong_renewals(call, current)
        before = dict(current) if call.verb == "apply" else {}
        for change in call.changes:
            yield from _wrong_writes(call, change, current)
            if not _is_running(change):
                current.pop(change.job_id, None)
        for claim in _handed_out(call):
            current[claim.job_id] = claim.token
        if call.verb == "apply":
            yield from _refused_holders(call, before)


def s3_the_end_is_final(history: History) -> Iterator[Finding]:
    """What is terminal is only retried, as a new generation, or deleted."""
    for call, change in history.changes():
        before, after = change.before, change.after
        if before is None or after is None or before.status not in TERMINAL:
            continue
        anew = after.generation == before.generation + 1
        if change.event is not Event.RETRY or not anew or after.status in TERMINAL:
            problem = f"was {before.status} and became {after.status}"
            yield _at(call, change, f"{problem} in generation {after.generation}")


def s4_nothing_is_lost(history: History) -> Iterator[Finding]:
    """What was acknowledged is there until it is deleted, and the store is sound."""
    known: set[str] = set()
    for call in history.performed:
        for change in call.changes:
            if change.event is not Event.DELETE:
                known.add(change.job_id)
                continue
            known.discard(change.job_id)
            if call.verb != "delete" or _was(change, JobStatus.IN_PROGRESS):
                yield _at(call, change, f"vanished by {call.verb}")
        if call.verb in {"insert", "fire"} and call.answer and call.error is None:
            for job_id in {each.job.id for each in call.answer} - known:
                yield Finding(
                    time_of(call), job_id, "was acknowledged and is not there"
                )
    for problem in history.unsound:
        yield Finding(history.ended_at, "", problem)


def s5_counters(history: History) -> Iterator[Finding]:
    """Attempts, failures, losses and generations rise by one, each for its reason."""
    for call, change in history.changes():
        before, after = change.before, change.after
        if before is None or after is None:
            continue
        outcome = change.write.outcome if change.write else None
        retried = change.event is Event.RETRY
        was = 0 if retried else before.failures, 0 if retried else before.losses
        expected = {
            "attempt": before.attempt + (change.event is Event.CLAIM),
            "failures": was[0] + (outcome in _SPENT),
            "losses": was[1] + (outcome is Outcome.LOST),
            "generation": before.generation + retried,
        }
        for name, value in expected.items():
            if getattr(after, name) != value:
                problem = f"has {name} {getattr(after, name)} instead of {value}"
                yield _at(call, change, problem)


def s6_tokens_are_unique(history: History) -> Iterator[Finding]:
    """No two claims have one token, but for repeats of one call, of which nobody has
    learned what an earlier one brought."""
    owners: dict[str, tuple[str, str]] = {}
    known: dict[tuple[str, str], int] = {}
    for call in history.performed:
        if call.verb != "claim":
            continue
        token, owner = call.asked.token, (call.process, call.asked.worker)
        if owners.setdefault(token, owner) != owner:
            yield Finding(time_of(call), "", f"{owner} claims with a token of others")
        for claim in _handed_out(call):
            key, number = (claim.job_id, claim.token), claim.job.attempt
            if known.get(key, number) != number:
                problem = f"attempt {number} has the token of an earlier one"
                yield Finding(time_of(call), claim.job_id, problem)
            if call.outcome == "ok":
                known[key] = number


def s7_losses_are_bounded(history: History) -> Iterator[Finding]:
    """A job that was lost too often fails, and says so."""
    most = history.config.max_lost
    for call, change in history.changes():
        after = change.after
        if after is None or after.losses < most:
            continue
        fits = after.status is JobStatus.CANCELED or after.reason == LOST
        if after.losses > most or after.status not in TERMINAL or not fits:
            yield _at(call, change, f"was lost {after.losses} times of {most}")


def s8_upkeep_compares(history: History) -> Iterator[Finding]:
    """Upkeep moves what was in the state that it saw, and nothing else."""
    for call, change in history.changes():
        if change.before is not None and call.clock is not None:
            problem = _premature(call, change, change.before, call.clock)
            if problem is not None:
                yield _at(call, change, problem)


def s9_one_clock(history: History) -> Iterator[Finding]:
    """All instants are those of the store's clock."""
    for call, change in history.changes():
        after = change.after
        if after is None:
            continue
        expected = _instants(call, change, after)
        if change.event is Event.RENEW and call.clock is not None:
            lease = history.config.job_claim_timeout
            expected = {"lease_until": call.clock + lease}
        for name, value in expected.items():
            if getattr(after, name) != value:
                problem = f"has {name} {getattr(after, name)} instead of {value}"
                yield _at(call, change, problem)


def s10_bad_input_is_refused(history: History) -> Iterator[Finding]:
    """What is invalid is refused before anything is written."""
    refused = set(history.refused)
    for call, change in history.changes():
        labels = change.after.labels if change.after else {}
        if change.event is Event.SUBMIT and not refused.isdisjoint(labels.values()):
            yield _at(call, change, "was stored though it is invalid")


def s11_calls_are_repeatable(history: History) -> Iterator[Finding]:
    """A call that comes twice has one effect, and a unique key has one holder."""
    holders: dict[tuple[str, str], str] = {}
    for call in history.performed:
        repeats = call.verb in {"insert", "fire", "apply", "renew"} or (
            call.verb == "claim" and call.answer is not None and call.answer.claims
        )
        for change in call.changes:
            if change.again and repeats:
                yield _at(call, change, f"was changed again by the same {call.verb}")
            yield from _second_holder(call, change, holders)
        if call.verb == "claim" and repeats and call.second_answer is not None:
            one, other = ids_of(call.answer.claims), ids_of(call.second_answer.claims)
            if sorted(one) != sorted(other):
                yield Finding(time_of(call), "", f"claim gave {one} and then {other}")


def s12_nothing_stays_open(history: History) -> Iterator[Finding]:
    """Whatever was cancelled, nothing runs on after its process has ended."""
    for each in history.leftovers:
        yield Finding(history.ended_at, "", f"still running: {each}")


SAFETY: Final[Mapping[str, Rule]] = {
    "S1": s1_one_current_claim,
    "S2": s2_only_the_holder_writes,
    "S3": s3_the_end_is_final,
    "S4": s4_nothing_is_lost,
    "S5": s5_counters,
    "S6": s6_tokens_are_unique,
    "S7": s7_losses_are_bounded,
    "S8": s8_upkeep_compares,
    "S9": s9_one_clock,
    "S10": s10_bad_input_is_refused,
    "S11": s11_calls_are_repeatable,
    "S12": s12_nothing_stays_open,
}


def ids_of(claims: tuple[Claim, ...]) -> list[str]:
    return [claim.job_id for claim in claims]


def time_of(call: Call) -> float:
    """When *call* took effect, else when it was made."""
    return call.made_at if call.performed_at is None else call.performed_at


def _at(call: Call, change: Change, problem: str) -> Finding:
    return Finding(time_of(call), change.job_id, problem)


def _was(change: Change, status: JobStatus) -> bool:
    return change.before is not None and change.before.status is status


def _is_running(change: Change) -> bool:
    return change.after is not None and change.after.status is JobStatus.IN_PROGRESS


def _handed_out(call: Call) -> Iterator[Claim]:
    if call.verb == "claim":
        for answer in (call.answer, call.second_answer):
            if answer is not None:
                yield from answer.claims


def _wrong_renewals(call: Call, current: Mapping[str, str]) -> Iterator[Finding]:
    for claim in call.asked:
        is_current = current.get(claim.job_id) == claim.token
        if is_current is (claim.job_id in call.answer.lost):
            told = "was called lost" if is_current else "was renewed by a stale claim"
            yield Finding(time_of(call), claim.job_id, told)


def _wrong_writes(
    call: Call, change: Change, current: Mapping[str, str]
) -> Iterator[Finding]:
    token = change.write.expect.token if change.write else None
    running = _was(change, JobStatus.IN_PROGRESS) and call.verb != "renew"
    allowed = not running or change.event is Event.REQUEST
    if token is None and not allowed:
        yield _at(call, change, f"was ended by {call.verb} without a token")
    if token is not None and token != current.get(change.job_id):
        yield _at(call, change, f"was ended by a stale claim of {call.process}")


def _refused_holders(call: Call, current: Mapping[str, str]) -> Iterator[Finding]:
    if call.error is not None or call.second_answer is not None:
        return
    for write, answer in zip(call.asked, call.answer, strict=True):
        is_holder = current.get(write.job_id, "") == write.expect.token
        alone = sum(each.job_id == write.job_id for each in call.asked) == 1
        if answer is Answer.TOKEN and is_holder and alone:
            yield Finding(time_of(call), write.job_id, "its holder was refused")


def _premature(call: Call, change: Change, job: Job, clock: datetime) -> str | None:
    """Why upkeep or pruning should have left *job* alone."""
    write, lease = change.write, job.lease_until
    if write is not None and write.expect.lease_expired:
        expired = lease is not None and lease <= clock
        return None if expired else "was taken away before its lease ran out"
    if change.event is Event.PROMOTE:
        due = job.status is JobStatus.SCHEDULED and job.due_at <= clock
        return None if due else f"was promoted too early, while {job.status}"
    if change.event is Event.LIFT:
        held = job.status is JobStatus.HELD
        return None if held else f"was lifted while {job.status}"
    if change.event is Event.DELETE and call.verb == "delete":
        meant = call.asked.matches(job, clock)
        return None if meant else "was deleted though nobody asked for that"
    return None


def _instants(call: Call, change: Change, after: Job) -> dict[str, object]:
    """What instants must be after a change."""
    clock = call.clock
    if clock is None:
        return {}
    if change.event is Event.SUBMIT:
        return {"created_at": clock}
    if change.event is Event.CLAIM:
        return {"started_at": clock, "lease_until": clock + call.asked.lease}
    if change.write is not None and change.write.delay is not None:
        return {"due_at": clock + change.write.delay}
    return {"finished_at": clock} if after.status in TERMINAL else {}


def _second_holder(
    call: Call, change: Change, holders: dict[tuple[str, str], str]
) -> Iterator[Finding]:
    job = change.after or change.before
    if job is None or job.unique_key is None:
        return
    name = job.task, job.unique_key
    if change.after is None or job.status not in job.unique_scope:
        if holders.get(name) == job.id:
            del holders[name]
    elif change.event in {Event.SUBMIT, Event.RETRY}:
        holder = holders.setdefault(name, job.id)
        if holder != job.id:
            yield _at(call, change, f"took the unique key that {holder} holds")
