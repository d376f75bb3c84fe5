"""What is handed to `submit`: options of the later hand go first, labels add up."""

from __future__ import annotations

from typing import Any

from jobcore import JobRequest, SubmitOptions
from jobcore.request import merged


def test_the_later_options_go_before_the_earlier() -> None:
    first = SubmitOptions(queue="a", priority=1)
    assert merged(first, {"queue": "b"}) == {"queue": "b", "priority": 1}
    assert first == {"queue": "a", "priority": 1}


def test_labels_add_up() -> None:
    both = merged({"labels": {"a": "1", "b": "1"}}, {"labels": {"b": "2"}})
    assert both == {"labels": {"a": "1", "b": "2"}}
    assert merged({"labels": {"a": "1"}}, {}) == {"labels": {"a": "1"}}
    assert merged({}, {}) == {}


def test_what_is_no_mapping_of_labels_is_left_to_be_refused() -> None:
    odd: Any = 5
    assert merged({"labels": {"a": "1"}}, {"labels": odd}) == {"labels": 5}


def test_a_request_with_options_is_another_request() -> None:
    request = JobRequest("greet", {"name": "Ada"}, {"queue": "a"})
    changed = request.with_options(queue="b", priority=1)
    assert changed.options == {"queue": "b", "priority": 1}
    assert (changed.task, changed.arguments) == ("greet", {"name": "Ada"})
    assert request.options == {"queue": "a"}
