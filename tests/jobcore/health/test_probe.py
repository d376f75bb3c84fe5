"""A probe answers in any application what its manager says."""

from __future__ import annotations

import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from starlette.routing import Mount

from jobcore import Health
from jobcore.health import Probe

pytestmark = pytest.mark.anyio


class Patient:
    """Says of itself what a test wants."""

    def __init__(self) -> None:
        self.levels = {"alive": True, "started": True, "connected": True}

    async def health(self) -> Health:
        return Health(**self.levels)


@pytest.fixture
def patient() -> Patient:
    return Patient()


async def asked(app: object, path: str, method: str = "GET") -> Response:
    transport = ASGITransport(app)  # type: ignore[arg-type] # any application
    async with AsyncClient(transport=transport, base_url="http://host") as client:
        return await client.request(method, path)


@pytest.mark.parametrize("level", ["alive", "started", "connected"])
async def test_each_level_has_a_path(patient: Patient, level: str) -> None:
    probe = Probe(patient)
    well = await asked(probe, f"/status/{level}")
    assert (well.status_code, well.json()) == (200, patient.levels)
    assert well.headers["content-type"] == "application/json"
    assert well.headers["cache-control"] == "no-store"
    patient.levels[level] = False
    ill = await asked(probe, f"/status/{level}/?verbose")
    assert (ill.status_code, ill.json()) == (503, patient.levels)


async def test_another_level_does_not_count(patient: Patient) -> None:
    patient.levels["connected"] = False
    assert (await asked(Probe(patient), "/status/alive")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/status/dead", 404),
        ("GET", "/", 404),
        ("POST", "/status/alive", 405),
        ("DELETE", "/status/dead", 404),
    ],
)
async def test_what_it_does_not_know_is_refused(
    patient: Patient, method: str, path: str, status: int
) -> None:
    answer = await asked(Probe(patient), path, method)
    assert answer.status_code == status
    assert answer.headers.get("allow") == ("GET, HEAD" if status == 405 else None)


async def test_a_head_has_no_body(patient: Patient) -> None:
    answer = await asked(Probe(patient), "/status/alive", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("place", ["", "/status", "/internal/health"])
async def test_it_is_mounted_anywhere(patient: Patient, place: str) -> None:
    app = Starlette(routes=[Mount(place, Probe(patient))])
    path = place if place.endswith("/status") else f"{place}/status"
    assert (await asked(app, f"{path}/alive")).status_code == 200


async def test_only_requests_are_answered(patient: Patient) -> None:
    """So that servers which offer more know that there is no more."""

    async def nothing(*_: object) -> dict[str, object]:
        return {}

    with pytest.raises(NotImplementedError, match="lifespan"):
        await Probe(patient)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type] # never sent to
