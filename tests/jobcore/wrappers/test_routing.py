"""Rules keep keys within one store, and ids tell the store."""

from __future__ import annotations

from collections import Counter

import pytest

from jobcore import InvalidJobError
from jobcore.testing import a_job
from jobcore.wrappers import Rule, by_key, keys_together
from jobcore.wrappers.routing import marked, place_of

RULES: list[Rule] = [keys_together, by_key]


@pytest.mark.parametrize("rule", RULES)
def test_jobs_without_keys_are_spread_evenly(rule: Rule) -> None:
    places = Counter(rule(a_job(id=f"id-{n}"), 4) for n in range(4000))
    assert sorted(places) == [0, 1, 2, 3]
    assert min(places.values()) > 800


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["limit_key", "unique_key"])
@pytest.mark.parametrize("key", ["acme", ""])
def test_jobs_of_a_key_are_led_to_one_store(rule: Rule, kind: str, key: str) -> None:
    jobs = [a_job(id=f"id-{n}", queue=f"q{n}", **{kind: key}) for n in range(100)]
    assert len({rule(job, 7) for job in jobs}) == 1


def test_a_unique_key_is_led_to_one_store_whatever_limit_key_is_beside_it() -> None:
    limits = [None, "one", "two", "three"]
    jobs = [a_job(unique_key="key", limit_key=each) for each in limits]
    jobs += [a_job(limit_key=each) for each in limits[1:]]
    assert {keys_together(job, 7) for job in jobs} == {0}


def test_by_key_spreads_keys() -> None:
    limits = {by_key(a_job(limit_key=f"key-{n}"), 4) for n in range(100)}
    uniques = {by_key(a_job(unique_key=f"key-{n}"), 4) for n in range(100)}
    tasks = {by_key(a_job(task=f"task-{n}", unique_key="key"), 4) for n in range(100)}
    assert limits == uniques == tasks == {0, 1, 2, 3}


def test_by_key_refuses_a_job_with_both_keys() -> None:
    with pytest.raises(InvalidJobError, match="beside a limit key"):
        by_key(a_job(limit_key="one", unique_key="two"), 4)


def test_by_key_is_the_same_in_every_release() -> None:
    keys = ["acme", "tenant: ß", "", "x" * 200]
    places = [by_key(a_job(limit_key=key), 1000) for key in keys]
    assert places == [953, 376, 295, 479]
    places = [by_key(a_job(unique_key=key), 1000) for key in keys]
    assert places == [19, 757, 470, 879]


def test_an_id_tells_its_store() -> None:
    assert [place_of(marked("id", place), 12) for place in (0, 3, 11)] == [0, 3, 11]


@pytest.mark.parametrize("job_id", ["", "id", "id.", "id.3", "id.-1", "id.x", "1.5.9"])
def test_an_id_may_tell_of_no_store(job_id: str) -> None:
    assert place_of(job_id, 3) is None
