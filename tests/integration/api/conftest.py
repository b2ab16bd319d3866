"""One running system for all tests of the API, started as a user starts it, and a workspace of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.checker import Api, new_workspace
from tests.story.house import House, house


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Postgres, nats-server and all services in one process, behind HTTP."""
    with house(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: House) -> Iterator[httpx.Client]:
    """Keeps its connections over all tests."""
    with httpx.Client(base_url=stack.url, headers={"X-API-Key": stack.api_key}, timeout=30) as one:
        yield one


@pytest.fixture
def api(client: httpx.Client) -> Api:
    """An empty workspace."""
    return new_workspace(client)


@pytest.fixture(scope="session")
def quiet_id(client: httpx.Client) -> str:
    """The id of a workspace that stays empty: what is refused for its form needs none of its own."""
    return new_workspace(client).workspace_id


@pytest.fixture
def quiet(client: httpx.Client, quiet_id: str) -> Api:
    """The workspace that stays empty."""
    return Api(client, quiet_id, lambda: new_workspace(client))
