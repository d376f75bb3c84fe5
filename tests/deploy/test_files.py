"""The files of `deploy` fit to the code, and to each other."""

from __future__ import annotations

import re
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import application
import pytest
import yaml

from jobcore import Health, JobcoreConfig, Worker

DEPLOY = Path(__file__).parents[2] / "deploy"
LEVELS = {
    "startupProbe": "started",
    "livenessProbe": "alive",
    "readinessProbe": "connected",
}
PORTS = {"web": 8000, "worker": application.Ports().probe_port}
PATIENCE: timedelta = signature(Worker).parameters["patience"].default
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

Tree = dict[str, Any]


def documents(file: str) -> list[Tree]:
    return list(yaml.safe_load_all((DEPLOY / file).read_text()))


def deployment(name: str) -> Tree:
    found: Tree = documents(f"kubernetes/{name}.yaml")[0]
    assert (found["kind"], found["metadata"]["name"]) == ("Deployment", name)
    return found


def pod(name: str) -> Tree:
    found: Tree = deployment(name)["spec"]["template"]["spec"]
    return found


def container(name: str) -> Tree:
    (found,) = pod(name)["containers"]
    return dict(found)


def settings() -> dict[str, str]:
    shared = documents("kubernetes/application.yaml")
    return {
        **shared[0]["data"],
        **shared[1]["stringData"],
    }


def compose() -> Tree:
    (found,) = documents("compose.yaml")
    return found


def configured(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> JobcoreConfig:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    return JobcoreConfig()


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def stop(config: JobcoreConfig) -> float:
    """How long a worker takes at most to stop: handlers that are cancelled have some
    time to end, and then what became of them is reported."""
    return (config.shutdown_grace_period + 2 * PATIENCE).total_seconds()


both = pytest.mark.parametrize("name", ["web", "worker"])


@both
@pytest.mark.parametrize("probe", LEVELS)
def test_probes_ask_what_is_answered(name: str, probe: str) -> None:
    asked = container(name)[probe]["httpGet"]
    assert asked["path"] == f"/status/{LEVELS[probe]}"
    assert LEVELS[probe] in Health.__dataclass_fields__
    ports = {each["name"]: each["containerPort"] for each in container(name)["ports"]}
    assert ports[asked["port"]] == PORTS[name]


@both
def test_probes_wait_longer_than_health_takes(name: str) -> None:
    for probe in ("livenessProbe", "readinessProbe"):
        assert container(name)[probe]["timeoutSeconds"] > 2


def test_a_worker_has_time_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(settings(), monkeypatch)
    assert config.shutdown_grace_period != timedelta(seconds=10), "it is read"
    assert pod("worker")["terminationGracePeriodSeconds"] > stop(config)


def test_the_page_says_how_long_that_is() -> None:
    assert timedelta(seconds=5) == PATIENCE
    page = (DEPLOY.parent / "docs" / "deploying.md").read_text()
    assert "have five seconds to clean up" in page
    grace = JobcoreConfig.model_fields["shutdown_grace_period"].default
    assert f"`shutdown_grace_period` ({grace.total_seconds():g} s)" in page


def test_a_service_has_time_to_stop() -> None:
    web = container("web")
    sleep = web["lifecycle"]["preStop"]["sleep"]["seconds"]
    answering = int(web["args"][web["args"].index("--timeout-graceful-shutdown") + 1])
    assert pod("web")["terminationGracePeriodSeconds"] > sleep + answering


def test_a_worker_of_compose_has_time_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = compose()["services"]["worker"]
    config = configured(worker["environment"], monkeypatch)
    assert seconds(worker["stop_grace_period"]) > stop(config)


@both
def test_compose_asks_the_same_probes(name: str) -> None:
    service = compose()["services"][name]
    (url,) = re.findall(
        r"http://127.0.0.1:(\d+)(/\S+)'", service["healthcheck"]["test"][-1]
    )
    assert url == (str(PORTS[name]), "/status/connected")


@both
def test_both_start_the_same_in_compose_and_in_a_cluster(name: str) -> None:
    command = compose()["services"][name].get("command", image_command())
    args = container(name)["args"]
    assert args[: len(command)] == command


def image_command() -> list[str]:
    (text,) = re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    found: list[str] = yaml.safe_load(text)
    return found


def test_the_image_is_small_lowly_and_takes_signals() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    assert len(set(stages)) == 1, "the interpreter that packages were installed for"
    last = DOCKERFILE.rpartition("FROM ")[2]
    (user,) = re.findall(r"^USER (\d+)$", last, re.MULTILINE)
    assert int(user) > 0
    for name in ("web", "worker"):
        assert pod(name)["securityContext"]["runAsUser"] == int(user)
    assert image_command() == ["python", "-m", "application"], "no shell"


def test_the_image_has_what_it_copies() -> None:
    root = DEPLOY.parent
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)
    installed = re.findall(r'"\./(src/\w+)\[', DOCKERFILE)
    assert copied == ["src", "deploy/application.py"]
    assert len(installed) == 2
    assert all((root / each).exists() for each in (*copied, *installed))
    kept = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {f"!{each}" for each in copied} <= set(kept)


def test_prometheus_finds_the_metrics() -> None:
    (prometheus,) = documents("prometheus.yaml")
    web, worker = prometheus["scrape_configs"]
    assert web["static_configs"] == [{"targets": [f"web:{PORTS['web']}"]}]
    metrics = application.Ports().metrics_port
    assert worker["dns_sd_configs"][0]["port"] == metrics
    for name, port, path in (
        ("web", PORTS["web"], web["metrics_path"]),
        ("worker", metrics, None),
    ):
        told = deployment(name)["spec"]["template"]["metadata"]["annotations"]
        assert told["prometheus.io/port"] == str(port)
        assert told.get("prometheus.io/path") == path
        ports = {each["containerPort"] for each in container(name)["ports"]}
        assert port in ports


def test_workers_are_scaled_and_never_to_none() -> None:
    (scaling,) = documents("kubernetes/scaling.yaml")
    assert scaling["spec"]["scaleTargetRef"] == {"name": "worker"}
    assert scaling["spec"]["minReplicaCount"] >= 1
    assert "replicas" not in deployment("worker")["spec"]
    query = scaling["spec"]["triggers"][0]["metadata"]["query"]
    assert application.tasks["count_words"].options["queue"] in query


@both
def test_labels_select_the_pods(name: str) -> None:
    labels = deployment(name)["spec"]["template"]["metadata"]["labels"]
    assert deployment(name)["spec"]["selector"]["matchLabels"] == labels
    if name == "web":
        service = documents("kubernetes/web.yaml")[1]
        assert service["spec"]["selector"] == labels


def test_the_page_names_every_file() -> None:
    page = (DEPLOY.parent / "docs" / "deploying.md").read_text()
    files = [
        each for each in DEPLOY.rglob("*.*") if each.suffix in {".yaml", ".json", ".py"}
    ]
    assert files
    for file in files:
        assert file.relative_to(DEPLOY).as_posix() in page
