"""Relationship rules and what they relate; dependencies between versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house

RULE = {
    "name": "in vpc",
    "reference": "vpc",
    "cel": 'from.type == "resource" && to.type == "resource" && from.metadata["vpc"] == to.metadata["id"]',
    "metadata": {},
}


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def test_relationship_rules(one: House) -> None:
    made = await one.call("POST", "/relationship-rules", {**RULE, "metadata": {"a": "b"}}, want=201)
    assert (made["workspaceId"], made["metadata"], "description" in made) == (one.workspace_id, {"a": "b"}, False)
    path = f"/relationship-rules/{made['id']}"
    assert await one.call("GET", path, want=200) == made
    changed = await one.call("PUT", path, {**RULE, "description": "d"}, want=200)
    assert (changed["id"], changed["description"], changed["metadata"]) == (made["id"], "d", {})
    own = str(uuid4())
    assert (await one.call("PUT", f"/relationship-rules/{own}", RULE, want=200))["id"] == own
    page = await one.call("GET", "/relationship-rules?limit=1", want=200)
    assert ([entry["id"] for entry in page["items"]], page["total"]) == ([own], 2)
    assert await one.call("DELETE", path, want=202) == changed
    for method, suffix in (("GET", ""), ("DELETE", ""), ("GET", "/relations")):
        await one.call(method, path + suffix, want=404)


async def test_rules_that_can_not_be(one: House) -> None:
    refused = await one.call("POST", "/relationship-rules", {**RULE, "cel": "from.name =="}, want=400)
    assert (refused["code"], {"line", "column"} <= set(refused["details"][0])) == ("INVALID_CEL", True)
    for missing in RULE:
        body = {key: value for key, value in RULE.items() if key != missing}
        refused = await one.call("POST", "/relationship-rules", body, want=400)
        assert refused["details"][0]["path"] == f"/body/{missing}"


async def test_relations_can_be_listed(one: House) -> None:
    rule = (await one.call("POST", "/relationship-rules", RULE, want=201))["id"]
    ids = {}
    for name, metadata in (("vpc", {"id": "v1"}), ("c1", {"vpc": "v1"}), ("c2", {"vpc": "v1"}), ("c3", {"vpc": "v2"})):
        body = {"name": name, "kind": "k", "version": "v", "metadata": metadata}
        ids[name] = (await one.call("PUT", one.path_of(name), body, want=202))["id"]
    path = f"/relationship-rules/{rule}/relations"
    page = await one.call("GET", path, want=200)
    assert {(entry["from"]["id"], entry["to"]["id"]) for entry in page["items"]} == {
        (ids["c1"], ids["vpc"]),
        (ids["c2"], ids["vpc"]),
    }
    assert page["items"][0]["from"]["type"] == "resource"
    part = await one.call("GET", f"{path}?limit=1&offset=1", want=200)
    assert (part["items"], part["total"]) == (page["items"][1:], 2)
    await one.call("DELETE", one.path_of("c1"), want=200)
    assert (await one.call("GET", path, want=200))["total"] == 1


# --- dependencies ----------------------------------------------------------------------------------------------------------------------


async def deployments(one: House, *names: str) -> list[str]:
    return [(await one.call("POST", "/deployments", {"name": name, "slug": name}, want=202))["id"] for name in names]


async def posted(one: House, deployment: str, tag: str, dependencies: Any = None, *, want: int = 200) -> Any:
    body = {"tag": tag, "name": "", "status": "ready"}
    if dependencies is not None:
        body["dependencies"] = dependencies
    return await one.call("POST", f"/deployments/{deployment}/versions", body, want=want)


async def test_a_version_is_posted_with_what_it_depends_on(one: House) -> None:
    api, first, second = await deployments(one, "api", "db", "cache")
    needed = {first: {"versionSelector": "true"}, second.upper(): {"versionSelector": 'version.tag == "v1"'}}
    version = await posted(one, api, "v1", needed)
    assert "dependencies" not in version
    plain = await posted(one, api, "v2")
    listed = (await one.call("GET", f"/deployments/{api}/versions", want=200))["items"]
    assert [(entry["id"], set(entry["dependencies"])) for entry in listed] == [
        (plain["id"], set()),
        (version["id"], {first, second}),
    ]
    assert listed[1]["dependencies"][second] == {"versionSelector": 'version.tag == "v1"'}
    cel = f'has(version.dependencies["{first}"])'
    picked = await one.call("GET", f"/deployments/{api}/versions", want=200, params={"cel": cel})
    assert [entry["id"] for entry in picked["items"]] == [version["id"]]


async def test_dependencies_are_edited_afterwards(one: House) -> None:
    api, first, second = sorted(await deployments(one, "api", "db", "cache"))
    version = (await posted(one, api, "v1"))["id"]
    path = f"/deployment-versions/{version}/dependencies"
    assert await one.call("GET", path, want=200) == []
    for other in (second, first):
        saved = await one.call("PUT", f"{path}/{other}", {"versionSelector": "true"}, want=202)
        assert saved["id"] == version
    assert await one.call("GET", path, want=200) == [
        {"deploymentVersionId": version, "dependencyDeploymentId": other, "versionSelector": "true"} for other in (first, second)
    ]
    await one.call("PATCH", f"/deployment-versions/{version}", {"message": "m"}, want=202)
    assert len(await one.call("GET", path, want=200)) == 2
    assert (await one.call("DELETE", f"{path}/{first}", want=202))["id"] == version
    await one.call("DELETE", f"{path}/{first}", want=404)
    await one.call("DELETE", f"/deployments/{second}", want=202)
    assert await one.call("GET", path, want=200) == []
    for wrong in (f"{path}/{uuid4()}", f"{path}/none", f"/deployment-versions/{uuid4()}/dependencies/{first}"):
        await one.call("PUT", wrong, {"versionSelector": "true"}, want=404)
    await one.call("GET", f"/deployment-versions/{uuid4()}/dependencies", want=404)


async def test_a_version_whose_dependencies_can_not_be_is_not_there(one: House) -> None:
    api, other = await deployments(one, "api", "db")
    for key, selector, status in (
        ("none", "true", 400),
        (api, "true", 400),
        (other, "  ", 400),
        (other, "version.", 400),
        (str(uuid4()), "true", 404),
    ):
        await posted(one, api, "v1", {key: {"versionSelector": selector}}, want=status)
    await posted(one, api, "v1", {other: {}}, want=400)
    await posted(one, api, "v1", {other: {"versionSelector": "true"}})
