"""Insert: new jobs, each in its partition, whose unique keys may lie in another."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from jobcore import Inserted, NewJob
from jobcore_redis.first import Written
from jobcore_redis.part import Message
from jobcore_redis.parts import Parts
from jobcore_redis.unique import FarKeys


class Insertion:
    """One call of `insert`, with which a *message* is told. All jobs are written before
    any is sent: what cannot be lets none in."""

    def __init__(
        self, parts: Parts, keys: FarKeys, jobs: Sequence[NewJob], message: Message
    ) -> None:
        self._message = message
        self._parts = parts
        self._keys = keys
        self._far = {each.id for each in jobs if keys.is_far(each)}
        self._written = [Written.of(each, is_far=each.id in self._far) for each in jobs]
        self._answers: dict[int, Inserted] = {}

    async def run(self) -> list[Inserted]:
        """The answers, in the order of the jobs."""
        if self._written and len(self._parts.all) == 1:
            (part,) = self._parts.all
            answers = await part.insert(self._written, self._message)
            return [each for each in answers if each is not None]
        while len(self._answers) < len(self._written):
            await self._go_on()
        return [self._answers[place] for place in range(len(self._written))]

    async def _go_on(self) -> None:
        """Have the answers for those jobs for which they can be had now."""
        wanted: list[int] = []
        for place in self._next():
            new = self._written[place].new
            if new.id in self._far and (there := await self._there(new)):
                self._answers[place] = there
            else:
                wanted.append(place)
        answers = await self._parts.spread(
            [self._written[place] for place in wanted],
            attrgetter("id"),
            lambda part, some: part.insert(some, self._message),
        )
        for place, answer in zip(wanted, answers, strict=True):
            known = answer or await self._duplicate(self._written[place].new)
            if known is not None:
                self._answers[place] = known

    def _next(self) -> list[int]:
        """The places of the jobs without an answer where none before has the same
        unique key: in another partition it has to be there before the next can be
        answered."""
        first: dict[object, int] = {}
        for place, (new, *_) in enumerate(self._written):
            if place in self._answers:
                continue
            name = place if new.unique_key is None else (new.task, new.unique_key)
            first.setdefault(name, place)
        return list(first.values())

    async def _there(self, new: NewJob) -> Inserted | None:
        """The answer where there is a job of this id, or one that has the unique key,
        which else is taken now."""
        (job,) = await self._parts.get([new.id])
        if job is not None:
            return Inserted(job, created=False)
        return await self._duplicate(new)

    async def _duplicate(self, new: NewJob) -> Inserted | None:
        """The answer where another job has the unique key, which else is taken now."""
        holder = await self._keys.take(new.id, new.task, new.unique_key or "")
        return None if holder is None else Inserted(holder, created=False)
