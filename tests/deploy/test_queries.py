"""Dashboard, alerts and scaling ask for what is really exported, in PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml
from promql_parser import AggregateExpr, Matcher, VectorSelector

from jobcore.events import EventKind
from tests.deploy.exported import samples

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "dashboard.json").read_text())
RULES: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
CLOSED = {"jobcore_event", "jobcore_status", "le"}
"""Labels whose values are all known."""
OF_PROMETHEUS = {"instance"}
"""Labels that Prometheus itself adds."""


@dataclass(frozen=True)
class Query:
    """A question to Prometheus, and the template of the *text* that shows what it is
    told."""

    name: str
    expression: str
    text: str = ""

    def parts(self) -> list[Any]:
        """The expressions that it is made of."""
        found: list[Any] = []

        def visit(each: Any) -> bool:
            found.append(getattr(each, "vector_selector", each))
            return True

        promql_parser.walk(promql_parser.parse(self.expression), visit)
        return found

    def selectors(self) -> list[VectorSelector]:
        return [each for each in self.parts() if isinstance(each, VectorSelector)]

    def grouped_by(self) -> set[str]:
        return {
            label
            for each in self.parts()
            if isinstance(each, AggregateExpr) and each.modifier
            for label in each.modifier.labels
        }


def of_dashboard() -> Iterator[Query]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "5m")
            name = f"{panel['title']} {target['refId']}"
            yield Query(name, expression, target["legendFormat"])


def of_alerts() -> Iterator[Query]:
    for rule in RULES:
        yield Query(rule["alert"], rule["expr"], str(rule["annotations"]))


def of_scaling() -> Query:
    file = DEPLOY / "kubernetes" / "scaling.yaml"
    (trigger,) = yaml.safe_load(file.read_text())["spec"]["triggers"]
    return Query("scaling", trigger["metadata"]["query"])


QUERIES = [*of_dashboard(), *of_alerts(), of_scaling()]
every_query = pytest.mark.parametrize("query", QUERIES, ids=lambda each: each.name)


def asked_for(matcher: Matcher) -> set[str]:
    """The values that *matcher* names; bounds also in the way of Prometheus 3."""
    values = set(matcher.value.split("|"))
    return {f"{float(each):g}" for each in values} if matcher.name == "le" else values


@every_query
def test_its_metrics_are_exported(query: Query) -> None:
    assert query.selectors()
    assert {each.name for each in query.selectors()} <= samples().keys()


@every_query
def test_its_labels_are_exported(query: Query) -> None:
    there = set[str]()
    for selector in query.selectors():
        labels = samples()[selector.name or ""]
        there |= labels.keys()
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels
            if matcher.name in CLOSED:
                assert asked_for(matcher) <= labels[matcher.name]
    assert query.grouped_by() <= there | OF_PROMETHEUS


@every_query
def test_what_is_shown_is_in_the_answer(query: Query) -> None:
    shown = set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", query.text))
    assert shown <= query.grouped_by()


def test_every_metric_is_on_the_dashboard() -> None:
    asked = {each.name or "" for query in of_dashboard() for each in query.selectors()}
    ours = {name for name in samples() if name.startswith(("jobcore_", "messaging_"))}
    suffix = re.compile("_(bucket|count|sum|created)$")
    assert {suffix.sub("", each) for each in asked} == {
        suffix.sub("", each) for each in ours
    }


def test_every_kind_of_event_is_counted() -> None:
    told = samples()["jobcore_events_total"]["jobcore_event"]
    assert told == {each.value for each in EventKind}


def test_panels_do_not_overlap() -> None:
    places = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not covered & places, panel["title"]
        places |= covered
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_alert_says_what_it_is() -> None:
    for rule in RULES:
        assert rule["alert"].startswith("Jobcore")
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
