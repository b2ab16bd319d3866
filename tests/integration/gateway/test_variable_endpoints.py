"""Variables of deployments and resources, and variable sets: what is written comes back exactly, and goes with what it belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house

VALUES: list[Any] = [
    "5432",
    "true",
    "",
    5432,
    -1,
    5.5,
    True,
    False,
    {"object": {"a": [1, None]}},
    {"reference": "vpc", "path": ["metadata", "id"]},
    {"valueHash": "abc"},
]


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def deployment_of(one: House, name: str = "api") -> str:
    made = await one.call("POST", "/deployments", {"name": name, "slug": name}, want=202)
    return str(made["id"])


async def variable_of(one: House, deployment: str, key: str = "port") -> str:
    variable = str(uuid4())
    body = {"deploymentId": deployment, "key": key}
    assert (await one.call("PUT", f"/deployment-variables/{variable}", body, want=202))["id"] == variable
    return variable


async def put_value(one: House, variable: str, value: Any, priority: int = 0, *, want: int = 202, **more: Any) -> Any:
    path = f"/deployment-variable-values/{uuid4()}"
    body = {"deploymentVariableId": variable, "value": value, "priority": priority, **more}
    answer = await one.call("PUT", path, body, want=want)
    return path if want == 202 else answer


# --- of deployments --------------------------------------------------------------------------------------------------------------------


async def test_variables_of_a_deployment(one: House) -> None:
    deployment = await deployment_of(one)
    variable = await variable_of(one, deployment)
    shown = {"variable": {"id": variable, "deploymentId": deployment, "key": "port"}, "values": []}
    assert await one.call("GET", f"/deployment-variables/{variable}", want=200) == shown
    # The key changes under the same id.
    body = {"deploymentId": deployment, "key": "listen", "description": "d"}
    await one.call("PUT", f"/deployment-variables/{variable}", body, want=202)
    read = await one.call("GET", f"/deployment-variables/{variable}", want=200)
    assert (read["variable"]["key"], read["variable"]["description"]) == ("listen", "d")
    low = await put_value(one, variable, 1, -10)
    await put_value(one, variable, 2, 10, resourceSelector='resource.kind == "Cluster"')
    await variable_of(one, deployment, "host")
    whole = await one.call("GET", f"/deployments/{deployment}", want=200)
    assert [(entry["variable"]["key"], [value["value"] for value in entry["values"]]) for entry in whole["variables"]] == [
        ("listen", [2, 1]),
        ("host", []),
    ]
    page = await one.call("GET", f"/deployments/{deployment}/variables?limit=1&offset=1", want=200)
    assert ([entry["variable"]["key"] for entry in page["items"]], page["total"]) == (["listen"], 2)
    await one.call("DELETE", low, want=202)
    await one.call("GET", low, want=404)
    await one.call("DELETE", f"/deployment-variables/{variable}", want=202)
    await one.call("GET", f"/deployment-variables/{variable}", want=404)
    assert len((await one.call("GET", f"/deployments/{deployment}", want=200))["variables"]) == 1


async def test_the_variables_of_a_deployment_that_is_not_there_are_an_empty_page(one: House) -> None:
    for deployment in (str(uuid4()), "none"):
        page = await one.call("GET", f"/deployments/{deployment}/variables", want=200)
        assert (page["items"], page["total"]) == ([], 0)


async def test_values_go_with_the_deployment(one: House) -> None:
    deployment = await deployment_of(one)
    variable = await variable_of(one, deployment)
    value = await put_value(one, variable, 1)
    await one.call("DELETE", f"/deployments/{deployment}", want=202)
    for path in (value, f"/deployment-variables/{variable}"):
        await one.call("GET", path, want=404)
    assert (await one.call("GET", f"/deployments/{deployment}/variables", want=200))["total"] == 0


async def test_a_value_comes_back_exactly_as_it_was_written(one: House) -> None:
    variable = await variable_of(one, await deployment_of(one))
    for number, value in enumerate(VALUES):
        path = await put_value(one, variable, value, number)
        read = await one.call("GET", path, want=200)
        assert (read["value"], type(read["value"]), read["priority"]) == (value, type(value), number)
        assert "resourceSelector" not in read


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, {"object": 1}, {"reference": "", "path": []}, {"reference": "r"}])
async def test_what_is_no_value_is_refused_with_its_place(one: House, value: Any) -> None:
    variable = await variable_of(one, await deployment_of(one))
    refused = await put_value(one, variable, value, want=400)
    assert [detail["path"] for detail in refused["details"]] == ["/body/value"]
    refused = await one.call(
        "POST", "/variable-sets", {"name": "s", "selector": "true", "variables": [{"key": "k", "value": value}]}, want=400
    )
    assert [detail["path"] for detail in refused["details"]] == ["/body/variables/0/value"]


async def test_variables_that_can_not_be(one: House) -> None:
    deployment = await deployment_of(one)
    variable = await variable_of(one, deployment)
    await one.call("PUT", f"/deployment-variables/{uuid4()}", {"deploymentId": deployment, "key": "port"}, want=409)
    await one.call("PUT", f"/deployment-variables/{uuid4()}", {"deploymentId": str(uuid4()), "key": "port"}, want=404)
    await one.call("PUT", f"/deployment-variables/{uuid4()}", {"deploymentId": "none", "key": "port"}, want=404)
    await one.call("PUT", "/deployment-variables/none", {"deploymentId": deployment, "key": "port"}, want=404)
    await one.call("DELETE", f"/deployment-variables/{uuid4()}", want=404)
    await one.call("DELETE", f"/deployment-variable-values/{uuid4()}", want=404)
    await put_value(one, str(uuid4()), 1, want=404)
    refused = await put_value(one, variable, 1, resourceSelector="resource.", want=400)
    assert {"line", "column"} <= set(refused["details"][0])
    await put_value(one, variable, 1, 2**63, want=400)
    await put_value(one, variable, 1, 7)
    await put_value(one, variable, 2, 7, want=409)
    mine = await put_value(one, variable, 1, 8)
    other = await variable_of(one, deployment, "host")
    await one.call("PUT", mine, {"deploymentVariableId": other, "value": 1, "priority": 0}, want=409)


# --- of resources ----------------------------------------------------------------------------------------------------------------------

CLUSTER = {"name": "c", "kind": "Cluster", "version": "v1"}


async def test_variables_of_a_resource_are_replaced_together(one: House) -> None:
    path = one.path_of("a/b:c")
    await one.call("PATCH", f"{path}/variables", {"a": 1}, want=404)
    await one.call("GET", f"{path}/variables", want=404)
    made = await one.call("PUT", path, {**CLUSTER, "variables": {"b": "5432", "a": True}}, want=202)

    async def variables() -> dict[str, Any]:
        page = await one.call("GET", f"{path}/variables", want=200)
        assert {entry["resourceId"] for entry in page["items"]} <= {made["id"]}
        assert page["total"] == len(page["items"])
        return {entry["key"]: entry["value"] for entry in page["items"]}

    assert list((await variables()).items()) == [("a", True), ("b", "5432")]
    # Left out they stay.
    await one.call("PUT", path, CLUSTER, want=202)
    assert await variables() == {"a": True, "b": "5432"}
    written = {"o": {"x": 1}, "w": {"object": {"x": 1}}, "r": {"reference": "vpc", "path": ["name"]}, "n": 1.5}
    assert (await one.call("PATCH", f"{path}/variables", written, want=202))["id"] == made["id"]
    assert await variables() == {**written, "o": {"object": {"x": 1}}}
    page = await one.call("GET", f"{path}/variables?limit=1&offset=2", want=200)
    assert ([entry["key"] for entry in page["items"]], page["total"]) == (["r"], 4)
    await one.call("PATCH", f"{path}/variables", {}, want=202)
    assert await variables() == {}
    await one.call("PATCH", f"{path}/variables", {"a": 1}, want=202)
    await one.call("PUT", path, {**CLUSTER, "variables": {}}, want=202)
    assert await variables() == {}


async def test_no_variable_of_a_resource_is_null(one: House) -> None:
    path = one.path_of("r")
    refused = await one.call("PUT", path, {**CLUSTER, "variables": {"a": None}}, want=400)
    assert [detail["path"] for detail in refused["details"]] == ["/body/variables/a"]
    await one.call("PUT", path, CLUSTER, want=202)
    refused = await one.call("PATCH", f"{path}/variables", {"a": 1, "root": None}, want=400)
    assert [detail["path"] for detail in refused["details"]] == ["/body/root"]
    for body in ([], "x", None, 1):
        await one.call("PATCH", f"{path}/variables", body, want=400 if body is not None else 415)


# --- sets ------------------------------------------------------------------------------------------------------------------------------


async def test_variable_sets(one: House) -> None:
    variables = [{"key": "b", "value": "1"}, {"key": "a", "value": {"object": {"x": 1}}}]
    made = await one.call("POST", "/variable-sets", {"name": "s", "selector": "true", "variables": variables}, want=201)
    assert (made["description"], made["priority"], "variables" in made) == ("", 0, False)
    path = f"/variable-sets/{made['id']}"
    read = await one.call("GET", path, want=200)
    assert [{"key": entry["key"], "value": entry["value"]} for entry in read["variables"]] == variables
    changed = await one.call("PUT", path, {"priority": 5}, want=202)
    assert (changed["priority"], changed["name"], "variables" in changed) == (5, "s", False)
    assert (await one.call("GET", path, want=200))["variables"] == read["variables"]
    await one.call("PUT", path, {"variables": [{"key": "c", "value": 1}], "description": "d"}, want=202)
    read = await one.call("GET", path, want=200)
    assert ([entry["key"] for entry in read["variables"]], read["description"]) == (["c"], "d")
    deleted = await one.call("DELETE", path, want=202)
    assert (deleted["id"], deleted["name"], "variables" in deleted) == (made["id"], "s", False)
    for method, body in (("GET", None), ("PUT", {"priority": 1}), ("DELETE", None)):
        await one.call(method, path, body, want=404)


async def test_variable_sets_are_listed_by_priority_and_name(one: House) -> None:
    for name, priority in (("b", 0), ("a", 0), ("z", 10), ("y", -10)):
        body = {"name": name, "selector": "true", "priority": priority, "variables": []}
        await one.call("POST", "/variable-sets", body, want=201)
    page = await one.call("GET", "/variable-sets?limit=3", want=200)
    assert ([entry["name"] for entry in page["items"]], page["total"]) == (["z", "a", "b"], 4)


async def test_a_key_is_once_in_a_variable_set(one: House) -> None:
    twice = [{"key": "a", "value": 1}, {"key": "a", "value": 2}]
    refused = await one.call("POST", "/variable-sets", {"name": "s", "selector": "true", "variables": twice}, want=400)
    assert refused["code"] == "BAD_REQUEST"
