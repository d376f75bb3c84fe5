"""From a URL to a store: what is installed, and what was registered."""

from __future__ import annotations

import pytest

from jobcore import (
    InMemoryJobStore,
    JobcoreConfig,
    UnknownStoreError,
    open_manager,
    register_store,
    registry,
    store_from_url,
)


@pytest.fixture(autouse=True)
def _registrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


class AcmeStore(InMemoryJobStore):
    """A store of somebody else's."""


def test_an_installed_distribution_offers_its_store_by_an_entry_point() -> None:
    store = store_from_url("memory://")
    assert type(store) is InMemoryJobStore
    assert store.url == "memory://"


@pytest.mark.parametrize("url", ["acme://x", "acme+driver://x", "ACME://x"])
def test_a_registered_store_gets_the_url_as_it_is(url: str) -> None:
    register_store("acme", AcmeStore)
    store = store_from_url(url)
    assert type(store) is AcmeStore
    assert store.url == url


def test_a_registration_goes_before_an_entry_point() -> None:
    register_store("memory", AcmeStore)
    assert type(store_from_url("memory://")) is AcmeStore


@pytest.mark.parametrize(
    "url", ["oracle://ada:secret@db", "", "file:///etc/passwd", "mem\nory://", "://"]
)
def test_a_url_of_no_known_store_names_what_is_installed(url: str) -> None:
    register_store("acme", AcmeStore)
    with pytest.raises(UnknownStoreError) as refused:
        store_from_url(url)
    assert refused.value.code == "unknown_store"
    assert {"acme", "memory", "sqlite"} <= set(refused.value.known)
    assert ", ".join(sorted(refused.value.known)) in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.anyio
async def test_a_manager_opens_the_store_of_its_argument_or_configuration() -> None:
    opened: list[str] = []

    def acme(url: str) -> AcmeStore:
        opened.append(url)
        return AcmeStore(url)

    register_store("acme", acme)
    config = JobcoreConfig(store_url="acme://configured")
    async with open_manager("acme://argument", config), open_manager(config=config):
        assert opened == ["acme://argument", "acme://configured"]


@pytest.mark.anyio
async def test_an_empty_url_is_not_taken_for_none() -> None:
    with pytest.raises(UnknownStoreError):
        async with open_manager(""):
            pass
