"""What a request is when it comes again: a key names one request, with one body."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.gateway.gateway_house import House, house


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


@pytest.mark.parametrize("key", ["7b0b2f3e-6f0a-4c4e-9a51-0a5d5d2f7c11", "deploy-42 ä"])
async def test_a_repeated_request_gets_the_first_answer(one: House, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1").decode("latin-1") if key.isascii() else "deploy-42"}
    first = await one.call("POST", "/deployments", {"name": "x", "slug": "x"}, want=202, headers=headers)
    again = await one.call("POST", "/deployments", {"name": "x", "slug": "x"}, want=202, headers=headers)
    assert again["id"] == first["id"]
    assert (await one.call("GET", "/deployments", want=200))["total"] == 1


async def test_a_key_names_a_request_of_one_user_on_one_path(one: House) -> None:
    headers = {"Idempotency-Key": "k"}
    system = await one.call("POST", "/systems", {"name": "x"}, want=202, headers=headers)
    environment = await one.call("POST", "/environments", {"name": "x"}, want=202, headers=headers)
    assert system["id"] != environment["id"]
    await one.call("GET", f"/environments/{environment['id']}", want=200)


async def test_a_key_that_comes_with_another_body_is_refused_and_changes_nothing(one: House) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"name": "x", "slug": "x", "metadata": {"a": "1", "b": "2"}}
    first = await one.call("POST", "/deployments", body, want=202, headers=headers)
    for other in ({**body, "name": "y"}, {**body, "metadata": {}}, {"name": "x", "slug": "x"}):
        refused = await one.call("POST", "/deployments", other, want=422, headers=headers)
        assert (refused["code"], "new key" in refused["message"]) == ("IDEMPOTENCY_KEY_REUSED", True)
    assert (await one.call("GET", "/deployments", want=200))["total"] == 1
    # However it is written, the same body is a repeat.
    reordered = {"metadata": {"b": "2", "a": "1"}, "slug": "x", "name": "x"}
    assert await one.call("POST", "/deployments", reordered, want=202, headers=headers) == first
    # Another key, or none, is another request.
    for more in ({"Idempotency-Key": "l"}, {}):
        await one.call("POST", "/deployments", body, want=409, headers=more)


async def test_a_request_that_was_refused_may_be_mended_under_its_key(one: House) -> None:
    headers = {"Idempotency-Key": "k"}
    await one.call("POST", "/deployments", {"name": "x", "slug": "x", "resourceSelector": "resource."}, want=400, headers=headers)
    made = await one.call("POST", "/deployments", {"name": "x", "slug": "x"}, want=202, headers=headers)
    await one.call("GET", f"/deployments/{made['id']}", want=200)


async def test_a_large_body_is_told_from_another_as_well(one: House) -> None:
    headers = {"Idempotency-Key": "k"}
    made = await one.call("PUT", "/resource-providers", {"id": "", "name": "p"}, want=202)
    path = f"/resource-providers/{made['id']}/set"
    one_of = {"name": "n" * 300, "kind": "k", "version": "v", "config": {}, "metadata": {}, "createdAt": "2026-01-01T00:00:00Z"}
    resources = [{**one_of, "identifier": f"r{number}"} for number in range(800)]
    await one.call("PUT", path, {"resources": resources}, want=202, headers=headers)
    await one.call("PUT", path, {"resources": resources}, want=202, headers=headers)
    await one.call("PUT", path, {"resources": resources[:-1]}, want=422, headers=headers)
    assert (await one.call("GET", "/resources?limit=1", want=200))["total"] == 800


async def test_a_repeated_deletion_gets_the_first_answer(one: House) -> None:
    made = await one.call("POST", "/policies", {"name": "p"}, want=202)
    headers = {"Idempotency-Key": "7b0b2f3e-6f0a-4c4e-9a51-0a5d5d2f7c11"}
    first = await one.call("DELETE", f"/policies/{made['id']}", want=202, headers=headers)
    assert await one.call("DELETE", f"/policies/{made['id']}", want=202, headers=headers) == first
