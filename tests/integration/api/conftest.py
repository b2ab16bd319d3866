"""One running system for all tests of the API, started as a user starts it, and a workspace of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.integration.api.checker import Api
from tests.story.house import House, house

_numbers = count(1)


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
    return _new(client)


def _new(client: httpx.Client) -> Api:
    name = f"w-{next(_numbers)}"
    answer = client.post("/api/v1/workspaces", json={"name": name, "slug": name})
    assert answer.status_code == 201, answer.text
    return Api(client, answer.json()["id"], lambda: _new(client))
