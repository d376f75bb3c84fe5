"""One answer is made of those of machines whose clocks differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jobcore import DueSchedules, ScheduleRecord
from jobcore_redis.merging import all_due

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def due_at(due: datetime, name: str = "nightly") -> ScheduleRecord:
    return ScheduleRecord(name=name, revision="1", data=b"", due_at=due)


def test_it_is_as_late_as_it_is_anywhere() -> None:
    ahead = DueSchedules(now=NOW, schedules=(due_at(NOW),))
    behind = DueSchedules(now=NOW - SECOND)
    for answers in ([ahead, behind], [behind, ahead]):
        assert all_due(answers, [], 9) == ahead


def test_the_earliest_come_first_and_the_others_are_due() -> None:
    first, second, third = (due_at(NOW - n * SECOND, f"s{n}") for n in (3, 2, 1))
    answers = [
        DueSchedules(now=NOW, schedules=(first, third)),
        DueSchedules(now=NOW, schedules=(second,)),
    ]
    found = all_due(answers, [NOW + SECOND], 2)
    assert found.schedules == (first, second)
    assert found.next_due_in == timedelta(0)
    found = all_due(answers, [NOW + SECOND], 3)
    assert found.schedules == (first, second, third)
    assert found.next_due_in == SECOND
